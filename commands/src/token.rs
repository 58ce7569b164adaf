//! Tokens of sessions and secrets of keys: made here once, kept only as digests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngCore as _;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// 32 random bytes as base64 without the characters that are not of words: 40 to 43 characters, as Immich makes them.
#[must_use]
pub fn generate() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    STANDARD.encode(bytes).chars().filter(char::is_ascii_alphanumeric).collect()
}

/// SHA-256, lower-case hex: what is stored and looked up.
#[must_use]
pub fn digest(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap_or_default();
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_differ() {
        let (a, b) = (generate(), generate());
        assert_ne!(a, b);
        assert!((30..=43).contains(&a.len()), "{}", a.len());
    }

    #[test]
    fn digest_is_sha256_in_hex() {
        assert_eq!(
            digest("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
