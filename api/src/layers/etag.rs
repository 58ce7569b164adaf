//! Strong entity tags in Express's spelling, and whether a client holds what it asks for.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

/// Characters of the base64 digest that the tag keeps: all but the padding.
const DIGEST_CHARS: usize = 27;

/// `"<length in hex>-<base64 of the SHA-1>"`.
pub(super) fn tag(body: &[u8]) -> String {
    let digest = STANDARD.encode(Sha1::digest(body));
    format!("\"{:x}-{}\"", body.len(), digest.get(..DIGEST_CHARS).unwrap_or_default())
}

/// Whether the request says that it holds the answer with this tag.
pub(super) fn is_held(request: &HeaderMap, tag: &str) -> bool {
    let text = |name| request.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if text(header::CACHE_CONTROL).split(',').any(|word| word.trim() == "no-cache") {
        return false;
    }
    text(header::IF_NONE_MATCH)
        .split(',')
        .map(str::trim)
        .any(|held| held == "*" || held.strip_prefix("W/").unwrap_or(held) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_is_spelled_as_express_spells_it() {
        assert_eq!(
            tag(br#"{"message":"Invalid user token"}"#),
            "\"20-2dGinS5UR9d1YhJA7Isy7f8nXNU\""
        );
        assert_eq!(tag(br#"{"res":"pong"}"#), "\"e-X79OU2IZYkDmLU4ZK9k3d4mHVbI\"");
    }

    #[test]
    fn weak_spelling_of_the_same_tag_counts() {
        let headers =
            |value: &str| HeaderMap::from_iter([(header::IF_NONE_MATCH, value.parse().unwrap())]);
        assert!(is_held(&headers("\"x\", W/\"1-a\""), "\"1-a\""));
        assert!(!is_held(&headers("\"2-a\""), "\"1-a\""));
        assert!(!is_held(&HeaderMap::new(), "\"1-a\""));
    }

    #[test]
    fn reload_wants_the_answer_anew() {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, "\"1-a\"".parse().unwrap());
        headers.insert(header::CACHE_CONTROL, "no-cache".parse().unwrap());
        assert!(!is_held(&headers, "\"1-a\""));
    }
}
