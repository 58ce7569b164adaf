//! What came of rebuilds, as lines.

use serde_json::Value;

use super::say;

/// How a rebuild stands.
pub(super) fn state(rebuild: &Value) {
    say(&line(rebuild));
    if !rebuild["failure"].is_null() {
        say(&format!("    {}", failure(rebuild)));
    }
    if !rebuild["comparison"].is_null() {
        say(&format!("    {}", compared(rebuild)));
    }
    if let Some(previous) = rebuild["previous"].as_object() {
        let since = previous.get("since").and_then(Value::as_str).unwrap_or_default();
        let position = previous.get("position").cloned().unwrap_or_default();
        say(&format!("    what was live until {since} is kept, at position {position}"));
    }
}

/// What came of what was resumed.
pub(super) fn ended(rebuild: &Value) {
    if text(rebuild, "wish") == "diff" {
        diff(rebuild);
    } else {
        rebuilt(rebuild);
    }
}

/// What a rebuild or rollback came to.
pub(super) fn rebuilt(rebuild: &Value) {
    let did = if text(rebuild, "wish") == "rollback" { "went back, with" } else { "rebuilt from" };
    let mut said = format!(
        "{}: {did} {} events, stands at position {}",
        text(rebuild, "name"),
        rebuild["events"],
        rebuild["position"],
    );
    if !rebuild["comparison"].is_null() {
        said = format!("{said}; {}", compared(rebuild));
    }
    say(&said);
}

/// What was given up.
pub(super) fn discarded(rebuild: &Value) {
    let name = text(rebuild, "name");
    say(&match (text(rebuild, "state"), rebuild["previous"].is_null()) {
        ("discarded", true) => format!("{name}: what was built is dropped"),
        ("discarded", false) => {
            format!("{name}: what was under way is given up; what was live before is kept")
        }
        _ => format!("{name}: what was live before is dropped"),
    });
}

/// What would change.
pub(super) fn diff(rebuild: &Value) {
    say(&format!(
        "{}: both at position {}",
        text(rebuild, "name"),
        rebuild["comparison"]["position"]
    ));
    say(&format!(
        "{:<28} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "table", "live", "built", "only live", "only built", "different"
    ));
    for table in tables(rebuild) {
        let numbers = ["liveRows", "nextRows", "onlyLive", "onlyNext", "different"];
        let [live, next, only_live, only_next, different] =
            numbers.map(|name| table[name].to_string());
        say(&format!(
            "{:<28} {live:>10} {next:>10} {only_live:>10} {only_next:>10} {different:>10}",
            text(table, "table")
        ));
    }
    for example in rebuild["examples"].as_array().into_iter().flatten() {
        let (table, key) = (text(example, "table"), &example["key"]);
        match (&example["live"], &example["next"]) {
            (_, Value::Null) => say(&format!("{table} {key}: only live")),
            (Value::Null, _) => say(&format!("{table} {key}: only built")),
            (live, next) => {
                say(&format!("{table} {key}:"));
                for column in example["columns"].as_array().into_iter().flatten() {
                    let column = column.as_str().unwrap_or_default();
                    say(&format!("    {column}: {} live, {} built", live[column], next[column]));
                }
            }
        }
    }
    say(if rebuild["comparison"]["isSame"] == true {
        "A rebuild would change nothing."
    } else {
        "Nothing was changed; `calotype projections rebuild` does."
    });
}

/// How far it is, beside the answer.
#[expect(clippy::print_stderr, reason = "standard output is what came of it and nothing else")]
pub(super) fn progress(rebuild: &Value) {
    eprintln!("{}", line(rebuild));
}

/// Why it did not come to its end.
pub(super) fn stopped(rebuild: &Value) -> String {
    let why = if rebuild["failure"].is_null() { line(rebuild) } else { failure(rebuild) };
    format!("{why}; the live tables are as before")
}

fn line(rebuild: &Value) -> String {
    let name = text(rebuild, "name");
    let (wish, state, stage) =
        (text(rebuild, "wish"), text(rebuild, "state"), text(rebuild, "stage"));
    let at = format!("position {} of {}", rebuild["position"], rebuild["target"]);
    let mut said = format!("{name}: {wish} is {state}");
    if ["running", "paused", "failed"].contains(&state) {
        said = format!("{said}, {stage}, at {at}");
    }
    if state == "running" {
        let rate = rebuild["eventsPerSecond"].as_f64().unwrap_or_default();
        said = format!("{said}, {rate:.0} events/s");
        if let Some(left) = rebuild["secondsLeft"].as_f64() {
            said = format!("{said}, {left:.0} s left");
        }
    }
    said
}

fn failure(rebuild: &Value) -> String {
    let failure = &rebuild["failure"];
    let (name, reason) = (text(rebuild, "name"), text(failure, "reason"));
    if failure["eventId"].is_null() {
        return format!("{name} stopped: {reason}");
    }
    format!(
        "{name} stopped at position {}: cannot apply {} {} of {}: {reason}",
        failure["position"],
        text(failure, "eventType"),
        text(failure, "eventId"),
        text(failure, "streamId"),
    )
}

fn compared(rebuild: &Value) -> String {
    let count = |name: &str| tables(rebuild).filter_map(|table| table[name].as_i64()).sum::<i64>();
    let differing = count("onlyLive") + count("onlyNext") + count("different");
    match differing {
        0 => format!("all {} rows are as they were", count("nextRows")),
        _ => format!(
            "{differing} rows differ from before: {} gone, {} new, {} other",
            count("onlyLive"),
            count("onlyNext"),
            count("different")
        ),
    }
}

fn tables(rebuild: &Value) -> impl Iterator<Item = &Value> {
    rebuild["comparison"]["tables"].as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
