//! The three cookies of a login, as Immich writes them: two hidden from scripts, one for them to read.

use axum::http::header::{InvalidHeaderValue, SET_COOKIE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::AppendHeaders;
use chrono::{DateTime, Duration, Utc};

/// The longest time browsers keep a cookie.
const MAX_AGE_DAYS: i64 = 400;
const LONG_AGO: &str = "Thu, 01 Jan 1970 00:00:00 GMT";
const NAMES: [&str; 3] = ["immich_access_token", "immich_auth_type", "immich_is_authenticated"];

type Cookies = AppendHeaders<[(HeaderName, HeaderValue); 3]>;

/// Remembers a session in the browser; `Secure` when the client speaks https.
pub(super) fn remember(
    token: &str,
    is_https: bool,
    now: DateTime<Utc>,
) -> Result<Cookies, InvalidHeaderValue> {
    let max_age = Duration::days(MAX_AGE_DAYS);
    let expires = (now + max_age).format("%a, %d %b %Y %H:%M:%S GMT");
    let secure = if is_https { "; Secure" } else { "" };
    let cookie = |name: &str, value: &str, hidden: &str| {
        let seconds = max_age.num_seconds();
        HeaderValue::try_from(format!(
            "{name}={value}; Max-Age={seconds}; Path=/; Expires={expires}{hidden}{secure}; SameSite=Lax"
        ))
    };
    let [access_token, auth_type, is_authenticated] = NAMES;
    Ok(AppendHeaders([
        (SET_COOKIE, cookie(access_token, token, "; HttpOnly")?),
        (SET_COOKIE, cookie(auth_type, "password", "; HttpOnly")?),
        (SET_COOKIE, cookie(is_authenticated, "true", "")?),
    ]))
}

/// Makes the browser forget.
pub(super) fn forget() -> Result<Cookies, InvalidHeaderValue> {
    let cookie = |name| HeaderValue::try_from(format!("{name}=; Path=/; Expires={LONG_AGO}"));
    let [access_token, auth_type, is_authenticated] = NAMES;
    Ok(AppendHeaders([
        (SET_COOKIE, cookie(access_token)?),
        (SET_COOKIE, cookie(auth_type)?),
        (SET_COOKIE, cookie(is_authenticated)?),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(cookies: &Cookies) -> Vec<&str> {
        cookies.0.iter().map(|(_, value)| value.to_str().unwrap()).collect()
    }

    #[test]
    fn cookies_are_spelled_as_recorded() {
        let now = "2026-11-22T08:35:20Z".parse().unwrap();
        assert_eq!(
            lines(&remember("Z5", false, now).unwrap()),
            [
                "immich_access_token=Z5; Max-Age=34560000; Path=/; Expires=Mon, 27 Dec 2027 08:35:20 GMT; HttpOnly; SameSite=Lax",
                "immich_auth_type=password; Max-Age=34560000; Path=/; Expires=Mon, 27 Dec 2027 08:35:20 GMT; HttpOnly; SameSite=Lax",
                "immich_is_authenticated=true; Max-Age=34560000; Path=/; Expires=Mon, 27 Dec 2027 08:35:20 GMT; SameSite=Lax",
            ]
        );
    }

    #[test]
    fn https_cookies_are_secure() {
        let now = "2026-11-22T08:35:20Z".parse().unwrap();
        let cookies = remember("Z5", true, now).unwrap();
        assert!(lines(&cookies).iter().all(|line| line.contains("; Secure; SameSite=Lax")));
    }
}
