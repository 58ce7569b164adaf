//! What was sent and is no asset yet: uploads in pieces (`work.uploads`) and files of batches that wait for their
//! commit (`work.batch_files`). Rows, not events: lost, they cost an upload (docs/adr/0032).

use calotype_domain::{BatchId, UserId};
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

/// Who begins an upload is alone with this lock for as long as the limits are counted.
const BEGINNING_LOCK: i64 = 0x6361_6c6f_7475_7301;

/// An upload that is to be begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUpload {
    /// Its id.
    pub upload_id: Uuid,
    /// Whose the file will be.
    pub owner_id: UserId,
    /// Its length in bytes.
    pub length_bytes: i64,
    /// `Upload-Metadata` as the client sent it.
    pub metadata: String,
    /// Now.
    pub begun_at: DateTime<Utc>,
    /// When it is forgotten unless something comes.
    pub expires_at: DateTime<Utc>,
}

/// How much may be on its way at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadLimits {
    /// Uploads of one person.
    pub uploads_of_owner: i64,
    /// The lengths of one person's uploads, in bytes.
    pub bytes_of_owner: i64,
    /// Uploads of everybody.
    pub uploads: i64,
    /// What of everybody's uploads is still to come, in bytes: what the disk has room for.
    pub bytes_to_come: i64,
}

/// What came of beginning an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It is begun, or was before.
    Yes,
    /// Too many are on their way; of this person, or of everybody.
    TooMany,
    /// The disk has no room for all that is to come.
    NoRoom,
}

/// An upload.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct UploadRow {
    /// Its id.
    pub upload_id: Uuid,
    /// Whose the file will be.
    pub owner_id: Uuid,
    /// Its length in bytes.
    pub length_bytes: i64,
    /// Bytes that have come and are durable.
    pub offset_bytes: i64,
    /// `Upload-Metadata` as the client sent it.
    pub metadata: String,
    /// When it is forgotten unless more comes.
    pub expires_at: DateTime<Utc>,
    /// When the whole file was taken in.
    pub finished_at: Option<DateTime<Utc>>,
    /// The asset that it became, or that had these bytes; none for a file of a batch.
    pub asset_id: Option<Uuid>,
    /// Whether the asset was made of it.
    pub is_new: Option<bool>,
}

/// How much is on its way.
#[derive(sqlx::FromRow)]
struct OnTheWay {
    uploads_of_owner: i64,
    bytes_of_owner: i64,
    uploads: i64,
    bytes_to_come: i64,
}

impl OnTheWay {
    fn with(&self, new: &NewUpload, limits: UploadLimits) -> Begun {
        let is_full = self.uploads_of_owner >= limits.uploads_of_owner
            || self.bytes_of_owner.saturating_add(new.length_bytes) > limits.bytes_of_owner
            || self.uploads >= limits.uploads;
        if is_full {
            return Begun::TooMany;
        }
        if self.bytes_to_come.saturating_add(new.length_bytes) > limits.bytes_to_come {
            return Begun::NoRoom;
        }
        Begun::Yes
    }
}

/// What was sent and is no asset yet.
#[derive(Clone, Debug)]
pub struct IncomingFiles {
    pub(crate) pool: PgPool,
}

impl IncomingFiles {
    /// Over a pool whose role may write the `work` schema.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Begins an upload, where the limits leave room for it. One that was begun under this id stays as it is.
    ///
    /// # Errors
    /// What the database said.
    pub async fn begin(&self, new: &NewUpload, limits: UploadLimits) -> Result<Begun, sqlx::Error> {
        let mut tx = self.pool.begin().await?;
        sqlx::query("select pg_advisory_xact_lock($1)")
            .bind(BEGINNING_LOCK)
            .execute(&mut *tx)
            .await?;
        sqlx::query("delete from work.uploads where upload_id = $1 and expires_at < $2")
            .bind(new.upload_id)
            .bind(new.begun_at)
            .execute(&mut *tx)
            .await?;
        let is_there: bool =
            sqlx::query_scalar("select exists (select from work.uploads where upload_id = $1)")
                .bind(new.upload_id)
                .fetch_one(&mut *tx)
                .await?;
        if is_there {
            return Ok(Begun::Yes);
        }
        let on_the_way: OnTheWay = sqlx::query_as(
            "select count(*) filter (where owner_id = $1) as uploads_of_owner,
                    coalesce(sum(length_bytes) filter (where owner_id = $1), 0)::bigint
                        as bytes_of_owner,
                    count(*) as uploads,
                    coalesce(sum(length_bytes - offset_bytes), 0)::bigint as bytes_to_come
               from work.uploads
              where finished_at is null",
        )
        .bind(new.owner_id.uuid())
        .fetch_one(&mut *tx)
        .await?;
        let begun = on_the_way.with(new, limits);
        if begun != Begun::Yes {
            return Ok(begun);
        }
        sqlx::query(
            "insert into work.uploads
                 (upload_id, owner_id, length_bytes, offset_bytes, metadata, begun_at, expires_at)
             values ($1, $2, $3, 0, $4, $5, $6)",
        )
        .bind(new.upload_id)
        .bind(new.owner_id.uuid())
        .bind(new.length_bytes)
        .bind(&new.metadata)
        .bind(new.begun_at)
        .bind(new.expires_at)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(begun)
    }

    /// An upload.
    ///
    /// # Errors
    /// What the database said.
    pub async fn upload(&self, upload_id: Uuid) -> Result<Option<UploadRow>, sqlx::Error> {
        sqlx::query_as(
            "select upload_id, owner_id, length_bytes, offset_bytes, metadata, expires_at,
                    finished_at, asset_id, is_new
               from work.uploads
              where upload_id = $1",
        )
        .bind(upload_id)
        .fetch_optional(&self.pool)
        .await
    }

    /// Notes that so many bytes are durable.
    ///
    /// # Errors
    /// What the database said.
    pub async fn advance(
        &self,
        upload_id: Uuid,
        offset_bytes: i64,
        expires_at: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "update work.uploads set offset_bytes = $2, expires_at = $3 where upload_id = $1",
        )
        .bind(upload_id)
        .bind(offset_bytes)
        .bind(expires_at)
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Notes that the whole file was taken in.
    ///
    /// # Errors
    /// What the database said.
    pub async fn finish(
        &self,
        upload_id: Uuid,
        asset: Option<(Uuid, bool)>,
        now: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "update work.uploads set finished_at = $2, asset_id = $3, is_new = $4
              where upload_id = $1",
        )
        .bind(upload_id)
        .bind(now)
        .bind(asset.map(|(asset_id, _)| asset_id))
        .bind(asset.map(|(_, is_new)| is_new))
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Forgets an upload, where a time is given only if it is over by then. Whoever does so has its file in hand.
    /// Says whether there is none of this id any more.
    ///
    /// # Errors
    /// What the database said.
    pub async fn forget(
        &self,
        upload_id: Uuid,
        over_by: Option<DateTime<Utc>>,
    ) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar(
            "with gone as (
                 delete from work.uploads
                  where upload_id = $1 and ($2::timestamptz is null or expires_at < $2)
                 returning 1
             )
             select exists (select from gone)
                 or not exists (select from work.uploads where upload_id = $1)",
        )
        .bind(upload_id)
        .bind(over_by)
        .fetch_one(&self.pool)
        .await
    }

    /// Uploads that nothing came of for too long, oldest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn expired(&self, now: DateTime<Utc>, limit: i64) -> Result<Vec<Uuid>, sqlx::Error> {
        sqlx::query_scalar(
            "select upload_id from work.uploads where expires_at < $1 order by expires_at limit $2",
        )
        .bind(now)
        .bind(limit)
        .fetch_all(&self.pool)
        .await
    }

    /// All uploads of a person.
    ///
    /// # Errors
    /// What the database said.
    pub async fn uploads_of(&self, owner_id: UserId) -> Result<Vec<Uuid>, sqlx::Error> {
        sqlx::query_scalar("select upload_id from work.uploads where owner_id = $1")
            .bind(owner_id.uuid())
            .fetch_all(&self.pool)
            .await
    }

    /// Notes under which keys files of a batch will lie. Not waited for: where a power cut loses it, the check of
    /// untracked files finds the files.
    ///
    /// # Errors
    /// What the database said.
    pub async fn expected(
        &self,
        batch_id: BatchId,
        owner_id: UserId,
        keys: &[String],
        now: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        if keys.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "insert into work.batch_files (batch_id, key, owner_id, expected_at)
             select $1, key, $3, $4
               from set_config('synchronous_commit', 'off', true), unnest($2::text[]) as key
             on conflict (batch_id, key) do nothing",
        )
        .bind(batch_id.uuid())
        .bind(keys)
        .bind(owner_id.uuid())
        .bind(now)
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Notes that files of a batch wait for nothing any more.
    ///
    /// # Errors
    /// What the database said.
    pub async fn settled(&self, batch_id: BatchId, keys: &[String]) -> Result<(), sqlx::Error> {
        if keys.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "delete from work.batch_files using set_config('synchronous_commit', 'off', true)
              where batch_id = $1 and key = any($2)",
        )
        .bind(batch_id.uuid())
        .bind(keys)
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Batches after one, in the order of their ids, with files that were expected before and wait still.
    ///
    /// # Errors
    /// What the database said.
    pub async fn waiting_since(
        &self,
        before: DateTime<Utc>,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<Uuid>, sqlx::Error> {
        sqlx::query_scalar(
            "select distinct batch_id from work.batch_files
              where expected_at < $1 and batch_id > $2
              order by batch_id
              limit $3",
        )
        .bind(before)
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await
    }

    /// Files of a batch that were expected before and wait still.
    ///
    /// # Errors
    /// What the database said.
    pub async fn waiting_in(
        &self,
        batch_id: BatchId,
        before: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<String>, sqlx::Error> {
        sqlx::query_scalar(
            "select key from work.batch_files
              where batch_id = $1 and expected_at < $2 order by key limit $3",
        )
        .bind(batch_id.uuid())
        .bind(before)
        .bind(limit)
        .fetch_all(&self.pool)
        .await
    }

    /// Batches of a person with files that wait.
    ///
    /// # Errors
    /// What the database said.
    pub async fn batches_of(&self, owner_id: UserId) -> Result<Vec<Uuid>, sqlx::Error> {
        sqlx::query_scalar("select distinct batch_id from work.batch_files where owner_id = $1")
            .bind(owner_id.uuid())
            .fetch_all(&self.pool)
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_count_what_is_on_its_way_and_what_is_new() {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let new = NewUpload {
            upload_id: Uuid::nil(),
            owner_id: UserId::new(Uuid::nil()),
            length_bytes: 10,
            metadata: String::new(),
            begun_at: now,
            expires_at: now,
        };
        let limits =
            UploadLimits { uploads_of_owner: 2, bytes_of_owner: 30, uploads: 3, bytes_to_come: 40 };
        let begun = |uploads_of_owner, bytes_of_owner, uploads, bytes_to_come| {
            OnTheWay { uploads_of_owner, bytes_of_owner, uploads, bytes_to_come }.with(&new, limits)
        };
        assert_eq!(begun(1, 20, 2, 30), Begun::Yes);
        assert_eq!(begun(2, 20, 2, 30), Begun::TooMany);
        assert_eq!(begun(1, 21, 2, 30), Begun::TooMany);
        assert_eq!(begun(1, 20, 3, 30), Begun::TooMany);
        assert_eq!(begun(1, 20, 2, 31), Begun::NoRoom);
    }
}
