//! What the lines of a page say, read from the read models in one or two questions.

use std::collections::{HashMap, HashSet};

use calotype_projections::albums::AlbumView;
use calotype_projections::assets::AssetRow;
use calotype_projections::memories::MemoryRow;
use calotype_projections::partners::PartnerRow;
use calotype_projections::people::{FaceRow, PersonRow};
use calotype_projections::stacks::StackRow;
use calotype_projections::sync::Entry;
use calotype_projections::texts::TextLine;
use calotype_projections::users::UserRow;
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::words::Entity;
use crate::faces::seen;
use crate::problem::Problem;
use crate::state::Api;

/// The rows behind the lines of a page.
pub(super) enum Content {
    /// The line's own key says all.
    Keys,
    /// Assets by id, and the stacks that they are in.
    Assets(HashMap<Uuid, AssetRow>, HashMap<Uuid, Uuid>),
    /// What the files of assets say, by id.
    Exifs(HashMap<Uuid, AssetRow>),
    /// Values that programs keep with assets, by asset and key.
    KeyValues(HashMap<(Uuid, String), Value>),
    /// Accounts by id.
    Users(HashMap<Uuid, UserRow>),
    /// The caller's account and how many bytes it stores.
    Own(Box<UserRow>, i64),
    /// Sharings by who shares and who sees it, as parts of keys spell them.
    Partners(HashMap<String, PartnerRow>),
    /// Albums by id.
    Albums(HashMap<Uuid, AlbumView>),
    /// Albums by id, for lines about their members.
    Members(HashMap<Uuid, AlbumView>),
    /// Stacks by id.
    Stacks(HashMap<Uuid, StackRow>),
    /// Memories by id.
    Memories(HashMap<Uuid, MemoryRow>),
    /// People by id.
    People(HashMap<Uuid, PersonRow>),
    /// Faces by id, and those among them that edits cut off.
    Faces(HashMap<Uuid, FaceRow>, HashSet<Uuid>),
    /// Lines of text by asset, and the assets.
    Texts(HashMap<Uuid, Vec<TextLine>>, HashMap<Uuid, AssetRow>),
    /// Lines of text that are gone, as of an instant.
    TextsGone(DateTime<Utc>),
    /// Edited photos by id.
    Edited(HashMap<Uuid, AssetRow>),
}

fn by_id<T>(rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> HashMap<Uuid, T> {
    rows.into_iter().map(|row| (id(&row), row)).collect()
}

/// Assets without those of others of which an event waits: it may have taken them away.
async fn shown(api: &Api, ids: &[Uuid], user_id: Uuid) -> Result<Vec<AssetRow>, Problem> {
    let mut rows = api.queries.assets(ids).await?;
    let foreign: Vec<Uuid> =
        rows.iter().filter(|row| row.owner_id != user_id).map(|row| row.asset_id).collect();
    if !foreign.is_empty() {
        let held_up = api.queries.held_up_assets(&foreign).await?;
        rows.retain(|row| !held_up.contains(&row.asset_id) || row.owner_id == user_id);
    }
    Ok(rows)
}

/// Reads what these entries are about, for somebody.
pub(super) async fn load(
    api: &Api,
    entity: Entity,
    entries: &[Entry],
    user_id: Uuid,
) -> Result<Content, Problem> {
    let mut ids: Vec<Uuid> = entries.iter().map(|entry| entry.id).collect();
    ids.sort_unstable();
    ids.dedup();
    let queries = &api.queries;
    Ok(match entity {
        entity if entity.is_of_assets() => {
            let rows = shown(api, &ids, user_id).await?;
            let stacks = queries.stacks_with(&ids).await?.into_iter().collect();
            Content::Assets(by_id(rows, |row| row.asset_id), stacks)
        }
        entity if entity.is_of_exifs() => {
            Content::Exifs(by_id(shown(api, &ids, user_id).await?, |row| row.asset_id))
        }
        Entity::AssetMetadataV1 => {
            let rows = queries.key_values(&ids).await?;
            let by_key = rows.into_iter().map(|row| ((row.asset_id, row.key), row.value));
            Content::KeyValues(by_key.collect())
        }
        Entity::UserV1 => Content::Users(by_id(queries.users(true).await?, |row| row.user_id)),
        Entity::AuthUserV1 | Entity::UserMetadataV1 => match queries.user(user_id).await? {
            Some(row) => Content::Own(Box::new(row), queries.usage_bytes(user_id).await?),
            None => Content::Keys,
        },
        Entity::PartnerV1 => {
            let rows = queries.all_partners_of(user_id).await?;
            let part = |row: &PartnerRow| format!("{} {}", row.shared_by_id, row.shared_with_id);
            Content::Partners(rows.into_iter().map(|row| (part(&row), row)).collect())
        }
        Entity::AlbumV1 | Entity::AlbumV2 => {
            Content::Albums(by_id(queries.albums(&ids).await?, |row| row.album_id))
        }
        Entity::AlbumUserV1 | Entity::AlbumUserBackfillV1 => {
            Content::Members(by_id(queries.albums(&ids).await?, |row| row.album_id))
        }
        Entity::StackV1 | Entity::PartnerStackV1 | Entity::PartnerStackBackfillV1 => {
            Content::Stacks(by_id(queries.stacks(&ids).await?, |row| row.stack_id))
        }
        Entity::MemoryV1 => {
            Content::Memories(by_id(queries.memories(&ids).await?, |row| row.memory_id))
        }
        Entity::PersonV1 => {
            Content::People(by_id(queries.people(&ids).await?, |row| row.person_id))
        }
        Entity::AssetFaceV2 => {
            let faces = queries.faces(&ids).await?;
            let mut asset_ids: Vec<Uuid> = faces.iter().map(|face| face.asset_id).collect();
            asset_ids.sort_unstable();
            asset_ids.dedup();
            let photos = by_id(queries.assets(&asset_ids).await?, |row| row.asset_id);
            let is_cut_off = |face: &&FaceRow| {
                let photo = photos.get(&face.asset_id);
                photo.is_some_and(|photo| seen((*face).clone(), photo).is_none())
            };
            let cut_off = faces.iter().filter(is_cut_off).map(|face| face.face_id).collect();
            Content::Faces(by_id(faces, |row| row.face_id), cut_off)
        }
        Entity::AssetOcrV1 => {
            let assets = by_id(queries.assets(&ids).await?, |row| row.asset_id);
            Content::Texts(queries.texts(&ids).await?, assets)
        }
        Entity::AssetOcrDeleteV1 => Content::TextsGone(api.commands.clock().now()),
        Entity::AssetEditV1 => {
            Content::Edited(by_id(queries.assets(&ids).await?, |row| row.asset_id))
        }
        _ => Content::Keys,
    })
}
