//! What the lines of a page say, read from the read models in one question.

use std::collections::HashMap;

use calotype_projections::assets::AssetRow;
use calotype_projections::sync::Entry;
use calotype_projections::users::UserRow;
use uuid::Uuid;

use super::words::Entity;
use crate::problem::Problem;
use crate::state::Api;

/// The rows behind the lines of a page.
pub(super) enum Content {
    /// The line's own key says all.
    Nothing,
    /// Assets by id.
    Assets(HashMap<Uuid, AssetRow>),
    /// Accounts by id.
    Users(HashMap<Uuid, UserRow>),
    /// The caller's account and how many bytes it stores.
    Own(Option<Box<UserRow>>, i64),
}

/// Reads what these entries are about.
pub(super) async fn load(api: &Api, entity: Entity, entries: &[Entry]) -> Result<Content, Problem> {
    let ids: Vec<Uuid> = entries.iter().map(|entry| entry.id).collect();
    Ok(match entity {
        Entity::AssetV2 | Entity::AssetExifV1 => {
            let rows = api.queries.assets(&ids).await?;
            Content::Assets(rows.into_iter().map(|row| (row.asset_id, row)).collect())
        }
        Entity::UserV1 => {
            let rows = api.queries.users(true).await?;
            Content::Users(rows.into_iter().map(|row| (row.user_id, row)).collect())
        }
        Entity::AuthUserV1 | Entity::UserMetadataV1 => match ids.first() {
            Some(user_id) => {
                let row = api.queries.user(*user_id).await?;
                Content::Own(row.map(Box::new), api.queries.usage_bytes(*user_id).await?)
            }
            None => Content::Nothing,
        },
        _ => Content::Nothing,
    })
}
