//! What a client says it is: browser, system and app version, from its headers.

use axum::http::HeaderMap;
use calotype_domain::session::Device;

/// The longest word kept of what a client says.
const WORD_CHARS_MAX: usize = 120;

/// The device of a login: headers `devicemodel` and `devicetype` of the mobile app, else the user agent.
#[must_use]
pub fn device(headers: &HeaderMap) -> Device {
    let agent = header(headers, "user-agent").unwrap_or_default();
    Device {
        device_type: header(headers, "devicemodel").unwrap_or_else(|| browser(&agent).to_owned()),
        device_os: header(headers, "devicetype").unwrap_or_else(|| system(&agent).to_owned()),
        app_version: app_version(&agent),
    }
}

/// The client's own name for itself, for the history: the first word of its user agent.
#[must_use]
pub fn name(headers: &HeaderMap) -> Option<String> {
    header(headers, "user-agent")
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.chars().take(WORD_CHARS_MAX).collect())
}

fn browser(agent: &str) -> &'static str {
    // The order matters: Edge and Opera name Chrome too, and Chrome names Safari.
    for (mark, name) in [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ] {
        if agent.contains(mark) {
            return name;
        }
    }
    ""
}

fn system(agent: &str) -> &'static str {
    for (mark, name) in [
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iOS"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ] {
        if agent.contains(mark) {
            return name;
        }
    }
    ""
}

fn app_version(agent: &str) -> Option<String> {
    let lower = agent.to_ascii_lowercase();
    for mark in
        ["immich-android/", "immich-ios/", "immich-unknown/", "immich_android_", "immich_ios_"]
    {
        if let Some(rest) = lower.strip_prefix(mark) {
            let version: String =
                rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
            return Some(version).filter(|version| !version.is_empty());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mobile_app_names_its_version() {
        assert_eq!(app_version("immich-android/3.1.0"), Some("3.1.0".into()));
        assert_eq!(app_version("curl/8"), None);
    }

    #[test]
    fn chrome_is_not_safari() {
        assert_eq!(browser("Mozilla/5.0 (X11; Linux) Chrome/120 Safari/537"), "Chrome");
    }
}
