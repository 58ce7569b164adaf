//! Lines as bytes: one JSON object each, with its type, its content and its ack.

use calotype_projections::sync::Entry;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::content::Content;
use super::dto::{SyncAssetExifV1, SyncAssetV2, SyncAuthUserV1, SyncUserV1};
use super::plan::Section;
use super::token::{self, Id, Said};
use super::words::Entity;
use crate::problem::Problem;

/// What a line takes, for the size of the first buffer.
const LINE_BYTES: usize = 768;

#[derive(Serialize)]
struct Line<'a, T> {
    #[serde(rename = "type")]
    kind: &'static str,
    data: T,
    ack: &'a str,
}

fn push(
    lines: &mut Vec<u8>,
    entity: Entity,
    data: impl Serialize,
    ack: &str,
) -> Result<(), Problem> {
    serde_json::to_writer(&mut *lines, &Line { kind: entity.word(), data, ack })
        .map_err(|error| Problem::internal(&error))?;
    lines.push(b'\n');
    Ok(())
}

/// A line without content.
pub(super) fn mark(lines: &mut Vec<u8>, entity: Entity, ack: &str) -> Result<(), Problem> {
    push(lines, entity, json!({}), ack)
}

/// The lines of a page. What was gone by the time it was read has none: its end is told next time.
pub(super) fn page(
    section: &Section,
    entries: &[Entry],
    content: &Content,
    user_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<u8>, Problem> {
    let mut lines = Vec::with_capacity(entries.len() * LINE_BYTES);
    for entry in entries {
        let change = Id::new(now, entry.change);
        let said = match section.since {
            Some(since) => Said::Backfill { since, change },
            None => Said::UpTo(change),
        };
        let ack = token::write(section.entity, said);
        line(&mut lines, section.entity, entry, content, user_id, &ack)?;
    }
    Ok(lines)
}

fn line(
    lines: &mut Vec<u8>,
    entity: Entity,
    entry: &Entry,
    content: &Content,
    user_id: Uuid,
    ack: &str,
) -> Result<(), Problem> {
    match (entity, content) {
        (Entity::AssetV2, Content::Assets(assets)) => match assets.get(&entry.id) {
            Some(row) => push(lines, entity, SyncAssetV2::of(row, user_id), ack),
            None => Ok(()),
        },
        (Entity::AssetExifV1, Content::Assets(assets)) => match assets.get(&entry.id) {
            Some(row) => push(lines, entity, SyncAssetExifV1::of(row), ack),
            None => Ok(()),
        },
        (Entity::UserV1, Content::Users(users)) => match users.get(&entry.id) {
            Some(row) => push(lines, entity, SyncUserV1::of(row), ack),
            None => Ok(()),
        },
        (Entity::AuthUserV1, Content::Own(Some(row), usage_bytes)) => {
            push(lines, entity, SyncAuthUserV1::of(row, *usage_bytes), ack)
        }
        (Entity::UserMetadataV1, Content::Own(Some(row), _)) => {
            let value = match entry.part.as_str() {
                "onboarding" => json!({ "isOnboarded": row.is_onboarded }),
                _ => row.preferences.clone(),
            };
            push(lines, entity, document(entry, Some(value)), ack)
        }
        (Entity::UserMetadataDeleteV1, _) => push(lines, entity, document(entry, None), ack),
        (Entity::AssetDeleteV1, _) => push(lines, entity, json!({ "assetId": entry.id }), ack),
        (Entity::UserDeleteV1, _) => push(lines, entity, json!({ "userId": entry.id }), ack),
        _ => Ok(()),
    }
}

fn document(entry: &Entry, value: Option<Value>) -> Value {
    let mut document = json!({ "userId": entry.id, "key": entry.part });
    if let Some(value) = value {
        document["value"] = value;
    }
    document
}
