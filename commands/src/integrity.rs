//! Wishes about checks of the stored files, and the report of what they found.

use calotype_domain::asset::{AssetCommand, AssetError};
use calotype_domain::integrity::{
    Check, CheckWork, Integrity, IntegrityCheckDone, IntegrityCommand, IntegrityError,
};
use calotype_domain::{AssetId, UserId};
use calotype_eventstore::StreamId;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::context::CommandContext;
use crate::dispatch::{Commands, Outcome};
use crate::error::CommandError;
use crate::moves::{FileHolds, Held};

fn stream(check: Check) -> StreamId {
    StreamId::new("integrity", check.as_str())
}

impl Commands {
    /// Asks for a check.
    ///
    /// # Errors
    /// See [`CommandError`]; a check itself refuses nothing.
    pub async fn request_check(
        &self,
        ctx: &CommandContext,
        check: Check,
        work: CheckWork,
    ) -> Result<Outcome, CommandError<IntegrityError>> {
        let command = IntegrityCommand::Request(work);
        self.dispatch::<Integrity>(ctx, stream(check), None, &command).await
    }

    /// Records that a check was done.
    ///
    /// # Errors
    /// See [`CommandError`]; a check itself refuses nothing.
    pub async fn record_check(
        &self,
        ctx: &CommandContext,
        check: Check,
        done: IntegrityCheckDone,
    ) -> Result<Outcome, CommandError<IntegrityError>> {
        let command = IntegrityCommand::Record(done);
        self.dispatch::<Integrity>(ctx, stream(check), None, &command).await
    }

    /// Records that the missing file of an asset was put back.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn record_original_restored(
        &self,
        ctx: &CommandContext,
        by: UserId,
        asset_id: AssetId,
    ) -> Result<Outcome, CommandError<AssetError>> {
        self.bulk(ctx, &[asset_id], &[AssetCommand::RestoreOriginal { by }]).await
    }
}

/// One thing that a check found.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Finding {
    /// Its id, of version 7.
    pub id: Uuid,
    /// The check, by Immich's word.
    pub name: String,
    /// The asset, where it is about one.
    pub asset_id: Option<Uuid>,
    /// The file, by its place under the folder of originals.
    pub key: String,
}

/// What checks found: rows in `work.integrity_findings`, not events, because they say how a disk is.
#[derive(Clone, Debug)]
pub struct Findings {
    pool: PgPool,
    holds: FileHolds,
}

impl Findings {
    /// Over a pool whose role may write the `work` schema.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        let holds = FileHolds::new(pool.clone());
        Self { pool, holds }
    }

    pub(crate) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Takes an asset's files in hand before one is put back; nothing when somebody has them.
    ///
    /// # Errors
    /// What the database said.
    pub async fn hold_files(&self, asset_id: AssetId) -> Result<Option<Held>, sqlx::Error> {
        self.holds.hold(asset_id).await
    }

    /// Adds what was found; what is known stays as it is.
    ///
    /// # Errors
    /// What the database said; then none is added.
    pub async fn add(
        &self,
        check: Check,
        found: &[(Uuid, Option<Uuid>, String)],
        at: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        let ids: Vec<Uuid> = found.iter().map(|(id, ..)| *id).collect();
        let asset_ids: Vec<Option<Uuid>> = found.iter().map(|(_, asset_id, _)| *asset_id).collect();
        let keys: Vec<&str> = found.iter().map(|(.., key)| key.as_str()).collect();
        sqlx::query(
            "insert into work.integrity_findings (id, name, asset_id, key, found_at)
             select id, $1, asset_id, key, $5
               from unnest($2::uuid[], $3::uuid[], $4::text[]) as found (id, asset_id, key)
             on conflict (name, key) do nothing",
        )
        .bind(check.as_str())
        .bind(&ids)
        .bind(&asset_ids)
        .bind(&keys)
        .bind(at)
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Takes away what holds no longer.
    ///
    /// # Errors
    /// What the database said; then none is taken away.
    pub async fn settle(&self, check: Check, keys: &[String]) -> Result<(), sqlx::Error> {
        sqlx::query("delete from work.integrity_findings where name = $1 and key = any($2)")
            .bind(check.as_str())
            .bind(keys)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// Takes away what was found of an asset.
    ///
    /// # Errors
    /// What the database said.
    pub async fn settle_asset(&self, asset_id: Uuid) -> Result<(), sqlx::Error> {
        sqlx::query("delete from work.integrity_findings where asset_id = $1")
            .bind(asset_id)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// One finding.
    ///
    /// # Errors
    /// What the database said.
    pub async fn one(&self, id: Uuid) -> Result<Option<Finding>, sqlx::Error> {
        sqlx::query_as("select id, name, asset_id, key from work.integrity_findings where id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await
    }

    /// The findings of a check after one, oldest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn after(
        &self,
        check: Check,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<Finding>, sqlx::Error> {
        sqlx::query_as(
            "select id, name, asset_id, key from work.integrity_findings
              where name = $1 and id > $2 order by id limit $3",
        )
        .bind(check.as_str())
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await
    }

    /// Which of some assets a check found.
    ///
    /// # Errors
    /// What the database said.
    pub async fn of_assets(&self, asset_ids: &[Uuid]) -> Result<Vec<(Uuid, String)>, sqlx::Error> {
        sqlx::query_as(
            "select asset_id, name from work.integrity_findings where asset_id = any($1)",
        )
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await
    }

    /// How many findings each check has.
    ///
    /// # Errors
    /// What the database said.
    pub async fn counts(&self) -> Result<Vec<(String, i64)>, sqlx::Error> {
        sqlx::query_as("select name, count(*) from work.integrity_findings group by name")
            .fetch_all(&self.pool)
            .await
    }

    /// Up to which asset digests were compared; nil to begin at the first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn progress(&self, check: Check) -> Result<Uuid, sqlx::Error> {
        let found: Option<Uuid> =
            sqlx::query_scalar("select after from work.integrity_progress where name = $1")
                .bind(check.as_str())
                .fetch_optional(&self.pool)
                .await?;
        Ok(found.unwrap_or_default())
    }

    /// Remembers up to which asset digests were compared.
    ///
    /// # Errors
    /// What the database said.
    pub async fn set_progress(&self, check: Check, after: Uuid) -> Result<(), sqlx::Error> {
        sqlx::query(
            "insert into work.integrity_progress (name, after) values ($1, $2)
             on conflict (name) do update set after = excluded.after",
        )
        .bind(check.as_str())
        .bind(after)
        .execute(&self.pool)
        .await
        .map(drop)
    }
}
