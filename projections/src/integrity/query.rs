//! Questions about checks, and about the files that the log speaks of.

use calotype_domain::asset::Stage;
use calotype_domain::integrity::{Check, CheckWork};
use sqlx::types::Json;
use uuid::Uuid;

use super::apply::work;
use crate::assets::Edited;
use crate::error::ProjectionError;
use crate::query::Queries;

/// A check that somebody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckDue {
    /// Which.
    pub check: Check,
    /// The revision of the request.
    pub number: i64,
    /// What is to be done.
    pub work: CheckWork,
}

/// The files of an asset that is stored here.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredFile {
    /// The asset.
    pub asset_id: Uuid,
    /// Whose it is.
    pub owner_id: Uuid,
    /// Key of the original.
    pub original_key: String,
    /// Key of the XMP file beside it.
    pub sidecar_key: Option<String>,
    /// Length of the original in bytes.
    pub size_bytes: i64,
    /// BLAKE3 of the original in lower-case hex.
    pub blake3: String,
}

/// What was made of an asset, by the keys of its blobs, and the steps that are not as they should be.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct MadeFiles {
    /// The asset.
    pub asset_id: Uuid,
    /// Key of the original's blob, or the absolute path of a file of an external library.
    pub original_key: String,
    thumbnail_key: Option<String>,
    preview_key: Option<String>,
    full_size_key: Option<String>,
    edited: Option<Json<Edited>>,
    encoded_key: Option<String>,
    /// Steps that wait, failed, or were taken off their queue.
    not_done: Vec<String>,
}

impl MadeFiles {
    /// The keys of what was made, each with the step that makes it; of steps that are done.
    pub fn keys(&self) -> impl Iterator<Item = (Stage, &str)> {
        let edited = self.edited.as_ref().and_then(|edited| edited.pictures.as_ref());
        let edited = edited.into_iter().flat_map(|made| {
            [&made.thumbnail_key, &made.preview_key, &made.full_size_key]
                .map(|key| (Stage::Edits, key))
        });
        [&self.thumbnail_key, &self.preview_key, &self.full_size_key]
            .into_iter()
            .flatten()
            .map(|key| (Stage::Thumbnails, key))
            .chain(edited)
            .chain(self.encoded_key.iter().map(|key| (Stage::Video, key)))
            .filter(|(stage, _)| !self.not_done.iter().any(|step| step == stage.as_str()))
            .map(|(stage, key)| (stage, key.as_str()))
    }
}

impl Queries {
    /// What was made of the assets after one, in the order of ids; those of external libraries, too, but for what
    /// is missing.
    ///
    /// # Errors
    /// What the database said.
    pub async fn made_after(
        &self,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<MadeFiles>, ProjectionError> {
        Ok(sqlx::query_as(
            "select asset_id, assets.original_key, assets.thumbnail_key, assets.preview_key,
                    assets.full_size_key, assets.edited, films.encoded_key,
                    coalesce(jobs.waiting || jobs.failed || jobs.missing, '{}') as not_done
               from read.assets_v1 as assets
               left join read.films_v1 as films using (asset_id)
               left join read.jobs_v2 as jobs using (asset_id)
              where asset_id > $1 and not assets.is_offline
              order by asset_id
              limit $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Checks that are to be done, in the order they were asked for.
    ///
    /// # Errors
    /// What the database said.
    pub async fn checks_due(&self) -> Result<Vec<CheckDue>, ProjectionError> {
        let rows: Vec<(String, i64, String)> = sqlx::query_as(
            "select name, number, work from read.integrity_works_v1 order by asked_at, number",
        )
        .fetch_all(&self.pool)
        .await?;
        let due = rows.into_iter().filter_map(|(name, number, word)| {
            let check = Check::named(&name)?;
            Some(CheckDue { check, number, work: work(&word) })
        });
        Ok(due.collect())
    }

    /// The assets that are stored here after one, in the order of ids.
    ///
    /// # Errors
    /// What the database said.
    pub async fn stored_after(
        &self,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<StoredFile>, ProjectionError> {
        Ok(sqlx::query_as(
            "select asset_id, owner_id, original_key, sidecar_key, size_bytes, blake3
               from read.assets_v1
              where asset_id > $1 and library_id is null order by asset_id limit $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Some of the assets that are stored here.
    ///
    /// # Errors
    /// What the database said.
    pub async fn stored(&self, asset_ids: &[Uuid]) -> Result<Vec<StoredFile>, ProjectionError> {
        Ok(sqlx::query_as(
            "select asset_id, owner_id, original_key, sidecar_key, size_bytes, blake3
               from read.assets_v1 where asset_id = any($1) and library_id is null",
        )
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// How many assets are stored here.
    ///
    /// # Errors
    /// What the database said.
    pub async fn stored_count(&self) -> Result<i64, ProjectionError> {
        Ok(sqlx::query_scalar("select count(*) from read.assets_v1 where library_id is null")
            .fetch_one(&self.pool)
            .await?)
    }
}
