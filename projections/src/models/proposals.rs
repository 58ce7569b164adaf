//! Whose faces would be if whole libraries were compared anew by the model in use: the proposal that was made last.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::query::Queries;

/// A proposal of whose faces would be. What it says of each face is told by the id.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FaceProposal {
    /// The event of the queue that asked for it.
    pub proposal_id: Uuid,
    /// The name of the model whose vectors were compared.
    pub model_name: String,
    /// Its revision.
    pub model_revision: String,
    /// SHA-256 of its file, lower-case hex.
    pub model_sha256: String,
    /// When it was begun.
    pub begun_at: DateTime<Utc>,
    /// When all libraries had been compared.
    pub compared_at: Option<DateTime<Utc>>,
    /// When everything was done that somebody agreed to.
    pub applied_at: Option<DateTime<Utc>>,
}

impl Queries {
    /// The proposal that was made last, or is being made.
    ///
    /// # Errors
    /// What the database said.
    pub async fn face_proposal(&self) -> Result<Option<FaceProposal>, ProjectionError> {
        Ok(sqlx::query_as(
            "select proposal_id, model_name, model_revision, model_sha256, begun_at, compared_at,
                    applied_at
               from work.face_proposals
              order by begun_at desc
              limit 1",
        )
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Photos of a proposal with a face that would be somebody else's or nobody's, after the given id, in the order
    /// of ids.
    ///
    /// # Errors
    /// What the database said.
    pub async fn photos_to_change_after(
        &self,
        proposal_id: Uuid,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select distinct asset_id
               from work.model_proposals
              where trial_id = $1 and asset_id > $2
                and (before_id is distinct from after_id or fresh is not null)
              order by asset_id
              limit $3",
        )
        .bind(proposal_id)
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }
}
