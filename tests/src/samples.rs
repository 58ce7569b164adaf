//! The smallest value that a schema of the document takes, and values that it just does not take.

use serde_json::{Map, Value, json};

const REFERENCE: &str = "#/components/schemas/";
/// An id that names nothing.
pub const NO_ID: &str = "00000000-0000-4000-8000-000000000000";
/// How deep bodies are looked into.
const DEPTH_MAX: usize = 6;
/// The longest text or list that is sent only to be too long.
const TOO_LONG_MAX: u64 = 20_000;

/// A body or parameter that is wrong in one place.
#[derive(Clone, Debug)]
pub struct Wrong {
    /// Where: the issue of the answer must name it.
    pub path: Vec<Value>,
    /// What is wrong, for people.
    pub what: String,
    /// The whole value, wrong in that place only.
    pub value: Value,
}

/// A schema with its reference followed; with all members of its parts, and those of the first of several
/// that it may be.
#[must_use]
pub fn resolved(document: &Value, schema: &Value) -> Map<String, Value> {
    let mut found = Map::new();
    let mut add = |part: &Value| {
        for (name, value) in resolved(document, part) {
            match (found.get_mut(&name), value) {
                (Some(Value::Object(members)), Value::Object(more)) => members.extend(more),
                (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
                (_, value) => drop(found.insert(name, value)),
            }
        }
    };
    if let Some(name) = schema["$ref"].as_str().and_then(|it| it.strip_prefix(REFERENCE)) {
        add(&document["components"]["schemas"][name]);
        return found;
    }
    schema["allOf"].as_array().into_iter().flatten().for_each(&mut add);
    for parts in ["oneOf", "anyOf"] {
        // A word that says which of them it is has the first one's value, too.
        let mut parts = schema[parts].as_array().into_iter().flatten();
        parts.find(|part| part["type"] != "null").into_iter().for_each(&mut add);
    }
    if let Some(members) = schema.as_object() {
        let own = members.iter().filter(|(name, _)| !name.ends_with("Of"));
        found.extend(own.map(|(name, value)| (name.clone(), value.clone())));
    }
    found
}

/// The smallest value that a schema takes.
#[must_use]
pub fn sample(document: &Value, schema: &Value) -> Value {
    sample_within(document, schema, DEPTH_MAX)
}

fn sample_within(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = Value::Object(resolved(document, schema));
    if let Some(word) = schema["enum"].get(0) {
        return word.clone();
    }
    match kind(&schema) {
        "string" => json!(text(&schema)),
        "integer" => json!(schema["minimum"].as_i64().unwrap_or(1)),
        "number" => json!(schema["minimum"].as_f64().unwrap_or(1.0)),
        "boolean" => json!(false),
        "array" => {
            let items = schema["minItems"].as_u64().unwrap_or(0);
            let item = sample_within(document, &schema["items"], depth.saturating_sub(1));
            (0..items).map(|_| item.clone()).collect()
        }
        _ if depth == 0 => json!({}),
        _ => {
            let required = schema["required"].as_array().into_iter().flatten();
            let members = required.filter_map(Value::as_str).map(|name| {
                let property = &schema["properties"][name];
                (name.to_owned(), sample_within(document, property, depth - 1))
            });
            Value::Object(members.collect())
        }
    }
}

fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("")
        }
        _ => "",
    }
}

fn text(schema: &Value) -> String {
    match schema["format"].as_str() {
        Some("uuid") => return NO_ID.into(),
        Some("date-time") => return "2024-01-01T00:00:00.000Z".into(),
        Some("date") => return "2024-01-01".into(),
        Some("email") => return "somebody@example.com".into(),
        Some("uri") => return "http://localhost".into(),
        _ => {}
    }
    if schema["pattern"].as_str().is_some_and(|pattern| pattern.contains("\\d{6}")) {
        return "123456".into();
    }
    let chars = schema["minLength"].as_u64().unwrap_or(1).max(1);
    "x".repeat(usize::try_from(chars).unwrap_or(1))
}

/// Every value that breaks one limit, or is no word of the list, of a schema or of what lies inside it.
#[must_use]
pub fn wrong_values(document: &Value, schema: &Value) -> Vec<Wrong> {
    within(document, schema, DEPTH_MAX)
}

fn within(document: &Value, schema: &Value, depth: usize) -> Vec<Wrong> {
    let schema = Value::Object(resolved(document, schema));
    let mut found = beyond(document, &schema);
    if depth == 0 {
        return found;
    }
    let base = sample(document, &schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        for mut wrong in within(document, property, depth - 1) {
            let mut whole = base.clone();
            whole[name] = wrong.value;
            wrong.path.insert(0, json!(name));
            found.push(Wrong { value: whole, ..wrong });
        }
    }
    if let Some(items) = schema.get("items") {
        for mut wrong in within(document, items, depth - 1) {
            wrong.path.insert(0, json!(0));
            found.push(Wrong { value: json!([wrong.value]), ..wrong });
        }
    }
    found
}

/// What a schema itself does not take.
fn beyond(document: &Value, schema: &Value) -> Vec<Wrong> {
    let mut found = Vec::new();
    let mut add = |what: String, value: Value| found.push(Wrong { path: vec![], what, value });
    if schema["enum"].is_array() {
        add("no word of the list".into(), json!("no-such-word"));
    }
    if let Some(minimum) = schema["minimum"].as_f64() {
        add(format!("below {minimum}"), less(&schema["minimum"]));
    }
    if let Some(maximum) = schema["maximum"].as_f64() {
        add(format!("above {maximum}"), more(&schema["maximum"]));
    }
    let repeated = |count: u64| "x".repeat(usize::try_from(count).unwrap_or_default());
    if let Some(length) = schema["minLength"].as_u64().filter(|length| *length > 0) {
        add(format!("shorter than {length}"), json!(repeated(length - 1)));
    }
    if let Some(length) = schema["maxLength"].as_u64().filter(|length| *length < TOO_LONG_MAX) {
        add(format!("longer than {length}"), json!(repeated(length + 1)));
    }
    let item = sample(document, &schema["items"]);
    let list = |count: u64| (0..count).map(|_| item.clone()).collect::<Value>();
    if let Some(items) = schema["minItems"].as_u64().filter(|items| *items > 0) {
        add(format!("fewer than {items} items"), list(items - 1));
    }
    if let Some(items) = schema["maxItems"].as_u64().filter(|items| *items < TOO_LONG_MAX) {
        add(format!("more than {items} items"), list(items + 1));
    }
    found
}

fn less(limit: &Value) -> Value {
    limit
        .as_i64()
        .map_or_else(|| json!(limit.as_f64().unwrap_or_default() - 1.0), |it| json!(it - 1))
}

fn more(limit: &Value) -> Value {
    limit
        .as_i64()
        .map_or_else(|| json!(limit.as_f64().unwrap_or_default() + 1.0), |it| json!(it + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_broken_alone() {
        let document = json!({ "components": { "schemas": {
            "Size": { "type": "integer", "minimum": 1, "maximum": 5 },
        } } });
        let schema = json!({
            "type": "object", "required": ["name", "size"],
            "properties": {
                "name": { "type": "string", "minLength": 1 },
                "size": { "$ref": "#/components/schemas/Size" },
            },
        });
        let wrong = wrong_values(&document, &schema);
        let told: Vec<String> =
            wrong.iter().map(|wrong| format!("{}: {}", wrong.what, wrong.value)).collect();
        assert_eq!(
            told,
            [
                r#"shorter than 1: {"name":"","size":1}"#,
                r#"below 1: {"name":"x","size":0}"#,
                r#"above 5: {"name":"x","size":6}"#,
            ]
        );
    }
}
