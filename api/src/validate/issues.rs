//! Issues as Zod 4 words them.

use serde_json::{Value, json};

use super::spelling::UUID_PATTERN;

/// Zod's `invalid_type`.
#[must_use]
pub fn wrong_type(expected: &str, value: Option<&Value>, path: &[&str]) -> Value {
    json!({
        "expected": expected, "code": "invalid_type", "path": path,
        "message": format!("Invalid input: expected {expected}, received {}", received(value))
    })
}

/// Zod's `invalid_value` for a list of words.
#[must_use]
pub fn not_an_option(words: &[&str], path: &[&str]) -> Value {
    let listed: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    json!({
        "code": "invalid_value", "values": words, "path": path,
        "message": format!("Invalid option: expected one of {}", listed.join("|"))
    })
}

/// An issue with an item of a list.
pub(super) fn inside(mut issue: Value, name: &str, index: usize) -> Value {
    issue["path"] = json!([name, index]);
    issue
}

/// An identifier that is no UUID of version 4.
pub(super) fn bad_uuid(path: &[Value]) -> Value {
    json!({
        "origin": "string", "code": "invalid_format", "format": "uuid",
        "pattern": UUID_PATTERN, "path": path, "message": "Invalid UUID"
    })
}

/// What Zod calls the type of a value.
pub(super) fn received(value: Option<&Value>) -> &'static str {
    match value {
        None => "undefined",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "array",
        Some(Value::Object(_)) => "object",
    }
}
