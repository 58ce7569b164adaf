//! A comment or a like as Immich's REST API shows it.

use std::collections::HashMap;

use calotype_projections::activities::ActivityRow;
use calotype_projections::users::UserRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::dates;
use crate::problem::Problem;
use crate::state::Api;
use crate::users::dto::UserResponseDto;

/// A comment or a like.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActivityResponseDto {
    id: Uuid,
    #[schema(required)]
    asset_id: Option<Uuid>,
    created_at: String,
    #[serde(rename = "type")]
    kind: &'static str,
    user: UserResponseDto,
    /// `null` for a like.
    comment: Option<String>,
}

impl ActivityResponseDto {
    fn new(row: ActivityRow, user: UserRow) -> Self {
        Self {
            id: row.activity_id,
            asset_id: row.asset_id,
            created_at: dates::iso(row.created_at),
            kind: if row.is_like { "like" } else { "comment" },
            user: UserResponseDto::nested(user),
            comment: row.comment,
        }
    }

    /// Several, with the people asked for once.
    ///
    /// # Errors
    /// What the database said.
    pub(super) async fn list(api: &Api, rows: Vec<ActivityRow>) -> Result<Vec<Self>, Problem> {
        let mut user_ids: Vec<Uuid> = rows.iter().map(|row| row.user_id).collect();
        user_ids.sort_unstable();
        user_ids.dedup();
        let people: HashMap<Uuid, UserRow> = api
            .queries
            .accounts(&user_ids)
            .await?
            .into_iter()
            .map(|row| (row.user_id, row))
            .collect();
        let shown = rows.into_iter().filter_map(|row| {
            let user = people.get(&row.user_id)?.clone();
            Some(Self::new(row, user))
        });
        Ok(shown.collect())
    }
}
