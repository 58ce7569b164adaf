//! What commands found, as lines on standard output.

use serde_json::{Value, json};

use super::say;

/// Every projection, a line each, with its rebuild where one is under way.
pub(super) fn projections(statuses: &Value) {
    say(&format!(
        "{:<16} {:>7} {:>12} {:>8} {:>7}  rebuild",
        "projection", "version", "position", "lag", "parked"
    ));
    for status in statuses.as_array().into_iter().flatten() {
        let number = |name: &str| status[name].to_string();
        let rebuild = &status["rebuild"];
        let word = |name: &str| rebuild[name].as_str().unwrap_or_default();
        let mut said = match word("state") {
            "running" | "paused" | "failed" => format!("{} {}", word("wish"), word("state")),
            _ => String::new(),
        };
        if !rebuild["previous"].is_null() {
            said = [said, "one before is kept".to_owned()].join(" ").trim().to_owned();
        }
        let line = format!(
            "{:<16} {:>7} {:>12} {:>8} {:>7}  {said}",
            status["name"].as_str().unwrap_or_default(),
            number("version"),
            number("position"),
            number("lagEvents"),
            number("parkedStreams"),
        );
        say(line.trim_end());
    }
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
