//! Compares an OpenAPI document with the reference: operations, parameters, bodies, answers, and the schemas
//! behind them. Prose, examples and the names of parts that have no name in the reference do not count.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde_json::{Map, Value, json};

const REFERENCE: &str = "#/components/schemas/";
/// What a schema says of its values.
const FACTS: [&str; 11] = [
    "type",
    "nullable",
    "format",
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "minItems",
    "minLength",
    "maxLength",
    "default",
];

/// Every difference of the operations that both documents have, each as `place: what`.
///
/// A place within a schema that has a name in the reference begins with that name, and is told once.
///
/// # Errors
/// A document has no paths.
pub fn differences(reference: &Value, ours: &Value) -> anyhow::Result<BTreeSet<String>> {
    let mut comparison =
        Comparison { reference, ours, seen: BTreeSet::new(), found: BTreeSet::new() };
    let served = operations(ours)?;
    for (place, (path, wanted)) in operations(reference)? {
        if let Some((our_path, operation)) = served.get(&place) {
            comparison.operation(&path, wanted, our_path, operation);
        }
    }
    Ok(comparison.found)
}

type Operations<'a> = BTreeMap<String, (String, &'a Value)>;

/// Every operation by method and path without the names of its parameters.
fn operations(document: &Value) -> anyhow::Result<Operations<'_>> {
    let mut operations = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().context("a document without paths")? {
        let shape: Vec<&str> =
            path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
        for (method, operation) in methods.as_object().into_iter().flatten() {
            if operation["operationId"].is_string() {
                let place = format!("{method} {}", shape.join("/"));
                operations.insert(place, (path.clone(), operation));
            }
        }
    }
    Ok(operations)
}

struct Comparison<'a> {
    reference: &'a Value,
    ours: &'a Value,
    seen: BTreeSet<String>,
    found: BTreeSet<String>,
}

impl Comparison<'_> {
    fn differs(&mut self, place: &str, what: &str) {
        self.found.insert(format!("{place}: {what}"));
    }

    fn operation(&mut self, path: &str, wanted: &Value, our_path: &str, ours: &Value) {
        let id = wanted["operationId"].as_str().unwrap_or_default().to_owned();
        if ours["operationId"] != wanted["operationId"] {
            self.differs(&id, &format!("is called {}", ours["operationId"]));
        }
        if path != our_path {
            self.differs(&id, &format!("has the path {our_path}"));
        }
        let tag = |operation: &Value| {
            let tags = operation["tags"].as_array().into_iter().flatten();
            tags.filter(|tag| *tag != "Deprecated").cloned().collect::<Vec<_>>()
        };
        if tag(wanted) != tag(ours) {
            self.differs(&id, "has another tag");
        }
        self.parameters(&id, &wanted["parameters"], &ours["parameters"]);
        self.contents(&format!("{id} body"), &wanted["requestBody"], &ours["requestBody"]);
        let (wanted, ours) = (&wanted["responses"], &ours["responses"]);
        for status in names(wanted).union(&names(ours)) {
            let place = format!("{id} {status}");
            match (wanted.get(status), ours.get(status)) {
                (Some(wanted), Some(ours)) => self.contents(&place, wanted, ours),
                (Some(_), None) => self.differs(&place, "is missing"),
                _ => self.differs(&place, "should not be there"),
            }
        }
    }

    fn parameters(&mut self, id: &str, wanted: &Value, ours: &Value) {
        let by_name = |list: &Value| -> BTreeMap<String, Value> {
            let list = list.as_array().cloned().unwrap_or_default().into_iter();
            list.map(|it| (format!("{} {}", it["in"], it["name"]).replace('"', ""), it)).collect()
        };
        let (wanted, ours) = (by_name(wanted), by_name(ours));
        for name in wanted.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
            let place = format!("{id} {name}");
            match (wanted.get(name), ours.get(name)) {
                (Some(wanted), Some(ours)) => {
                    if wanted["required"].as_bool() != ours["required"].as_bool() {
                        self.differs(&place, "required differs");
                    }
                    self.schemas(&place, &wanted["schema"], &ours["schema"]);
                }
                (Some(_), None) => self.differs(&place, "is missing"),
                _ => self.differs(&place, "should not be there"),
            }
        }
    }

    /// Bodies by their type.
    fn contents(&mut self, place: &str, wanted: &Value, ours: &Value) {
        let (wanted, ours) = (&wanted["content"], &ours["content"]);
        for kind in names(wanted).union(&names(ours)) {
            match (wanted.get(kind), ours.get(kind)) {
                (Some(wanted), Some(ours)) => {
                    self.schemas(place, &wanted["schema"], &ours["schema"]);
                }
                (Some(_), None) => self.differs(place, &format!("{kind} is missing")),
                _ => self.differs(place, &format!("{kind} should not be there")),
            }
        }
    }

    fn schemas(&mut self, place: &str, wanted: &Value, ours: &Value) {
        let (name, wanted) = plain(self.reference, wanted);
        let (_, ours) = plain(self.ours, ours);
        let place = match name {
            Some(name) if !self.seen.insert(name.clone()) => return,
            Some(name) => name,
            None => place.to_owned(),
        };
        for fact in FACTS {
            let (wanted, ours) = (wanted.get(fact), ours.get(fact));
            if wanted != ours {
                let told = |value: Option<&Value>| value.map_or("nothing".into(), Value::to_string);
                self.differs(&place, &format!("{fact} is {} and not {}", told(ours), told(wanted)));
            }
        }
        let required = |schema: &Map<String, Value>| names_of(schema.get("required"));
        let (we, they) = (properties(&ours), properties(&wanted));
        for name in they.keys().chain(we.keys()).collect::<BTreeSet<_>>() {
            let inner = format!("{place}.{name}");
            match (they.get(name), we.get(name)) {
                (Some(wanted), Some(ours)) => self.schemas(&inner, wanted, ours),
                (Some(_), None) => self.differs(&inner, "is missing"),
                _ => self.differs(&inner, "should not be there"),
            }
        }
        for name in required(&wanted).symmetric_difference(&required(&ours)) {
            if they.contains_key(name) && we.contains_key(name) {
                self.differs(&format!("{place}.{name}"), "required differs");
            }
        }
        if let (Some(wanted), Some(ours)) = (wanted.get("items"), ours.get("items")) {
            self.schemas(&format!("{place}[]"), &wanted.clone(), &ours.clone());
        }
    }
}

fn names(object: &Value) -> BTreeSet<String> {
    object.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

fn names_of(list: Option<&Value>) -> BTreeSet<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn properties(schema: &Map<String, Value>) -> Map<String, Value> {
    schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// A schema in one spelling: references followed, parts joined, `null` as `nullable`. With its name, when
/// it has one and cannot be `null`.
fn plain(document: &Value, schema: &Value) -> (Option<String>, Map<String, Value>) {
    let mut schema = schema.as_object().cloned().unwrap_or_default();
    if let Some(name) =
        schema.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix(REFERENCE))
    {
        let (inner, mut found) = plain(document, &document["components"]["schemas"][name]);
        if schema.get("nullable") == Some(&json!(true)) {
            found.insert("nullable".into(), json!(true));
        }
        return (Some(inner.unwrap_or_else(|| name.to_owned())), found);
    }
    let mut name = None;
    for parts in ["allOf", "oneOf", "anyOf"] {
        let Some(Value::Array(parts)) = schema.remove(parts) else { continue };
        let is_one = parts.iter().filter(|part| part["type"] != "null").count() == 1;
        for part in parts {
            if part["type"] == "null" {
                schema.insert("nullable".into(), json!(true));
                continue;
            }
            let (found, part) = plain(document, &part);
            if is_one {
                name = found;
            }
            join(&mut schema, part);
        }
    }
    if let Some(Value::Array(kinds)) = schema.get("type").cloned() {
        let others: Vec<Value> = kinds.iter().filter(|kind| *kind != "null").cloned().collect();
        if others.len() < kinds.len() {
            schema.insert("nullable".into(), json!(true));
        }
        if let [one] = others.as_slice() {
            schema.insert("type".into(), one.clone());
        }
    }
    if schema.get("nullable") == Some(&json!(false)) {
        schema.remove("nullable");
    }
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
    if schema.contains_key("properties") {
        schema.insert("type".into(), json!("object"));
    }
    if schema.get("format").is_some_and(|format| format == "int32" || format == "int64") {
        schema.remove("format");
    }
    (name, schema)
}

/// Adds a part to a schema that is made of several.
fn join(schema: &mut Map<String, Value>, part: Map<String, Value>) {
    for (key, value) in part {
        match (schema.get_mut(&key), value) {
            (Some(Value::Object(members)), Value::Object(more)) => members.extend(more),
            (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
            (_, value) => drop(schema.insert(key, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "as it is written in place")]
    fn document(schema: Value) -> Value {
        json!({
            "paths": { "/a/{id}": { "get": {
                "operationId": "a", "tags": ["A"],
                "responses": { "200": { "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/A" } } } } },
            } } },
            "components": { "schemas": { "A": schema } },
        })
    }

    fn compared(wanted: Value, ours: Value) -> Vec<String> {
        let found = differences(&document(wanted), &document(ours)).unwrap();
        found.into_iter().collect()
    }

    #[test]
    fn spellings_do_not_count() {
        let wanted = json!({ "properties": { "x": { "type": "string", "nullable": true } },
                             "required": ["x"], "type": "object", "description": "words" });
        let ours =
            json!({ "properties": { "x": { "type": ["string", "null"] } }, "required": ["x"] });
        assert!(compared(wanted, ours).is_empty());
    }

    #[test]
    fn what_differs_is_told_by_the_name_of_its_schema() {
        let wanted =
            json!({ "properties": { "x": { "type": "string" }, "y": { "type": "integer" } } });
        let ours = json!({ "properties": { "x": { "type": "boolean" } } });
        assert_eq!(
            compared(wanted, ours),
            ["A.x: type is \"boolean\" and not \"string\"", "A.y: is missing"]
        );
    }
}
