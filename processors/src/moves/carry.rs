//! The steps of a move until the log says the new key: put the files there, look whether they are what they should
//! be, and record it, or give it up.

use calotype_commands::CommandError;
use calotype_domain::asset::{Move, NewPlace};
use calotype_media::blob::{BlobError, BlobKey};
use chrono::{DateTime, Utc};

use super::step::{Moving, Step, beside, parsed};
use super::table::{self, Part, PlaceRow};
use crate::error::ProcessorError;
use crate::live::hex;
use crate::worker::Worker;

/// The setting that wants the moved bytes compared with what was uploaded.
const VERIFIED: &str = "storageTemplate.hashVerificationEnabled";

impl Worker {
    /// Puts the files where they are to lie, one a step, and records it once both are there.
    pub(super) async fn carry(
        &self,
        moving: &Moving,
        now: DateTime<Utc>,
    ) -> Result<Step, ProcessorError> {
        let asset_id = moving.asset_id.uuid();
        let Some(row) = table::place_of(&self.pool, asset_id).await? else {
            return Ok(Step::Next);
        };
        let places = moving.asset.places();
        let (from, to) = (parsed(places.original())?, parsed(&row.key)?);
        if self.blobs.stat(&to).await?.is_none() {
            return self.put(moving, &from, &to, Part::Original).await;
        }
        let sidecar_to = places.sidecar().map(|_| beside(&row.key));
        if row.former_sidecar_key.as_deref() != places.sidecar() || row.sidecar_key != sidecar_to {
            let (from, to) = (places.sidecar(), sidecar_to.as_deref());
            table::set_sidecar(&self.pool, asset_id, from, to).await?;
            return Ok(Step::Next);
        }
        if let Some((from, to)) = places.sidecar().zip(sidecar_to.as_deref()) {
            let (from, to) = (parsed(from)?, parsed(to)?);
            let (lies, wanted) = (self.blobs.digest(&to).await?, self.blobs.digest(&from).await?);
            match (wanted.is_some(), lies.is_some()) {
                (true, false) => return self.put(moving, &from, &to, Part::Sidecar).await,
                (true, true) if lies != wanted && row.has_put_sidecar => {
                    // It was written to since it was put there.
                    table::mark_put(&self.pool, asset_id, Part::Sidecar, false).await?;
                    self.blobs.remove(&to).await?;
                    return Ok(Step::Next);
                }
                // Somebody else's lies there.
                (true, true) if lies != wanted => return self.back_out(moving, &row).await,
                (false, true) if !row.has_put_sidecar => return self.back_out(moving, &row).await,
                (_, true) => self.blobs.sync(&to).await?,
                // It is missing from where it should lie; no move brings it back.
                (false, false) => {}
            }
        }
        if !self.is_whole(moving, &to).await? {
            let is_damaged = !self.is_whole(moving, &from).await?;
            let given_up = self.back_out(moving, &row).await?;
            return if is_damaged { Err(ProcessorError::Damaged) } else { Ok(given_up) };
        }
        self.blobs.sync(&to).await?;
        self.record(moving, &row, now).await
    }

    /// Puts a file under its new key, and that this move did. When the asset was deleted meanwhile, it is taken
    /// away again.
    async fn put(
        &self,
        moving: &Moving,
        from: &BlobKey,
        to: &BlobKey,
        part: Part,
    ) -> Result<Step, ProcessorError> {
        match self.blobs.duplicate(from, to).await {
            Ok(()) => {}
            Err(BlobError::Exists { .. }) => return Ok(Step::Next),
            Err(error) => return Err(error.into()),
        }
        if !table::mark_put(&self.pool, moving.asset_id.uuid(), part, true).await? {
            self.blobs.remove_with_folders(to).await?;
        }
        Ok(Step::Next)
    }

    /// Records the move, unless the asset has changed since it was read: then it is looked at anew.
    async fn record(
        &self,
        moving: &Moving,
        row: &PlaceRow,
        now: DateTime<Utc>,
    ) -> Result<Step, ProcessorError> {
        let places = moving.asset.places();
        let wish = Move {
            from: places.original().to_owned(),
            to: NewPlace {
                original_key: row.key.clone(),
                sidecar_key: places.sidecar().and(row.sidecar_key.clone()),
            },
        };
        let known = (moving.asset.clone(), moving.revision);
        match self.commands.record_move(&moving.ctx, moving.asset_id, known, wish).await {
            Ok(_) => {
                table::seen_moved(&self.pool, moving.asset_id.uuid(), now).await?;
                metrics::counter!("calotype_originals_moved_total").increment(1);
                Ok(Step::Next)
            }
            Err(CommandError::Contended) => Ok(Step::Next),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives a move up before it was recorded. What it put under the new keys goes, as long as it lies under the
    /// former ones too; what it did not put there is somebody else's and stays.
    async fn back_out(&self, moving: &Moving, row: &PlaceRow) -> Result<Step, ProcessorError> {
        let places = moving.asset.places();
        let original = Some((places.original(), row.key.as_str())).filter(|_| row.has_put);
        let sidecar = places.sidecar().zip(row.sidecar_key.as_deref());
        let sidecar = sidecar.filter(|_| row.has_put_sidecar);
        for (from, to) in [original, sidecar].into_iter().flatten() {
            if self.blobs.stat(&parsed(from)?).await?.is_some() {
                self.blobs.remove_with_folders(&parsed(to)?).await?;
            }
        }
        self.settle(moving).await
    }

    /// Whether a key holds what was uploaded; its length alone is looked at where administrators want no more.
    async fn is_whole(&self, moving: &Moving, key: &BlobKey) -> Result<bool, ProcessorError> {
        let original = &moving.uploaded.original;
        if !self.queries.settings().await?.is_on(VERIFIED) {
            let lies = self.blobs.stat(key).await?;
            return Ok(lies.is_some_and(|lies| lies.size_bytes == original.size_bytes));
        }
        let lies = self.blobs.digest(key).await?;
        Ok(lies.is_some_and(|(size_bytes, blake3)| {
            size_bytes == original.size_bytes && hex(&blake3) == original.blake3
        }))
    }
}
