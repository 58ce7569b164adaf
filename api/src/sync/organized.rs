//! Albums, stacks and memories as the mobile app keeps them.

use calotype_projections::albums::AlbumView;
use calotype_projections::memories::MemoryRow;
use calotype_projections::stacks::StackRow;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::words::Entity;
use crate::dates;

/// An album; of the first version with its owner, whom the second tells among the members.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SyncAlbum {
    id: Uuid,
    name: String,
    description: String,
    created_at: String,
    updated_at: String,
    thumbnail_asset_id: Option<Uuid>,
    is_activity_enabled: bool,
    order: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_id: Option<Uuid>,
}

impl SyncAlbum {
    /// Of a row, for a type of line.
    pub(super) fn of(row: &AlbumView, entity: Entity) -> Self {
        Self {
            id: row.album_id,
            name: row.name.clone(),
            description: row.description.clone(),
            created_at: dates::iso(row.created_at),
            updated_at: dates::iso(row.updated_at),
            thumbnail_asset_id: row.cover_id,
            is_activity_enabled: row.is_activity_enabled,
            order: row.sort_order.clone(),
            owner_id: row.owner_id().filter(|_| entity == Entity::AlbumV1),
        }
    }
}

/// Somebody's part in an album.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SyncAlbumUserV1<'a> {
    album_id: Uuid,
    user_id: Uuid,
    role: &'a str,
}

impl<'a> SyncAlbumUserV1<'a> {
    /// Of an album's row; none when they have no part in it by now.
    pub(super) fn of(row: &'a AlbumView, user_id: &str) -> Option<Self> {
        let user_id = Uuid::try_parse(user_id).ok()?;
        let at = row.member_ids.iter().position(|member_id| *member_id == user_id)?;
        Some(Self { album_id: row.album_id, user_id, role: row.member_roles.get(at)? })
    }
}

/// A stack.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SyncStackV1 {
    id: Uuid,
    created_at: String,
    updated_at: String,
    primary_asset_id: Uuid,
    owner_id: Uuid,
}

impl SyncStackV1 {
    /// Of a row; none when it is dissolved by now.
    pub(super) fn of(row: &StackRow) -> Option<Self> {
        Some(Self {
            id: row.stack_id,
            created_at: dates::iso(row.created_at),
            updated_at: dates::iso(row.updated_at),
            primary_asset_id: row.primary_asset_id?,
            owner_id: row.owner_id,
        })
    }
}

/// A memory.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SyncMemoryV1 {
    id: Uuid,
    created_at: String,
    updated_at: String,
    /// Always `null`: a deleted one is told as gone.
    deleted_at: Option<()>,
    owner_id: Uuid,
    #[serde(rename = "type")]
    kind: &'static str,
    data: Value,
    is_saved: bool,
    memory_at: String,
    seen_at: Option<String>,
    show_at: Option<String>,
    hide_at: Option<String>,
}

impl SyncMemoryV1 {
    /// Of a row.
    pub(super) fn of(row: &MemoryRow) -> Self {
        Self {
            id: row.memory_id,
            created_at: dates::iso(row.created_at),
            updated_at: dates::iso(row.updated_at),
            deleted_at: None,
            owner_id: row.owner_id,
            kind: "on_this_day",
            data: json!({ "year": row.year }),
            is_saved: row.is_saved,
            memory_at: dates::iso(row.memory_at),
            seen_at: row.seen_at.map(dates::iso),
            show_at: row.show_at.map(dates::iso),
            hide_at: row.hide_at.map(dates::iso),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn album() -> AlbumView {
        let owner_id = "78013aee-9bc1-47c8-918f-da50df335899".parse().unwrap();
        AlbumView {
            album_id: "85db6be3-a746-4280-9781-c5eeda04949c".parse().unwrap(),
            name: "Renamed".into(),
            description: "d".into(),
            sort_order: "asc".into(),
            is_activity_enabled: true,
            member_ids: vec![owner_id],
            member_roles: vec!["owner".into()],
            created_at: "2026-11-22T08:24:28.845Z".parse().unwrap(),
            updated_at: "2026-11-22T08:24:29.017Z".parse().unwrap(),
            asset_count: 1,
            start_at: None,
            end_at: None,
            assets_changed_at: None,
            cover_id: Some("91da1ac8-0dfd-45f4-9efc-16416a8dea30".parse().unwrap()),
        }
    }

    #[test]
    fn albums_are_written_as_recorded() {
        let first = serde_json::to_string(&SyncAlbum::of(&album(), Entity::AlbumV1)).unwrap();
        let second = concat!(
            r#"{"id":"85db6be3-a746-4280-9781-c5eeda04949c","name":"Renamed","description":"d","#,
            r#""createdAt":"2026-11-22T08:24:28.845Z","updatedAt":"2026-11-22T08:24:29.017Z","#,
            r#""thumbnailAssetId":"91da1ac8-0dfd-45f4-9efc-16416a8dea30","isActivityEnabled":true,"#,
            r#""order":"asc""#,
        );
        let owner = r#","ownerId":"78013aee-9bc1-47c8-918f-da50df335899"}"#;
        assert_eq!(first, format!("{second}{owner}"));
        let written = serde_json::to_string(&SyncAlbum::of(&album(), Entity::AlbumV2)).unwrap();
        assert_eq!(written, format!("{second}}}"));
    }

    #[test]
    fn who_left_an_album_has_no_part_in_it() {
        let album = album();
        assert!(SyncAlbumUserV1::of(&album, &Uuid::nil().to_string()).is_none());
        let owner = SyncAlbumUserV1::of(&album, "78013aee-9bc1-47c8-918f-da50df335899").unwrap();
        assert_eq!(owner.role, "owner");
    }
}
