//! Wishes about batches: files that are taken in together, a few hundred in a transaction, and can be taken back
//! together.
//!
//! The batch's own stream is written in the transaction of what it speaks of, so that a repeated request finds there
//! what was done and does nothing twice.

mod commit;
mod importing;
mod into_albums;
mod people;
mod rollback;
mod rollback_stacks;
mod stacked;

use calotype_domain::batch::{Batch, BatchCommand, BatchError};
use calotype_domain::{AssetId, BatchId, UserId};
use calotype_eventstore::StreamId;
use uuid::Uuid;

pub use commit::{
    AlbumOf, BatchCommit, Committed, NewBatchAlbum, NewBatchStack, NewEntry, PersonOn,
};
pub use importing::{AtWork, Importing};
pub use rollback::{LeftAlone, RollbackPart};

use crate::context::CommandContext;
use crate::dispatch::{Commands, Outcome};
use crate::error::CommandError;

pub(crate) fn stream(batch_id: BatchId) -> StreamId {
    StreamId::new("batch", batch_id)
}

/// The id that a file of a batch gets where it is new. It is made of the file's digests, so whatever lies under a
/// key with this id is known to be these bytes, and a file that was uploaded before an interruption is found again.
#[must_use]
pub fn asset_id_in(batch_id: BatchId, sha1: &str, blake3: &str) -> AssetId {
    let mixed = Uuid::new_v5(&batch_id.uuid(), format!("asset/{sha1}/{blake3}").as_bytes());
    AssetId::new(uuid::Builder::from_random_bytes(mixed.into_bytes()).into_uuid())
}

/// The key that an album has in a batch, made of what the client calls it there.
#[must_use]
pub fn album_key(batch_id: BatchId, key: &str) -> Uuid {
    Uuid::new_v5(&batch_id.uuid(), format!("album/{key}").as_bytes())
}

impl Commands {
    /// Opens a batch. Repeated with the same key, it leads to the same one.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn open_batch(
        &self,
        ctx: &CommandContext,
        by: UserId,
    ) -> Result<(BatchId, Outcome), CommandError<BatchError>> {
        let batch_id = BatchId::new(self.new_id(ctx, "batch"));
        let open = BatchCommand::Open { by };
        let mut unit = self.unit(ctx);
        unit.apply::<Batch>(stream(batch_id), None, &open).await?;
        let outcome = unit.commit().await.map_err(CommandError::Append)?;
        Ok((batch_id, outcome.ok_or(CommandError::Contended)?))
    }

    /// Lets a batch take nothing more.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn close_batch(
        &self,
        ctx: &CommandContext,
        by: UserId,
        batch_id: BatchId,
    ) -> Result<Outcome, CommandError<BatchError>> {
        let close = BatchCommand::Close { by };
        self.dispatch::<Batch>(ctx, stream(batch_id), None, &close).await
    }

    /// A person's batch as the rules see it.
    ///
    /// # Errors
    /// [`BatchError::NotFound`] where it is not theirs, and see [`CommandError`].
    pub async fn batch(
        &self,
        by: UserId,
        batch_id: BatchId,
    ) -> Result<Batch, CommandError<BatchError>> {
        let (batch, _) = self.load::<Batch>(&stream(batch_id)).await?;
        batch.require_owner(by).map_err(CommandError::Refused)?;
        Ok(batch)
    }
}
