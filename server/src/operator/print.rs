//! What commands found, as lines on standard output.

use serde_json::{Value, json};

use super::say;

/// Every projection, a line each.
pub(super) fn projections(statuses: &Value) {
    say(&format!(
        "{:<12} {:>7} {:>12} {:>8} {:>7}",
        "projection", "version", "position", "lag", "parked"
    ));
    for status in statuses.as_array().into_iter().flatten() {
        let number = |names: [&str; 2]| {
            names
                .iter()
                .find_map(|name| status.get(*name))
                .map_or_else(String::new, Value::to_string)
        };
        say(&format!(
            "{:<12} {:>7} {:>12} {:>8} {:>7}",
            status["name"].as_str().unwrap_or_default(),
            number(["version", "version"]),
            number(["position", "position"]),
            number(["lag_events", "lagEvents"]),
            number(["parked_streams", "parkedStreams"]),
        ));
    }
}

/// What a rebuild came to.
pub(super) fn rebuilt(rebuilt: &Value) {
    say(&format!(
        "{}: rebuilt from {} events, stands at position {}",
        rebuilt["name"].as_str().unwrap_or_default(),
        rebuilt["events"],
        rebuilt["position"],
    ));
}

/// What happened to an asset, in sentences.
pub(super) fn history(history: &Value) {
    for event in history["events"].as_array().into_iter().flatten() {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let actor = &event["actor"];
        say(&format!(
            "{}  {}  ({} {}{})",
            text(&event["recordedAt"]),
            text(&event["sentence"]),
            text(&actor["kind"]),
            text(&actor["id"]),
            event["client"].as_str().map(|client| format!(", {client}")).unwrap_or_default(),
        ));
        if let Some(derived) = event["derivedFrom"].as_object() {
            let part = |name: &str| derived.get(name).map(Value::to_string).unwrap_or_default();
            say(&format!(
                "    derived by {} version {} from input {}",
                part("processor").trim_matches('"'),
                part("version"),
                part("input").trim_matches('"').chars().take(16).collect::<String>(),
            ));
        }
    }
}

/// Every account, a line each.
pub(super) fn users(users: &Value) {
    for user in users.as_array().into_iter().flatten() {
        say(&format!(
            "{}  {}  {}{}{}",
            user["id"].as_str().unwrap_or_default(),
            user["email"].as_str().unwrap_or_default(),
            user["name"].as_str().unwrap_or_default(),
            if user["isAdmin"] == json!(true) { "  (administrator)" } else { "" },
            if user["deletedAt"].is_null() { "" } else { "  (deleted)" },
        ));
    }
}
