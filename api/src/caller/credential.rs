//! What a request shows to be known by, by Immich's order of precedence.

use axum::http::{HeaderMap, header};

/// What a request shows to be known by.
pub(super) enum Credential {
    ShareKey(String),
    ShareSlug(String),
    Session(String),
    ApiKey(String),
}

/// The first credential of a request. An empty one is none.
pub(super) fn credential(headers: &HeaderMap, query: Option<&str>) -> Option<Credential> {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let share_key = header("x-immich-share-key").or_else(|| query_value(query, "key"));
    if let Some(text) = share_key {
        return Some(Credential::ShareKey(text));
    }
    let slug = header("x-immich-share-slug").or_else(|| query_value(query, "slug"));
    if let Some(text) = slug {
        return Some(Credential::ShareSlug(text));
    }
    let session = header("x-immich-user-token")
        .or_else(|| header("x-immich-session-token"))
        .or_else(|| query_value(query, "sessionKey"))
        .or_else(|| bearer(headers))
        .or_else(|| cookie(headers, "immich_access_token"));
    if let Some(text) = session {
        return Some(Credential::Session(text));
    }
    header("x-api-key").or_else(|| query_value(query, "apiKey")).map(Credential::ApiKey)
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.to_owned())
}

/// The value of a cookie of the request.
#[must_use]
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).find_map(
        |line| {
            line.split(';').find_map(|pair| {
                let (found, value) = pair.trim().split_once('=')?;
                (found == name && !value.is_empty()).then(|| {
                    percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned()
                })
            })
        },
    )
}

fn query_value(query: Option<&str>, name: &str) -> Option<String> {
    query?.split('&').find_map(|pair| {
        let (found, value) = pair.split_once('=')?;
        (found == name && !value.is_empty())
            .then(|| percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pairs: &[(&'static str, &str)], query: &str) -> Option<String> {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        credential(&headers, Some(query)).map(|found| match found {
            Credential::ShareKey(text) => format!("key {text}"),
            Credential::ShareSlug(text) => format!("slug {text}"),
            Credential::Session(text) => format!("session {text}"),
            Credential::ApiKey(text) => format!("api key {text}"),
        })
    }

    #[test]
    fn empty_credential_is_none_and_the_next_one_counts() {
        let empty = [
            ("x-immich-share-key", ""),
            ("x-immich-share-slug", ""),
            ("x-immich-user-token", ""),
            ("x-immich-session-token", ""),
            ("authorization", "Bearer "),
            ("x-api-key", ""),
        ];
        assert_eq!(shown(&empty, "key=&slug=&sessionKey=&apiKey="), None);
        assert_eq!(shown(&empty, "apiKey=a").as_deref(), Some("api key a"));
        let cookie = [&empty[..], &[("cookie", "immich_access_token=t")]].concat();
        assert_eq!(shown(&cookie, "").as_deref(), Some("session t"));
        let token = [&empty[..3], &[("x-immich-session-token", "t"), ("x-api-key", "a")]].concat();
        assert_eq!(shown(&token, "").as_deref(), Some("session t"));
    }

    #[test]
    fn first_credential_decides() {
        let all = [("x-api-key", "a"), ("authorization", "bearer t")];
        assert_eq!(shown(&all, "slug=s").as_deref(), Some("slug s"));
        assert_eq!(shown(&all, "").as_deref(), Some("session t"));
    }
}
