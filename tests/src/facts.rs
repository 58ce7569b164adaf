//! What Immich's document says of words, formats and limits, by component and by parameter: what the types
//! of our code do not say. `api/src/document/facts.json` is this, and our document is completed with it.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use crate::media::{read_json, workspace};

/// What is taken over of a schema.
const KEPT: [&str; 10] = [
    "default",
    "format",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "nullable",
];
/// The patterns that nearly always go with a format.
const PATTERNS: [(&str, &str); 3] = [
    (
        "date",
        r"^(?:(?:\d\d[2468][048]|\d\d[13579][26]|\d\d0[48]|[02468][048]00|[13579][26]00)-02-29|\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|(?:02)-(?:0[1-9]|1\d|2[0-8])))$",
    ),
    (
        "date-time",
        r"^(?:(?:\d\d[2468][048]|\d\d[13579][26]|\d\d0[48]|[02468][048]00|[13579][26]00)-02-29|\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|(?:02)-(?:0[1-9]|1\d|2[0-8])))T(?:(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|([+-](?:[01]\d|2[0-3]):[0-5]\d)))$",
    ),
    (
        "uuid",
        r"^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12})$",
    ),
];
const REFERENCE: &str = "#/components/schemas/";

/// The facts of the reference document.
///
/// # Errors
/// The document cannot be read.
pub fn generate() -> anyhow::Result<Value> {
    let document = read_json(&workspace().join("schemas/immich/openapi.json"))?;
    let schemas = document["components"]["schemas"].as_object().context("no schemas")?;
    let mut words = Map::new();
    let mut components = Map::new();
    for (name, schema) in schemas {
        if schema["enum"].is_array() {
            words.insert(name.clone(), json!({ "type": schema["type"], "enum": schema["enum"] }));
        }
        let mut properties = Map::new();
        for (property, inner) in schema["properties"].as_object().into_iter().flatten() {
            insert(&mut properties, property, facts(inner, schemas));
        }
        let required = schema.get("required").cloned().unwrap_or_else(|| json!([]));
        let known = json!({ "required": required, "properties": properties });
        components.insert(name.clone(), known);
    }
    Ok(json!({
        "patterns": PATTERNS.into_iter().collect::<BTreeMap<_, _>>(),
        "words": words,
        "components": components,
        "parameters": parameters(&document, schemas)?,
    }))
}

fn parameters(document: &Value, schemas: &Map<String, Value>) -> anyhow::Result<Value> {
    let mut operations = Map::new();
    for methods in document["paths"].as_object().context("no paths")?.values() {
        for operation in methods.as_object().into_iter().flatten().map(|(_, operation)| operation) {
            let Some(id) = operation["operationId"].as_str() else { continue };
            let mut found = Map::new();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().context("a parameter without a name")?;
                insert(&mut found, name, facts(&parameter["schema"], schemas));
            }
            operations.insert(id.to_owned(), Value::Object(found));
        }
    }
    Ok(Value::Object(operations))
}

/// What is to be said of one schema.
fn facts(schema: &Value, schemas: &Map<String, Value>) -> Value {
    let mut facts = Map::new();
    for name in KEPT {
        if let Some(value) = schema.get(name) {
            facts.insert(name.to_owned(), value.clone());
        }
    }
    // What goes with a format need not be said each time.
    let format = schema["format"].as_str().unwrap_or_default();
    match (PATTERNS.iter().find(|(known, _)| *known == format), schema["pattern"].as_str()) {
        (Some((_, usual)), Some(pattern)) if pattern == *usual => {
            facts.remove("pattern");
        }
        (Some(_), None) => {
            facts.insert("pattern".into(), Value::Null);
        }
        _ => {}
    }
    let reference = match schema["allOf"].as_array().map(Vec::as_slice) {
        Some([one]) => &one["$ref"],
        _ => &schema["$ref"],
    };
    if let Some(name) = reference.as_str().and_then(|it| it.strip_prefix(REFERENCE))
        && schemas.get(name).is_some_and(|schema| schema["enum"].is_array())
    {
        facts.insert("words".into(), json!(name));
    }
    if let Some(items) = schema.get("items") {
        let items = self::facts(items, schemas);
        insert(&mut facts, "items", items);
    }
    Value::Object(facts)
}

fn insert(into: &mut Map<String, Value>, name: &str, value: Value) {
    if value.as_object().is_some_and(|members| !members.is_empty()) {
        into.insert(name.to_owned(), value);
    }
}
