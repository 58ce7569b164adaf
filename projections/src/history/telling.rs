//! From a recorded event to what is told of it.

use calotype_domain::asset::AssetEvent;
use calotype_domain::catalogue::{self, AnyEvent};
use calotype_domain::person::PersonEvent;
use calotype_eventstore::{Payload, Recorded};
use serde_json::{Value, json};

use super::changes::{self, Change, Fields};
use super::sentence::sentence;
use crate::error::ProjectionError;

/// One event of a history, with its sentence.
#[derive(Clone, Debug)]
pub struct Told {
    /// The event as it was recorded, personal values readable.
    pub recorded: Recorded,
    /// Its payload, without what somebody logs in with.
    pub data: Value,
    /// What happened, in plain words.
    pub sentence: String,
    /// What fields of its object were and became.
    pub change: Change,
    /// From which address, where the event tells.
    pub address: Option<String>,
    /// Why, in the words of who did it, where the event tells.
    pub reason: Option<String>,
    /// Which program derived something, in which version, from bytes with which BLAKE3.
    pub derived_from: Option<(String, u32, String)>,
}

/// Payload members that no history shows, sealed or not: what somebody logs in with, or has bought.
const SECRETS: [&str; 5] =
    ["license", "password_hash", "pin_hash", "secret_sha256", "token_sha256"];
/// The member of a shared link's events that opens it.
const LINK_KEY: &str = "key";
/// The one that opens it where it has a name in addresses: that there is one is told, and not which.
const LINK_SLUG: &str = "slug";

/// What is told of an event. Without the fields of its object as they were before, only what they became is told.
///
/// # Errors
/// The event cannot be decoded.
pub(super) fn tell(
    mut recorded: Recorded,
    fields: Option<&mut Fields>,
) -> Result<Told, ProjectionError> {
    let aggregate = recorded.stream_id.aggregate();
    let payload = recorded.payload.as_str();
    let what = catalogue::decode(aggregate, &recorded.event_type, recorded.version, payload)
        .map_err(|source| ProjectionError::Decode { event_id: recorded.event_id, source })?;
    let mut data = recorded.payload.to_value().unwrap_or_default();
    if let Some(members) = data.as_object_mut() {
        let is_link = aggregate == "shared_link";
        let is_secret = |name: &str| SECRETS.contains(&name) || (is_link && name == LINK_KEY);
        members.retain(|name, _| !is_secret(name));
    }
    match aggregate {
        "config" => mask(&mut data),
        "shared_link" => data.get_mut(LINK_SLUG).into_iter().for_each(mask_slug),
        _ => {}
    }
    recorded.payload = Payload::from(&data);
    let change = match fields {
        Some(fields) => fields.take(&recorded.event_type, &data),
        None => changes::after(&recorded.event_type, &data),
    };
    let text = |value: &Value| {
        value.get("$seal").unwrap_or(value).as_str().filter(|it| !it.is_empty()).map(str::to_owned)
    };
    let visitor = &data["visitor"];
    let visitor = visitor.get("$seal").unwrap_or(visitor);
    Ok(Told {
        sentence: sentence(&what, &recorded.event_type),
        derived_from: derived_from(&what),
        address: text(&visitor["address"]),
        reason: text(&data["reason"]),
        change,
        data,
        recorded,
    })
}

/// Hides what is sealed: passwords and keys of other services in settings, and what opens a link.
fn mask(value: &mut Value) {
    match value {
        Value::Object(members) if members.contains_key("$seal") => {
            *value = json!({ "$sealed": true });
        }
        Value::Object(members) => members.values_mut().for_each(mask),
        Value::Array(values) => values.iter_mut().for_each(mask),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A link without a name in addresses says so.
fn mask_slug(slug: &mut Value) {
    match slug.get("$seal") {
        Some(Value::Null) => *slug = Value::Null,
        _ => mask(slug),
    }
}

fn derived_from(what: &AnyEvent) -> Option<(String, u32, String)> {
    if let AnyEvent::Person(PersonEvent::ThumbnailRecorded(made)) = what {
        let processor = &made.processor;
        return Some((processor.name.clone(), processor.version, made.input_blake3.clone()));
    }
    let AnyEvent::Asset(what) = what else { return None };
    let (processor, input) = match what {
        AssetEvent::MetadataRecorded(facts) => (&facts.processor, &facts.input_blake3),
        AssetEvent::ThumbnailsRecorded(made) => (&made.processor, &made.input_blake3),
        AssetEvent::EditedPicturesRecorded(made) => (&made.processor, &made.input_blake3),
        AssetEvent::FullSizeRecorded(made) => (&made.processor, &made.input_blake3),
        AssetEvent::ProcessingFailed(failed) => (&failed.processor, &failed.input_blake3),
        AssetEvent::VideoEncoded(made) => (&made.processor, &made.input_blake3),
        AssetEvent::VideoEncodingSkipped(left) => (&left.processor, &left.input_blake3),
        _ => return None,
    };
    Some((processor.name.clone(), processor.version, input.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_settings_are_not_told() {
        let mut data = json!({ "a": { "$seal": "secret" }, "b": [{ "$seal": 1 }], "c": "open" });
        mask(&mut data);
        let masked = json!({ "$sealed": true });
        assert_eq!(data, json!({ "a": masked, "b": [masked], "c": "open" }));
    }

    #[test]
    fn whether_a_link_has_a_name_is_told_and_not_which() {
        for (stored, told) in [
            (json!({ "$seal": "our-summer" }), json!({ "$sealed": true })),
            (json!({ "$seal": null }), Value::Null),
            (json!({ "$forgotten": true }), json!({ "$forgotten": true })),
        ] {
            let mut slug = stored;
            mask_slug(&mut slug);
            assert_eq!(slug, told);
        }
    }
}
