//! Assets that show the same.

use uuid::Uuid;

use super::query::BLOCK_ASSETS;
use crate::error::ProjectionError;
use crate::query::Queries;
use crate::search::{Condition, Direction, OrderColumn, Scope, Search};

impl Queries {
    /// The assets of the same owner and kind that show the same as one: whose vectors are at most so far from
    /// its own, the nearest first, at most `limit`. The distance is one less the cosine of the angle between
    /// them. What is in the trash, hidden or locked is left out.
    ///
    /// # Errors
    /// What the database said.
    pub async fn same_as(
        &self,
        asset_id: Uuid,
        distance: f64,
        limit: usize,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        let facts: Option<(Uuid, bool)> =
            sqlx::query_as("select owner_id, is_video from read.search_v1 where asset_id = $1")
                .bind(asset_id)
                .fetch_optional(&self.pool)
                .await?;
        let (Some((owner_id, is_video)), Some(near)) = (facts, self.embedding_of(asset_id).await?)
        else {
            return Ok(Vec::new());
        };
        let search = Search {
            viewer_id: owner_id,
            scope: Scope::People(vec![owner_id]),
            conditions: vec![
                Condition::Trashed(false),
                Condition::Video(is_video),
                Condition::Visibility(vec!["timeline".to_owned(), "archive".to_owned()]),
            ],
            order: OrderColumn::default(),
            direction: Direction::default(),
            after: None,
            offset: 0,
            limit: 0,
        };
        let mut hits = self.ranked(&search, &near, BLOCK_ASSETS).await?;
        hits.truncate(BLOCK_ASSETS);
        let nearness = self.nearness(&near, &hits).await?;
        let mut same: Vec<(f64, Uuid)> = nearness
            .into_iter()
            .filter(|(other_id, nearness)| *other_id != asset_id && 1.0 - nearness <= distance)
            .map(|(other_id, nearness)| (nearness, other_id))
            .collect();
        same.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
        Ok(same.into_iter().take(limit).map(|(_, other_id)| other_id).collect())
    }

    /// Assets that have a vector after the given id, in the order of ids.
    ///
    /// # Errors
    /// What the database said.
    pub async fn embedded_after(
        &self,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select asset_id from read.embeddings_v1 where asset_id > $1 order by asset_id limit $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }
}
