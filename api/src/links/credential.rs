//! A key or slug to its link, while that opens something.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use calotype_projections::shared_links::SharedLinkRow;
use chrono::{DateTime, Utc};

use crate::problem::Problem;
use crate::state::Api;

/// The longest key or slug looked at, and the longest slug that is taken.
pub(crate) const WORD_CHARS_MAX: usize = 512;
/// A key of so many characters is hex.
const HEX_CHARS: usize = 100;

/// The link with a key, which clients may also write in hex.
///
/// # Errors
/// What the database said.
pub(crate) async fn by_key(api: &Api, key: &str) -> Result<Option<SharedLinkRow>, Problem> {
    if key.len() > WORD_CHARS_MAX {
        return Ok(None);
    }
    let key = canonical(key);
    let link = api.queries.shared_link_by_key(&key).await?;
    Ok(link.filter(|link| !is_over(link, api.commands.clock().now())))
}

/// The link with a slug.
///
/// # Errors
/// What the database said.
pub(crate) async fn by_slug(api: &Api, slug: &str) -> Result<Option<SharedLinkRow>, Problem> {
    if slug.chars().count() > WORD_CHARS_MAX {
        return Ok(None);
    }
    let link = api.queries.shared_link_by_slug(slug).await?;
    Ok(link.filter(|link| !is_over(link, api.commands.clock().now())))
}

/// Whether its time is over.
pub(crate) fn is_over(link: &SharedLinkRow, now: DateTime<Utc>) -> bool {
    link.expires_at.is_some_and(|end| end <= now)
}

/// The one spelling that keys are kept in.
fn canonical(key: &str) -> String {
    let is_hex = key.len() == HEX_CHARS && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex {
        return key.trim_end_matches('=').to_owned();
    }
    let bytes: Option<Vec<u8>> = (0..HEX_CHARS)
        .step_by(2)
        .map(|at| key.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    URL_SAFE_NO_PAD.encode(bytes.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_and_base64url_are_one_key() {
        let bytes: Vec<u8> = (0..50).collect();
        let text = URL_SAFE_NO_PAD.encode(&bytes);
        let hex = crate::assets::dto::hex(&bytes);
        assert_eq!((canonical(&hex), canonical(&text)), (text.clone(), text.clone()));
        assert_eq!(canonical("nope"), "nope");
    }
}
