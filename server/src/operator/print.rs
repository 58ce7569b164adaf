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

/// One event, in a sentence; below it what changed, and from what it was derived.
pub(super) fn event(event: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let actor = &event["actor"];
    let words = ["client", "address"].iter().filter_map(|name| event[*name].as_str());
    let also: Vec<String> = words.map(|word| format!(", {word}")).collect();
    let also = also.concat();
    say(&format!(
        "{}  {}  ({} {}{also})",
        text(&event["recordedAt"]),
        text(&event["sentence"]),
        text(&actor["kind"]),
        text(&actor["id"]),
    ));
    if let Some(reason) = event["reason"].as_str() {
        say(&format!("    because: {reason}"));
    }
    for (name, value) in event["after"].as_object().into_iter().flatten() {
        match event["before"].get(name) {
            Some(before) => say(&format!("    {name}: {before} became {value}")),
            None => say(&format!("    {name}: {value}")),
        }
    }
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
