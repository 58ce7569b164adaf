//! Puts originals where the storage template says, each in steps that can be taken again.
//!
//! What is wished for stands in `work.original_wishes`, so a job of a hundred thousand moves goes on after a
//! crash where it was. See `step.rs` for one move, and docs/adr/0015-storage-template.md for why it is so.

mod carry;
mod finish;
mod forget;
mod plan;
mod step;
mod table;
mod wishes;

use std::sync::Arc;
use std::time::Duration;

use calotype_domain::AssetId;
use calotype_domain::asset::{AssetEvent, TEMPLATED_ROOT};
use calotype_domain::queue::STORAGE_TEMPLATE;
use calotype_eventstore::{Revision, StreamId};
use calotype_projections::because;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::try_join_all;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

pub use step::Step;

use crate::error::ProcessorError;
use crate::history::Told;
use crate::in_flight::InFlight;
use crate::worker::Worker;

/// The setting that switches it on.
pub(crate) const ENABLED: &str = "storageTemplate.enabled";
/// Moves in hand at once, each with a connection to the database of its own.
const MOVES_AT_ONCE: usize = 3;
/// Steps of one move taken in a row; what is left is taken up again at once.
const STEPS_MAX: u32 = 16;
/// How often a step may fail before the move is given up.
const TRIES_MAX: i32 = 5;
/// Delay before the second try; doubles with each further one.
const RETRY_AFTER: TimeDelta = TimeDelta::seconds(2);
/// How long to wait for an asset in hand, or for the read models; doubles each time.
const BUSY_WAIT: Duration = Duration::from_millis(500);
/// Doublings of that: at most about a minute.
const BUSY_DOUBLINGS_MAX: u32 = 7;
/// How long to wait when nothing is due and nobody rings.
const EVERY: Duration = Duration::from_secs(30);

/// What moves originals. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Moving {
    /// How many are being moved now.
    pub in_flight: InFlight,
    /// Rung when something may be due.
    pub(crate) bell: Arc<Notify>,
}

impl Worker {
    /// Moves originals until cancelled. What an earlier run left half done is taken up first.
    pub async fn move_originals(self, cancel: CancellationToken) {
        let mut is_restored = false;
        while !cancel.is_cancelled() {
            let inside = tokio::select! {
                () = cancel.cancelled() => break,
                inside = self.gate.enter_when_open() => inside,
            };
            let moved = async {
                if !is_restored {
                    self.restore_places().await?;
                    is_restored = true;
                }
                self.move_some().await
            };
            let moved = moved.await;
            drop(inside);
            let wait = match moved {
                Ok(0) => self.until_due().await,
                Ok(_) => continue,
                Err(error) => {
                    warn!(error = &error as &dyn std::error::Error, "cannot move originals now");
                    EVERY
                }
            };
            tokio::select! {
                () = cancel.cancelled() => {}
                () = self.moving.bell.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Wishes for an asset's files to be where the template says, where that is wanted.
    pub(crate) async fn wish_place(&self, asset_id: AssetId) -> Result<(), ProcessorError> {
        if self.queries.settings().await?.is_on(ENABLED) {
            let now = self.commands.clock().now();
            wishes::wish_for(&self.pool, asset_id.uuid(), now).await?;
            self.moving.bell.notify_one();
        }
        Ok(())
    }

    /// Wishes for the files of all assets to be where the template says, where that is wanted.
    ///
    /// # Errors
    /// [`ProcessorError::Database`].
    pub async fn wish_all_places(&self) -> Result<(), ProcessorError> {
        if !self.queries.settings().await?.is_on(ENABLED) {
            info!("the storage template is switched off: originals stay where they are");
            return Ok(());
        }
        let count = wishes::wish_for_all(&self.pool, self.commands.clock().now()).await?;
        info!(count, "originals are moved to where the storage template says");
        self.moving.bell.notify_one();
        Ok(())
    }

    /// Wishes for a new upload's files to be where the template says, once it was read for the first time. Files
    /// that are read again stay where they are.
    pub(crate) async fn wish_first_place(
        &self,
        asset_id: AssetId,
        read_at: Revision,
    ) -> Result<(), ProcessorError> {
        if !self.queries.settings().await?.is_on(ENABLED) {
            return Ok(());
        }
        let history = self.asset_events(asset_id).await?;
        if history.whats().any(|event| matches!(event, AssetEvent::Imported(_))) {
            return Ok(());
        }
        let is_read = |told: &&Told| matches!(told.what, AssetEvent::MetadataRecorded(_));
        if history.events.iter().find(is_read).is_some_and(|first| first.revision == read_at) {
            self.wish_place(asset_id).await?;
        }
        Ok(())
    }

    /// Wishes for a film to lie beside the still that it belongs to from now on. While the still lies where
    /// uploads lie its film does too: it follows when the still is moved.
    pub(crate) async fn wish_film_place(&self, still_id: AssetId) -> Result<(), ProcessorError> {
        let still = self.commands.asset(still_id).await?;
        match still.film() {
            Some(film_id) if still.places().original().starts_with(TEMPLATED_ROOT) => {
                self.wish_place(film_id).await
            }
            _ => Ok(()),
        }
    }

    /// Takes off the queue what was not begun and was wished before somebody emptied it.
    pub(crate) async fn forget_wishes(&self, emptied: Revision) -> Result<(), ProcessorError> {
        let Some(at) = self.when(emptied).await? else { return Ok(()) };
        wishes::forget_not_begun(&self.pool, at).await
    }

    /// Lives with it that some moves were given up before somebody said so.
    pub(crate) async fn forget_failed_moves(&self, said: Revision) -> Result<(), ProcessorError> {
        let Some(at) = self.when(said).await? else { return Ok(()) };
        wishes::forget_failed(&self.pool, at).await
    }

    /// When an event of the queue happened.
    async fn when(&self, revision: Revision) -> Result<Option<DateTime<Utc>>, ProcessorError> {
        let stream_id = StreamId::new("queue", STORAGE_TEMPLATE);
        let found = self.store.read_stream(&stream_id, revision, 1).await?;
        Ok(found.first().map(|event| event.envelope.recorded_at))
    }

    /// Goes on with moves, as a queue that was paused does when it is resumed.
    pub(crate) fn go_on_moving(&self) {
        self.moving.bell.notify_one();
    }

    /// Makes sure that every key which the template made is spoken for, and that the files of assets which are
    /// gone go too: what the tables of work say may be lost, the log says it again.
    ///
    /// # Errors
    /// [`ProcessorError::Database`].
    pub async fn restore_places(&self) -> Result<(), ProcessorError> {
        table::restore(&self.pool).await?;
        wishes::wish_for_leftovers(&self.pool, self.commands.clock().now()).await
    }

    /// Takes up some of what is due; says how many that were.
    ///
    /// # Errors
    /// The database cannot be used. What fails with an asset is kept with its wish.
    pub async fn move_some(&self) -> Result<usize, ProcessorError> {
        if self.is_moving_paused().await? {
            return Ok(0);
        }
        let taken = try_join_all((0..MOVES_AT_ONCE).map(|_| self.move_one())).await?;
        Ok(taken.into_iter().filter(|is_taken| *is_taken).count())
    }

    async fn is_moving_paused(&self) -> Result<bool, ProcessorError> {
        Ok(self.queries.paused_queues().await?.iter().any(|name| name == STORAGE_TEMPLATE))
    }

    /// Takes up the wish that is due longest, unless somebody has it in hand; says whether there was one.
    async fn move_one(&self) -> Result<bool, ProcessorError> {
        let now = self.commands.clock().now();
        let mut tx = self.queries.locks().begin().await?;
        let Some(wish) = wishes::take_in_tx(&mut tx, now).await? else { return Ok(false) };
        let _working = self.moving.in_flight.begin();
        let asset_id = AssetId::new(wish.asset_id);
        let steps = self.take_steps(asset_id).await;
        let now = self.commands.clock().now();
        match steps {
            Ok(Step::Done) => wishes::fulfil_in_tx(&mut tx, wish).await?,
            Ok(Step::Next) => wishes::postpone_in_tx(&mut tx, wish, now, (0, 0)).await?,
            Ok(Step::Later(wait)) => {
                let due = after(now, wait);
                wishes::postpone_in_tx(&mut tx, wish, due, (wish.tries, 0)).await?;
            }
            Ok(Step::Busy) => {
                let due = after(now, busy_wait(wish.waits));
                let waits = wish.waits.saturating_add(1);
                wishes::postpone_in_tx(&mut tx, wish, due, (wish.tries, waits)).await?;
            }
            Err(ProcessorError::NotYet { after: wait }) => {
                let due = after(now, wait);
                wishes::postpone_in_tx(&mut tx, wish, due, (wish.tries, 0)).await?;
            }
            Err(error) => {
                warn!(asset.id = %asset_id, error = &error as &dyn std::error::Error, "cannot move an original");
                let tries = wish.tries + 1;
                if tries >= TRIES_MAX || matches!(error, ProcessorError::Damaged) {
                    wishes::give_up_in_tx(&mut tx, wish, &because(&error)).await?;
                } else {
                    let doublings = 1 << tries.clamp(0, TRIES_MAX);
                    let due = now + RETRY_AFTER * doublings;
                    wishes::postpone_in_tx(&mut tx, wish, due, (tries, 0)).await?;
                }
            }
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn take_steps(&self, asset_id: AssetId) -> Result<Step, ProcessorError> {
        for _ in 0..STEPS_MAX {
            match self.move_step(asset_id, self.commands.clock().now()).await? {
                Step::Next => {}
                ended => return Ok(ended),
            }
        }
        debug!(asset.id = %asset_id, "a move takes many steps");
        Ok(Step::Next)
    }

    /// How long nothing is due. While the queue is paused that is until somebody rings.
    async fn until_due(&self) -> Duration {
        if self.is_moving_paused().await.unwrap_or(true) {
            return EVERY;
        }
        match wishes::next_due(&self.pool).await {
            Ok(Some(due)) => {
                let wait = (due - self.commands.clock().now()).to_std().unwrap_or_default();
                // What is due and was not taken is in another process's hands.
                wait.clamp(Duration::from_millis(250), EVERY)
            }
            Ok(None) => EVERY,
            Err(error) => {
                debug!(error = &error as &dyn std::error::Error, "cannot ask what is due");
                EVERY
            }
        }
    }
}

/// How long to wait for an asset that no step could be taken of so often in a row.
fn busy_wait(waits: i32) -> Duration {
    let doublings = u32::try_from(waits).unwrap_or(0).min(BUSY_DOUBLINGS_MAX);
    BUSY_WAIT * 2_u32.saturating_pow(doublings)
}

fn after(now: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(wait).ok().and_then(|wait| now.checked_add_signed(wait)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_in_hand_is_asked_for_less_and_less_often() {
        assert_eq!(busy_wait(0), Duration::from_millis(500));
        assert_eq!(busy_wait(3), Duration::from_secs(4));
        assert_eq!(busy_wait(i32::MAX), Duration::from_secs(64));
    }
}
