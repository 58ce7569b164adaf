//! Foreign text: never trusted to be UTF-8, free of NUL, or short.

use crate::limits::TEXT_CHARS_MAX;

/// Decodes (UTF-8, else Latin-1), cuts at the first NUL, drops control characters, trims, limits.
pub(crate) fn from_bytes(bytes: &[u8]) -> Option<String> {
    let until = bytes.iter().position(|it| *it == 0).unwrap_or(bytes.len());
    let bytes = &bytes[..until];
    match std::str::from_utf8(bytes) {
        Ok(text) => clean(text),
        Err(_) => clean(&bytes.iter().map(|it| char::from(*it)).collect::<String>()),
    }
}

/// Drops what a database or a screen cannot take. `None` when nothing is left.
pub(crate) fn clean(text: &str) -> Option<String> {
    let kept: String = text
        .chars()
        .filter(|it| !it.is_control() || matches!(it, '\n' | '\t'))
        .take(TEXT_CHARS_MAX)
        .collect();
    let trimmed = kept.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_becomes_clean_text() {
        assert_eq!(from_bytes(b"before\0after").as_deref(), Some("before"));
        assert_eq!(from_bytes(b"Caf\xe9").as_deref(), Some("Café"));
        assert_eq!(from_bytes("Zürich 東京".as_bytes()).as_deref(), Some("Zürich 東京"));
        assert_eq!(from_bytes(b"   \r\n"), None);
        assert_eq!(clean("a\u{1}b\nc").as_deref(), Some("ab\nc"));
    }
}
