//! Questions about what is written in assets.

use std::collections::HashMap;

use sqlx::types::Json;
use uuid::Uuid;

use super::row::TextLine;
use crate::error::ProjectionError;
use crate::query::Queries;

impl Queries {
    /// The lines of some assets, from the top. An asset without any is missing.
    ///
    /// # Errors
    /// What the database said.
    pub async fn texts(
        &self,
        asset_ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<TextLine>>, ProjectionError> {
        let rows: Vec<(Uuid, Json<Vec<TextLine>>)> =
            sqlx::query_as("select asset_id, lines from read.texts_v1 where asset_id = any($1)")
                .bind(asset_ids)
                .fetch_all(&self.pool)
                .await?;
        Ok(rows.into_iter().map(|(asset_id, Json(lines))| (asset_id, lines)).collect())
    }

    /// Assets with a preview after the given id, in the order of ids, but for those that this reader has read; all
    /// of them where none is given.
    ///
    /// # Errors
    /// What the database said.
    pub async fn to_read_after(
        &self,
        after: Uuid,
        read_by: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select a.asset_id
               from read.assets_v1 a
              where a.asset_id > $2 and a.preview_key is not null and a.visibility <> 'hidden'
                and not exists (select from read.texts_v1 t
                                 where t.asset_id = a.asset_id and t.reader_id = $1)
              order by a.asset_id
              limit $3",
        )
        .bind(read_by)
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }
}
