//! `Content-Disposition` with any file name: RFC 5987, so that quotes, semicolons and line breaks are harmless.

use axum::http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What RFC 5987 calls `attr-char` stays as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// `inline; filename*=UTF-8''<name>`.
pub(crate) fn inline(file_name: &str) -> HeaderValue {
    let text = format!("inline; filename*=UTF-8''{}", utf8_percent_encode(file_name, ENCODED));
    // Percent-encoded text is always a header value.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("inline"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_name_stays_readable() {
        assert_eq!(
            inline("cyclamen_persicum.jpg"),
            "inline; filename*=UTF-8''cyclamen_persicum.jpg"
        );
    }

    #[test]
    fn hostile_name_cannot_end_the_value() {
        assert_eq!(inline("a\"\r\n;'é.jpg"), "inline; filename*=UTF-8''a%22%0D%0A%3B%27%C3%A9.jpg");
    }
}
