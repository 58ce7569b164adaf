//! Questions about views of shared links.

use uuid::Uuid;

use super::view::LinkViewRow;
use crate::error::ProjectionError;
use crate::query::Queries;

impl Queries {
    /// Every link that a person ever made, also those that have ended; at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub(crate) async fn links_ever_of(
        &self,
        owner_id: Uuid,
        limit: i64,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select shared_link_id from read.viewed_links_v3 where owner_id = $1 limit $2",
        )
        .bind(owner_id)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Who looked at a link, last first; at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn views_of_link(
        &self,
        shared_link_id: Uuid,
        limit: i64,
    ) -> Result<Vec<LinkViewRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.link_views_v3
              where shared_link_id = $1
              order by viewed_at desc, link_view_id
              limit $2",
        )
        .bind(shared_link_id)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }
}
