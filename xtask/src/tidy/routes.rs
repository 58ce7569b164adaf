//! Every route asks who may use it: its handler calls `caller.require…`, or stands here with the reason why
//! it does not.

use crate::finding::Finding;

/// What a documented route begins with.
const MARK: &str = "#[utoipa::path(";
/// What asks: each of these goes through the one function that decides.
const ASKS: [&str; 4] = [
    "caller.require(",
    "caller.require_admin(",
    "caller.require_shared(",
    "caller.require_elevated(",
];
/// Operations whose handlers ask otherwise, or nobody, each with the reason.
const OPEN: [(&str, &str); 24] = [
    ("addSharedLinkAssets", "asks in `change`, as removing does"),
    ("appendUpload", "asks in `own`, as all that is about one upload does"),
    ("getMyApiKey", "tells a key about itself"),
    ("getMySharedLink", "tells whoever holds a link about it, and refuses everybody else"),
    ("getPublicConfig", "for everybody, as in Immich"),
    ("getPublicConfigDefaults", "for everybody, as in Immich"),
    ("getServerConfig", "for everybody, as in Immich"),
    ("getServerFeatures", "for everybody, as in Immich"),
    ("getServerVersion", "for everybody, as in Immich"),
    ("getSupportedMediaTypes", "for everybody, as in Immich"),
    ("getUpload", "asks in `own`"),
    ("getUploadOptions", "tells what of tus is spoken, to everybody"),
    ("getVersionHistory", "for everybody, as in Immich"),
    ("headUpload", "asks in `own`"),
    ("login", "for who is not known yet"),
    ("overrideUploadMethod", "asks in `own`"),
    ("pingServer", "for everybody, as in Immich"),
    ("removeSharedLinkAssets", "asks in `change`, as adding does"),
    ("removeUpload", "asks in `own`"),
    ("sharedLinkLogin", "for who holds a link and knows its password"),
    ("signUpAdmin", "for the first who comes"),
    ("undo", "asks for what each event needs that is taken back"),
    ("uploadAsset", "asks before it reads the form"),
    ("validateAccessToken", "tells whether one is known"),
];

/// Handlers of documented routes that ask nobody.
pub(super) fn ask_who_may(path: &str, text: &str) -> Vec<Finding> {
    if !path.starts_with("api/src/") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (place, _) in text.match_indices(MARK) {
        let line = text[..place].matches('\n').count() + 1;
        let rest = &text[place..];
        // A handler ends with the first brace that stands alone at the margin.
        let handler = rest.split_once("\n}\n").map_or(rest, |(handler, _)| handler);
        let joined: String = handler.split_whitespace().collect();
        let asks = ASKS.iter().any(|asks| joined.contains(asks));
        let is_open = operation(handler).is_some_and(|id| OPEN.iter().any(|(open, _)| *open == id));
        if !asks && !is_open {
            let message = "a route asks nobody: call `caller.require…`, or say in \
                           xtask/src/tidy/routes.rs why not";
            findings.push(Finding::at_line(path, line, message));
        }
    }
    findings
}

/// The operation that a handler is documented as.
fn operation(handler: &str) -> Option<&str> {
    let (_, rest) = handler.split_once("operation_id = \"")?;
    rest.split_once('"').map(|(id, _)| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(id: &str, body: &str) -> String {
        format!(
            "//! A.\n\n#[utoipa::path(get, operation_id = \"{id}\")]\nfn a() {{\n    {body}\n}}\n"
        )
    }

    #[test]
    fn a_handler_that_asks_passes() {
        for asks in ASKS {
            assert_eq!(ask_who_may("api/src/a.rs", &route("a", &format!("{asks}A)?;"))), []);
        }
        assert_eq!(ask_who_may("api/src/a.rs", &route("a", "caller\n        .require(A)?;")), []);
    }

    #[test]
    fn a_handler_that_asks_nobody_is_found_unless_it_says_why() {
        let text = format!("{}{}", route("a", "caller.require(A)?;"), route("b", "b();"));
        let found = ask_who_may("api/src/a.rs", &text);
        assert_eq!(found.iter().map(|finding| finding.line).collect::<Vec<_>>(), [Some(9)]);
        assert_eq!(ask_who_may("api/src/a.rs", &route("pingServer", "b();")), []);
        assert_eq!(ask_who_may("server/src/a.rs", &text), []);
    }

    #[test]
    fn reasons_are_in_order_and_none_is_there_twice() {
        assert!(OPEN.is_sorted_by(|a, b| a.0 < b.0));
    }
}
