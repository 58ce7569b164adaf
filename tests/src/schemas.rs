//! The published shape of each event: the JSON Schema of its payload, without the prose.
//! A reworded comment changes nothing here, a new field does.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Context as _;
use calotype_domain::catalogue;
use serde_json::{Map, Value};

/// Keywords that only tell a reader something.
const PROSE: [&str; 3] = ["description", "title", "$comment"];
/// Keywords whose value is a map from a name to a schema.
const MAPS: [&str; 4] = ["properties", "patternProperties", "$defs", "definitions"];
/// Keywords whose value is a list of schemas.
const LISTS: [&str; 4] = ["oneOf", "anyOf", "allOf", "prefixItems"];
/// Keywords whose value is a schema.
const SINGLES: [&str; 4] = ["items", "additionalProperties", "not", "propertyNames"];

/// What stands above the tables.
const PAGE_HEAD: &str = "\
# Events

Everything that can have happened, by the aggregate whose stream holds it. Generated from the code by
`cargo xtask schemas --write`. Released events never change: a new shape is a new version, and older ones
are read through upcasters (ADR 0004). Personal values are sealed with the key of the person they are about.
";

/// File name to content, for the newest version of every event.
///
/// # Errors
/// When a schema cannot be written as JSON.
pub fn generate() -> anyhow::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for (_, event_type, version, schema) in catalogue::schemas() {
        let mut schema = serde_json::to_value(schema)
            .with_context(|| format!("the schema of {event_type} is no JSON"))?;
        strip(&mut schema);
        schema.sort_all_objects();
        let text = serde_json::to_string_pretty(&schema)?;
        files.insert(format!("{event_type}.v{version}.json"), format!("{text}\n"));
    }
    Ok(files)
}

/// What every event says, as a page for people: one table for each aggregate.
///
/// # Errors
/// When a schema cannot be written as JSON.
pub fn page() -> anyhow::Result<String> {
    let mut page = PAGE_HEAD.to_owned();
    let mut events = catalogue::schemas();
    events.sort_by_key(|(aggregate, event_type, version, _)| (*aggregate, *event_type, *version));
    let mut last = "";
    for (aggregate, event_type, version, schema) in events {
        if aggregate != last {
            write!(page, "\n## {aggregate}\n\n| Event | What it says | Fields |\n|---|---|---|\n")?;
            last = aggregate;
        }
        let schema = serde_json::to_value(schema)
            .with_context(|| format!("the schema of {event_type} is no JSON"))?;
        let said = schema["description"].as_str().unwrap_or_default();
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
        let fields = schema["properties"].as_object().map(|fields| {
            fields.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        });
        let fields = fields.unwrap_or_default();
        let file = format!("{event_type}.v{version}");
        writeln!(page, "| [{file}](../schemas/events/{file}.json) | {said} | {fields} |")?;
    }
    Ok(page)
}

/// Removes annotations from a schema and those within it. A property that is called `description` stays.
fn strip(schema: &mut Value) {
    let Value::Object(schema) = schema else { return };
    for keyword in PROSE {
        schema.remove(keyword);
    }
    for keyword in MAPS {
        if let Some(Value::Object(named)) = schema.get_mut(keyword) {
            named.values_mut().for_each(strip);
        }
    }
    for keyword in LISTS {
        if let Some(Value::Array(listed)) = schema.get_mut(keyword) {
            listed.iter_mut().for_each(strip);
        }
    }
    for keyword in SINGLES {
        if let Some(single) = schema.get_mut(keyword) {
            strip(single);
        }
    }
    drop_empty(schema);
}

/// What described nothing but prose would be an empty list.
fn drop_empty(schema: &mut Map<String, Value>) {
    for keyword in MAPS {
        if schema.get(keyword).and_then(Value::as_object).is_some_and(Map::is_empty) {
            schema.remove(keyword);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn prose_goes_and_a_property_of_that_name_stays() {
        let mut schema = json!({
            "title": "AssetDescriptionChanged",
            "description": "A person wrote a caption.",
            "properties": { "description": { "description": "The caption.", "type": "string" } },
            "$defs": { "Word": { "title": "Word", "oneOf": [{ "const": "a", "description": "A." }] } },
        });

        strip(&mut schema);

        assert_eq!(
            schema,
            json!({
                "properties": { "description": { "type": "string" } },
                "$defs": { "Word": { "oneOf": [{ "const": "a" }] } },
            })
        );
    }

    #[test]
    fn every_event_has_one_file() {
        let files = generate().unwrap();

        assert_eq!(files.len(), catalogue::schemas().len());
        assert!(files.contains_key("AssetUploaded.v1.json"));
    }

    #[test]
    fn page_names_every_event_once() {
        let page = page().unwrap();

        for (_, event_type, version, _) in catalogue::schemas() {
            assert_eq!(page.matches(&format!("[{event_type}.v{version}]")).count(), 1);
        }
    }
}
