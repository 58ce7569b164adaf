//! Completes the generated document with what types do not say: which words a text may be, formats, limits,
//! and what of an object may be left out or `null`. `facts.json` holds that by component and parameter, as
//! Immich's document has it. Which operations, parameters and properties there are, and of which type, comes
//! from the code alone.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

/// Taken from the reference document: `cargo run -p calotype-tests --bin schemas -- . --facts FILE`.
const FACTS: &str = include_str!("facts.json");
/// What a schema says only where the facts do.
const EXACT: [&str; 9] = [
    "default",
    "format",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
];
const REFERENCE: &str = "#/components/schemas/";

/// The document, completed.
pub(crate) fn complete(mut document: Value) -> Value {
    let Ok(facts) = serde_json::from_str::<Value>(FACTS) else { return document };
    let mut used = BTreeSet::new();
    if let Some(schemas) =
        document.pointer_mut("/components/schemas").and_then(Value::as_object_mut)
    {
        for (name, schema) in schemas {
            if let Some(known) = facts["components"].get(name) {
                component(schema, known, &facts, &mut used);
            }
        }
    }
    if let Some(paths) = document["paths"].as_object_mut() {
        for operation in
            paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut)
        {
            let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
            binary(operation);
            describe(operation);
            // Looked at by index, a list that is not there would become `null`.
            let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
            for parameter in parameters.into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap_or_default().to_owned();
                let known = facts["parameters"].get(&id).map(|known| &known[name.as_str()]);
                if let (Some(schema), Some(known)) = (parameter.get_mut("schema"), known) {
                    refine(schema, known, &facts, &mut used);
                }
            }
        }
    }
    if let Some(schemas) =
        document.pointer_mut("/components/schemas").and_then(Value::as_object_mut)
    {
        for name in used {
            schemas.insert(name.clone(), facts["words"][name.as_str()].clone());
        }
    }
    document
}

/// Files are texts of any bytes to the document, not lists of numbers.
fn binary(operation: &mut Value) {
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    for response in responses.into_iter().flat_map(Map::values_mut) {
        if let Some(schema) = response.pointer_mut("/content/application~1octet-stream/schema") {
            *schema = json!({ "type": "string", "format": "binary" });
        }
    }
}

/// Each answer is described, which OpenAPI demands: where nobody found better words, by what its status means.
fn describe(operation: &mut Value) {
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    for (status, response) in responses.into_iter().flatten() {
        if let Some(response) = response.as_object_mut()
            && response.get("description").and_then(Value::as_str).is_none_or(str::is_empty)
        {
            response.insert("description".into(), meaning(status).into());
        }
    }
}

/// What a status means.
fn meaning(status: &str) -> &'static str {
    let status = status.parse().ok().and_then(|code| StatusCode::from_u16(code).ok());
    status.and_then(|status| status.canonical_reason()).unwrap_or("What happened")
}

/// The properties of a component, those it has of others included.
fn component(schema: &mut Value, known: &Value, facts: &Value, used: &mut BTreeSet<String>) {
    let parts = schema.get_mut("allOf").and_then(Value::as_array_mut);
    for part in parts.into_iter().flatten() {
        component(part, known, facts, used);
    }
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for (name, property) in &mut *properties {
        refine(property, &known["properties"][name.as_str()], facts, used);
    }
    let required: Vec<Value> = known["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|name| name.as_str().is_some_and(|name| properties.contains_key(name)))
        .cloned()
        .collect();
    schema["required"] = Value::Array(required);
}

/// Lays what is known over one schema.
fn refine(schema: &mut Value, known: &Value, facts: &Value, used: &mut BTreeSet<String>) {
    set_null(schema, false);
    if let Some(words) = known["words"].as_str() {
        used.insert(words.to_owned());
        *schema = json!({ "$ref": format!("{REFERENCE}{words}") });
    }
    if let Some(members) = schema.as_object_mut() {
        for name in EXACT {
            members.remove(name);
        }
        if let Some(pattern) = known["format"].as_str().and_then(|it| facts["patterns"].get(it)) {
            members.insert("pattern".into(), pattern.clone());
        }
        for (name, fact) in known.as_object().into_iter().flatten() {
            match fact {
                Value::Null => drop(members.remove(name)),
                _ if matches!(name.as_str(), "words" | "items" | "nullable") => {}
                fact => drop(members.insert(name.clone(), fact.clone())),
            }
        }
        if let Some(items) = members.get_mut("items") {
            refine(items, &known["items"], facts, used);
        }
    }
    if known["nullable"] == true {
        set_null(schema, true);
    }
}

/// Lets a schema take `null`, or not.
fn set_null(schema: &mut Value, wanted: bool) {
    let null = || json!("null");
    if let Some(kind) = schema.get_mut("type") {
        let mut kinds: Vec<Value> = match kind.take() {
            Value::Array(kinds) => kinds,
            one => vec![one],
        };
        kinds.retain(|kind| *kind != "null");
        kinds.extend(wanted.then(null));
        *kind = match kinds.as_slice() {
            [one] => one.clone(),
            _ => Value::Array(kinds),
        };
    } else if let Some(parts) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        parts.retain(|part| part["type"] != "null");
        if wanted {
            parts.push(json!({ "type": "null" }));
        } else if let [one] = parts.as_slice() {
            *schema = one.clone();
        }
    } else if wanted && schema.get("$ref").is_some() {
        *schema = json!({ "oneOf": [{ "type": "null" }, schema.take()] });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_described() {
        let document = json!({ "components": {}, "paths": { "/a": { "get": { "responses": {
            "204": {}, "200": { "description": "A thing." },
        } } } } });
        let operation = complete(document)["paths"]["/a"]["get"].clone();
        assert!(operation.get("parameters").is_none(), "a list that is no list");
        let answers = &operation["responses"];
        assert_eq!(answers["204"]["description"], "No Content");
        assert_eq!(answers["200"]["description"], "A thing.");
    }

    #[test]
    fn words_and_formats_are_laid_over() {
        let document = json!({ "paths": {}, "components": { "schemas": {
            "AssetResponseDto": {
                "properties": {
                    "visibility": { "type": "string" },
                    "createdAt": { "type": "string" },
                },
                "required": ["visibility", "createdAt"],
            },
            "UpdateAssetDto": { "properties": { "isFavorite": { "type": ["boolean", "null"] } } },
        }}});
        let schemas = complete(document)["components"]["schemas"].clone();
        let asset = &schemas["AssetResponseDto"]["properties"];
        assert_eq!(asset["visibility"]["$ref"], "#/components/schemas/AssetVisibility");
        assert_eq!(asset["createdAt"]["format"], "date-time");
        assert!(schemas["AssetVisibility"]["enum"].is_array());
        assert_eq!(schemas["UpdateAssetDto"]["properties"]["isFavorite"]["type"], "boolean");
    }
}
