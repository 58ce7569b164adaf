//! One move, in steps: speak for a key, put the original there, put its sidecar there, look whether both are
//! what they should be and record it, and remove the former files once nobody looks for them there any more.
//!
//! Which step is next is read from the log, the row in `work.original_places` and the disk, never from memory.
//! So a crash between any two steps, or within one, leaves nothing but a step to take again; until the event
//! is durable the former file is the asset's, from then on the new one, and both are whole in between.

use std::time::Duration;

use calotype_commands::CommandContext;
use calotype_domain::AssetId;
use calotype_domain::asset::{Asset, AssetUploaded};
use calotype_eventstore::Revision;
use calotype_media::blob::BlobKey;
use chrono::{DateTime, Utc};
use tracing::warn;

use super::plan::Plan;
use super::table::{self, PlaceRow};
use crate::error::ProcessorError;
use crate::history::History;
use crate::worker::Worker;

/// Its name in the log.
const NAME: &str = "storage-template";

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing is left to do.
    Done,
    /// It was taken; the next one can be.
    Next,
    /// It can be taken after this time.
    Later(Duration),
    /// Somebody else has the asset in hand, or the read models have not heard of it: not now.
    Busy,
}

/// An asset that is moved.
pub(super) struct Moving {
    pub(super) asset_id: AssetId,
    pub(super) asset: Asset,
    pub(super) uploaded: AssetUploaded,
    pub(super) revision: Revision,
    pub(super) ctx: CommandContext,
}

impl Worker {
    /// Takes the next step of moving an asset's files to where the template says.
    ///
    /// # Errors
    /// [`ProcessorError`]; the same step can be taken again.
    pub async fn move_step(
        &self,
        asset_id: AssetId,
        now: DateTime<Utc>,
    ) -> Result<Step, ProcessorError> {
        let Some(_in_hand) = self.take(asset_id) else { return Ok(Step::Busy) };
        let Some(moving) = self.moving(asset_id).await? else {
            let mut tx = self.pool.begin().await?;
            self.forget_place_in_tx(&mut tx, asset_id).await?;
            tx.commit().await?;
            return Ok(Step::Done);
        };
        let row = table::place_of(&self.pool, asset_id.uuid()).await?;
        let current = moving.asset.places().original();
        match row {
            Some(PlaceRow { former_key: Some(former), .. }) if former == current => {
                self.carry(&moving, now).await
            }
            Some(row) if row.former_key.is_some() && row.key == current => {
                self.finish(&moving, &row, now).await
            }
            Some(row) if row.former_key.is_some() => {
                warn!(asset.id = %asset_id, "an original lies where neither end of its move is");
                self.settle(&moving).await
            }
            Some(_) | None => self.begin_move(&moving).await,
        }
    }

    /// Speaks for the key that the template wants, before anything is put there.
    async fn begin_move(&self, moving: &Moving) -> Result<Step, ProcessorError> {
        let asset_id = moving.asset_id;
        let key = match self.plan(asset_id, &moving.asset, moving.revision).await? {
            Plan::MoveTo(key) => key,
            Plan::Ended(Step::Done) => {
                // Its film lies beside it, which could not be told before.
                if let Some(film_id) = moving.asset.film() {
                    self.wish_place(film_id).await?;
                }
                return Ok(Step::Done);
            }
            Plan::Ended(ended) => return Ok(ended),
        };
        let places = moving.asset.places();
        let sidecar_key = places.sidecar().map(|_| beside(&key));
        let row = PlaceRow {
            key,
            sidecar_key,
            former_key: Some(places.original().to_owned()),
            former_sidecar_key: places.sidecar().map(str::to_owned),
            moved_at: None,
            has_put: false,
            has_put_sidecar: false,
        };
        // Somebody may have been faster: then another key is looked for.
        table::claim(&self.pool, asset_id.uuid(), &row).await?;
        Ok(Step::Next)
    }

    /// Reads the asset's stream; `None` when it is gone.
    async fn moving(&self, asset_id: AssetId) -> Result<Option<Moving>, ProcessorError> {
        let History { asset, uploaded, events } = self.asset_events(asset_id).await?;
        let is_here = asset.owner_id().is_some();
        let read = uploaded.zip(events.last()).filter(|_| is_here);
        Ok(read.map(|(uploaded, last)| {
            let (revision, ctx) = (last.revision, self.because_of(NAME, last));
            Moving { asset_id, asset, uploaded, revision, ctx }
        }))
    }
}

/// The key that a row or the log names.
pub(super) fn parsed(key: &str) -> Result<BlobKey, ProcessorError> {
    BlobKey::parse(key).map_err(|_| ProcessorError::NoPlace)
}

/// The key of what lies beside an original.
pub(super) fn beside(key: &str) -> String {
    format!("{key}.xmp")
}
