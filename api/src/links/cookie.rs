//! The cookie that a right password leaves: `immich_shared_link_token`, a list of tokens, one for each link.
//!
//! A token is made of the link's id and of the hash that its password is kept as, which is a secret and new
//! with each password: whoever sets another password locks out everybody at once.

use axum::http::header::{InvalidHeaderValue, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use calotype_projections::shared_links::SharedLinkRow;
use chrono::{DateTime, Duration, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

use crate::caller::cookie;

const NAME: &str = "immich_shared_link_token";
/// How long a browser keeps it.
const MAX_AGE: Duration = Duration::days(1);
/// Links whose passwords a browser remembers; the oldest goes first.
const TOKENS_MAX: usize = 20;

/// Whether whoever sends these headers may use the link: it asks for no password, or they gave it.
pub(crate) fn is_open_to(link: &SharedLinkRow, headers: &HeaderMap) -> bool {
    if !link.has_password {
        return true;
    }
    let Some(expected) = token(link) else { return false };
    tokens(headers).iter().any(|given| same(given, &expected))
}

/// The header that makes the browser remember the link's password.
///
/// # Errors
/// Never in practice: what it is made of fits a header.
pub(crate) fn remember(
    link: &SharedLinkRow,
    headers: &HeaderMap,
    is_https: bool,
    now: DateTime<Utc>,
) -> Result<Option<(HeaderName, HeaderValue)>, InvalidHeaderValue> {
    let Some(fresh) = token(link) else { return Ok(None) };
    let mut all = tokens(headers);
    all.retain(|token| *token != fresh);
    all.push(fresh);
    let from = all.len().saturating_sub(TOKENS_MAX);
    let value = all.get(from..).unwrap_or_default().join(",");
    let value = utf8_percent_encode(&value, NON_ALPHANUMERIC);
    let seconds = MAX_AGE.num_seconds();
    let expires = (now + MAX_AGE).format("%a, %d %b %Y %H:%M:%S GMT");
    let secure = if is_https { "; Secure" } else { "" };
    let line = format!(
        "{NAME}={value}; Max-Age={seconds}; Path=/; Expires={expires}; HttpOnly{secure}; SameSite=Lax"
    );
    HeaderValue::try_from(line).map(|value| Some((SET_COOKIE, value)))
}

fn token(link: &SharedLinkRow) -> Option<String> {
    let hash = link.password_hash.as_ref()?;
    Some(STANDARD.encode(Sha256::digest(format!("{}-{hash}", link.shared_link_id))))
}

fn tokens(headers: &HeaderMap) -> Vec<String> {
    let line = cookie(headers, NAME).unwrap_or_default();
    line.split(',').filter(|token| !token.is_empty()).map(str::to_owned).collect()
}

/// Compares digests, so that how long it takes says nothing of where they differ.
fn same(given: &str, expected: &str) -> bool {
    Sha256::digest(given) == Sha256::digest(expected)
}

#[cfg(test)]
mod tests {
    use axum::http::header::COOKIE;

    use super::*;

    fn link(password_hash: Option<&str>) -> SharedLinkRow {
        SharedLinkRow {
            shared_link_id: uuid::Uuid::from_u128(1),
            revision: 0,
            owner_id: uuid::Uuid::from_u128(2),
            album_id: None,
            key: None,
            key_sha256: None,
            slug: None,
            has_password: true,
            password_hash: password_hash.map(str::to_owned),
            description: None,
            allow_upload: false,
            allow_download: true,
            show_metadata: true,
            expires_at: None,
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    fn sent_back(link: &SharedLinkRow) -> HeaderMap {
        let set = remember(link, &HeaderMap::new(), true, DateTime::UNIX_EPOCH).unwrap().unwrap();
        let pair = set.1.to_str().unwrap().split(';').next().unwrap().to_owned();
        HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(pair).unwrap())])
    }

    #[test]
    fn cookie_opens_the_link_until_the_password_changes() {
        let with = link(Some("$argon2id$a"));
        let headers = sent_back(&with);
        assert!(is_open_to(&with, &headers));
        assert!(!is_open_to(&with, &HeaderMap::new()));
        assert!(!is_open_to(&link(Some("$argon2id$b")), &headers));
    }

    #[test]
    fn forgotten_password_opens_to_nobody() {
        assert!(!is_open_to(&link(None), &HeaderMap::new()));
    }

    #[test]
    fn cookie_is_spelled_as_recorded() {
        let set = remember(&link(Some("h")), &HeaderMap::new(), false, DateTime::UNIX_EPOCH);
        let line = set.unwrap().unwrap().1;
        let line = line.to_str().unwrap();
        assert!(line.starts_with("immich_shared_link_token="), "{line}");
        assert!(
            line.ends_with(
                "; Max-Age=86400; Path=/; Expires=Fri, 02 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax"
            ),
            "{line}"
        );
    }
}
