//! What was sent and becomes nothing: uploads in pieces that nothing more came of, and files of batches that take
//! nothing more.

use std::time::Duration;

use calotype_commands::IncomingFiles;
use calotype_domain::batch::Batch;
use calotype_domain::{BatchId, UserId};
use calotype_eventstore::StreamId;
use calotype_media::blob::{BlobKey, Taken};
use chrono::{DateTime, TimeDelta, Utc};
use tracing::info;
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::leave::Leave;
use crate::worker::Worker;

/// Uploads that are looked at in one look.
const UPLOADS_MAX: i64 = 500;
/// Batches that are looked at together.
const BATCHES_PAGE: i64 = 100;
/// Pages of batches in one look.
const PAGES_MAX: usize = 100;
/// Files of a batch that are looked at in one look.
const FILES_MAX: i64 = 500;
/// How long a file of a batch lies there at least: whoever closes a batch by mistake opens another, and sends it there.
const LEFT_FOR: TimeDelta = TimeDelta::hours(24);
/// How long bytes of an upload lie there that nothing speaks of.
const STRAY_FOR: Duration = Duration::from_secs(48 * 3_600);
/// Such files in one look.
const STRAYS_MAX: usize = 500;

impl Worker {
    /// Removes uploads that are over, and files that batches left behind.
    pub(crate) async fn clear_incoming(
        &self,
        now: DateTime<Utc>,
        leave: Leave<'_>,
    ) -> Result<(), ProcessorError> {
        let files = IncomingFiles::new(self.pool.clone());
        for upload_id in files.expired(now, UPLOADS_MAX).await? {
            if leave.is_over().await? {
                return Ok(());
            }
            self.remove_upload(&files, upload_id, Some(now)).await?;
        }
        for upload_id in self.blobs.incoming_unwritten_for(STRAY_FOR, STRAYS_MAX).await? {
            if files.upload(upload_id).await?.is_none() {
                self.remove_upload(&files, upload_id, None).await?;
            }
        }
        self.clear_batches(&files, now, leave).await
    }

    /// Removes everything that an account has sent and that is no asset. Says whether nothing of it is left: what is
    /// being sent right now is due at the next look.
    pub(crate) async fn remove_incoming_of(&self, user_id: UserId) -> Result<bool, ProcessorError> {
        let files = IncomingFiles::new(self.pool.clone());
        let mut is_all = true;
        for upload_id in files.uploads_of(user_id).await? {
            is_all &= self.remove_upload(&files, upload_id, None).await?;
        }
        let now = self.commands.clock().now();
        for batch_id in files.batches_of(user_id).await? {
            while self.clear_batch(&files, BatchId::new(batch_id), now).await? {}
        }
        Ok(is_all)
    }

    /// Forgets an upload, if it is over by then, with its bytes. Says whether nobody was at it.
    async fn remove_upload(
        &self,
        files: &IncomingFiles,
        upload_id: Uuid,
        over_by: Option<DateTime<Utc>>,
    ) -> Result<bool, ProcessorError> {
        let Taken::InHand(incoming) = self.blobs.take_incoming(upload_id).await? else {
            return Ok(false);
        };
        // More of it may have come until it was in hand.
        if files.forget(upload_id, over_by).await? {
            incoming.remove().await?;
        }
        Ok(true)
    }

    async fn clear_batches(
        &self,
        files: &IncomingFiles,
        now: DateTime<Utc>,
        leave: Leave<'_>,
    ) -> Result<(), ProcessorError> {
        let (before, mut after) = (now - LEFT_FOR, Uuid::nil());
        for _ in 0..PAGES_MAX {
            let page = files.waiting_since(before, after, BATCHES_PAGE).await?;
            let Some(last) = page.last() else { break };
            after = *last;
            for batch_id in page {
                if leave.is_over().await? {
                    return Ok(());
                }
                // The read model saves a look into the log for batches that are open.
                let row = self.queries.batch(batch_id).await?;
                if row.is_none_or(|row| row.closed_at.is_none_or(|closed_at| closed_at >= before)) {
                    continue;
                }
                let batch_id = BatchId::new(batch_id);
                let stream_id = StreamId::new("batch", batch_id);
                let (batch, _) = self.commands.load::<Batch>(&stream_id).await?;
                // Once it is closed no commit takes anything in, and whatever one has taken in stands in the log.
                if batch.is_closed() {
                    self.clear_batch(files, batch_id, before).await?;
                }
            }
        }
        Ok(())
    }

    /// Removes files of a batch that nothing in the log speaks of. Says whether there may be more.
    async fn clear_batch(
        &self,
        files: &IncomingFiles,
        batch_id: BatchId,
        before: DateTime<Utc>,
    ) -> Result<bool, ProcessorError> {
        let keys = files.waiting_in(batch_id, before, FILES_MAX).await?;
        let report = self.report_store();
        let mut all = Vec::with_capacity(2 * keys.len());
        for key in keys.iter().filter_map(|key| BlobKey::parse(key).ok()) {
            // A sidecar is stored before its commit is known to be refused.
            all.push(key.sidecar());
            all.push(key);
        }
        let texts: Vec<String> = all.iter().map(|key| key.as_str().to_owned()).collect();
        let wanted = self.commands.spoken_for(&report, &texts).await?;
        let mut removed = 0_usize;
        for key in all.iter().filter(|key| !wanted.contains(key.as_str())) {
            if report.is_being_moved(key.as_str()).await? {
                continue;
            }
            if self.blobs.stat(key).await?.is_some() {
                self.blobs.remove(key).await?;
                removed += 1;
            }
        }
        files.settled(batch_id, &keys).await?;
        if removed > 0 {
            info!(batch.id = %batch_id, files = removed, "removed files that an import left behind");
        }
        Ok(i64::try_from(keys.len()).is_ok_and(|count| count >= FILES_MAX))
    }
}
