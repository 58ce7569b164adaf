//! Lines as bytes: one JSON object each, with its type, its content and its ack.

use calotype_domain::UserId;
use calotype_domain::access::{AlbumRole, Object, Reach, Viewer, check};
use calotype_domain::permission::Permission;
use calotype_projections::assets::AssetRow;
use calotype_projections::sync::Entry;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use super::content::Content;
use super::dto::{SyncAssetExifV1, SyncAssetV2, SyncAuthUserV1, SyncUserV1};
use super::edits::SyncAssetEditV1;
use super::keys;
use super::organized::{SyncAlbum, SyncAlbumUserV1, SyncMemoryV1, SyncStackV1};
use super::people::{SyncAssetFaceV2, SyncPersonV1};
use super::plan::Section;
use super::texts::{self, SyncAssetOcrV1};
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

/// Lines of one type that are being written.
struct Lines<'a> {
    bytes: &'a mut Vec<u8>,
    entity: Entity,
}

impl Lines<'_> {
    /// A line; none where there is nothing to say.
    fn push(&mut self, data: Option<impl Serialize>, ack: &str) -> Result<(), Problem> {
        let Some(data) = data else { return Ok(()) };
        serde_json::to_writer(&mut *self.bytes, &Line { kind: self.entity.word(), data, ack })
            .map_err(|error| Problem::internal(&error))?;
        self.bytes.push(b'\n');
        Ok(())
    }
}

/// A line without content.
pub(super) fn mark(bytes: &mut Vec<u8>, entity: Entity, ack: &str) -> Result<(), Problem> {
    Lines { bytes, entity }.push(Some(json!({})), ack)
}

/// The lines of a page. What was gone by the time it was read has none: its end is told next time.
pub(super) fn page(
    section: &Section,
    entries: &[Entry],
    content: &Content,
    viewer: &Viewer,
    now: DateTime<Utc>,
) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::with_capacity(entries.len() * LINE_BYTES);
    if let Some(ack) = section.opening.as_ref().filter(|_| !entries.is_empty()) {
        mark(&mut bytes, Entity::SyncAckV1, ack)?;
    }
    let mut lines = Lines { bytes: &mut bytes, entity: section.entity };
    for entry in entries {
        let change = Id::new(now, entry.change.max(section.floor));
        let said = match section.since {
            Some(since) => Said::Backfill { since, change },
            None => Said::UpTo(change),
        };
        let ack = token::write(section.entity, said);
        line(&mut lines, entry, content, viewer, &ack)?;
    }
    Ok(bytes)
}

fn line(
    lines: &mut Lines<'_>,
    entry: &Entry,
    content: &Content,
    viewer: &Viewer,
    ack: &str,
) -> Result<(), Problem> {
    let (entity, id) = (lines.entity, entry.id);
    match content {
        Content::Keys => lines.push(keys::content(entity, entry), ack),
        Content::Assets(rows, stacks) => {
            let row = rows.get(&id).filter(|row| is_shown(row, entity, viewer));
            let stack_id = stacks.get(&id).copied();
            let user_id = viewer.user_id.uuid();
            lines.push(row.map(|row| SyncAssetV2::of(row, user_id, stack_id)), ack)
        }
        Content::Exifs(rows) => {
            let row = rows.get(&id).filter(|row| is_shown(row, entity, viewer));
            lines.push(row.map(SyncAssetExifV1::of), ack)
        }
        Content::KeyValues(values) => {
            let value = values.get(&(id, entry.part.clone()));
            let data = |value| json!({ "assetId": id, "key": entry.part, "value": value });
            lines.push(value.map(data), ack)
        }
        Content::Users(rows) => lines.push(rows.get(&id).map(SyncUserV1::of), ack),
        Content::Own(row, usage_bytes) if entity == Entity::AuthUserV1 => {
            lines.push(Some(SyncAuthUserV1::of(row, *usage_bytes)), ack)
        }
        Content::Own(row, _) => {
            let value = match entry.part.as_str() {
                "onboarding" => json!({ "isOnboarded": row.is_onboarded }),
                _ => row.preferences.clone(),
            };
            lines.push(Some(json!({ "userId": id, "key": entry.part, "value": value })), ack)
        }
        Content::Partners(rows) => {
            let row = rows.get(&entry.part).map(|row| {
                json!({
                    "sharedById": row.shared_by_id,
                    "sharedWithId": row.shared_with_id,
                    "inTimeline": row.in_timeline,
                })
            });
            lines.push(row, ack)
        }
        Content::Albums(rows) => {
            lines.push(rows.get(&id).map(|row| SyncAlbum::of(row, entity)), ack)
        }
        Content::Members(rows) => {
            let row = rows.get(&id);
            lines.push(row.and_then(|row| SyncAlbumUserV1::of(row, &entry.part)), ack)
        }
        Content::Stacks(rows) => lines.push(rows.get(&id).and_then(SyncStackV1::of), ack),
        Content::Memories(rows) => lines.push(rows.get(&id).map(SyncMemoryV1::of), ack),
        Content::People(rows) => lines.push(rows.get(&id).map(SyncPersonV1::of), ack),
        Content::Faces(rows, cut_off) => {
            let is_visible = !cut_off.contains(&id);
            lines.push(rows.get(&id).map(|row| SyncAssetFaceV2::of(row, is_visible)), ack)
        }
        Content::Texts(found, assets) => {
            lines.push(SyncAssetOcrV1::find(found, assets, entry), ack)
        }
        Content::TextsGone(now) => lines.push(texts::gone(entry, *now), ack),
        Content::Edited(rows) => {
            let row = rows.get(&id);
            lines.push(row.and_then(|row| SyncAssetEditV1::find(row, &entry.part)), ack)
        }
    }
}

/// Whether the viewer may see an asset by the way that this type of line tells of. Their own they may: the
/// app keeps what is locked, and opens it itself.
fn is_shown(row: &AssetRow, entity: Entity, viewer: &Viewer) -> bool {
    if row.owner_id == viewer.user_id.uuid() {
        return true;
    }
    let by_partner = entity.is_by_partner();
    let reach = Reach {
        album: (!by_partner).then_some(AlbumRole::Viewer),
        is_partner: by_partner,
        by_link: false,
    };
    let Ok(visibility) = serde_json::from_value(Value::String(row.visibility.clone())) else {
        return false;
    };
    let object = Object::Asset {
        owner_id: UserId::new(row.owner_id),
        visibility,
        is_trashed: row.trashed_at.is_some(),
        reach,
    };
    check(viewer, Permission::AssetRead, object).is_ok()
}
