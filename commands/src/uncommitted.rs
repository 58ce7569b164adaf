//! How much was sent into batches and is not committed yet: it counts against its owner's quota, so that nobody fills
//! the disk with files that never become theirs.

use calotype_domain::{BatchId, UserId};
use chrono::{DateTime, Utc};

use crate::incoming::IncomingFiles;

impl IncomingFiles {
    /// Notes that files of a batch lie under their keys, and how long each is in bytes. Not waited for, as
    /// [`IncomingFiles::expected`].
    ///
    /// # Errors
    /// What the database said.
    pub async fn arrived(
        &self,
        batch_id: BatchId,
        owner_id: UserId,
        files: &[(String, i64)],
        now: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        if files.is_empty() {
            return Ok(());
        }
        let (keys, sizes): (Vec<&str>, Vec<i64>) =
            files.iter().map(|(key, size_bytes)| (key.as_str(), *size_bytes)).unzip();
        sqlx::query(
            "insert into work.batch_files (batch_id, key, owner_id, expected_at, size_bytes)
             select $1, file.key, $3, $4, file.size_bytes
               from set_config('synchronous_commit', 'off', true),
                    unnest($2::text[], $5::bigint[]) as file (key, size_bytes)
             on conflict (batch_id, key) do update set size_bytes = excluded.size_bytes",
        )
        .bind(batch_id.uuid())
        .bind(keys)
        .bind(owner_id.uuid())
        .bind(now)
        .bind(sizes)
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Bytes of a person's files that wait for their commit, as far as they were noted.
    ///
    /// # Errors
    /// What the database said.
    pub async fn uncommitted_bytes(&self, owner_id: UserId) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(
            "select coalesce(sum(size_bytes), 0)::bigint from work.batch_files where owner_id = $1",
        )
        .bind(owner_id.uuid())
        .fetch_one(&self.pool)
        .await
    }
}
