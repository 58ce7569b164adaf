//! Tries models over libraries, below everything else, and lets assets follow a switch to one of them.
//!
//! Which trials are open stands in the read model and in their own streams; how far each is, in `work`. So a trial
//! goes on after a restart, and one that was cancelled ends before its next asset.
//! What a model says goes beside what is in use ([`calotype_domain::trial`]). The groups that it would make of all
//! faces are a proposal: kept, and applied by a switch ([`follow`]).

mod follow;
mod proposal;
mod show;
mod table;
mod trying;

use calotype_commands::trials::trial_stream;
use calotype_domain::ModelTask;
use calotype_domain::trial::{ModelTrial, ModelTrialBegun, ModelTrialFinished};
use calotype_eventstore::GlobalPosition;
use calotype_projections::models::{TrialProgress, TrialScope};
use futures::StreamExt as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::info;
use uuid::Uuid;

use self::show::Shown;
use crate::error::ProcessorError;
use crate::looks::look_at_each_move;
use crate::worker::Worker;

pub use self::trying::Trying;

/// Its name in the log.
const NAME: &str = "models";
/// Key of the lock of whoever tries models: ASCII `calo` and a number that nobody else uses.
const LOCK: i64 = 0x6361_6c6f_0000_0020;
/// Assets of one turn of a trial.
const CHUNK_ASSETS: i64 = 32;
/// Assets that are shown at the same time.
const TOGETHER: usize = 2;

impl Worker {
    /// Tries models until cancelled.
    pub async fn try_models(
        self,
        applied: watch::Receiver<GlobalPosition>,
        cancel: CancellationToken,
    ) {
        let worker = &self;
        let look = |position| async move { worker.try_models_once(position).await };
        look_at_each_move(&self.gate, applied, &cancel, "cannot try models now", look).await;
    }

    /// Gives every switch that assets follow, and every open trial, a turn; says whether another has something to
    /// do at once. `applied` is up to where every read model has applied the log.
    ///
    /// # Errors
    /// [`ProcessorError`] of the first that failed; the others had their turn.
    pub async fn try_models_once(&self, applied: GlobalPosition) -> Result<bool, ProcessorError> {
        let Some(asking) = self.trying.ask() else { return Ok(false) };
        let open = self.queries.open_model_trials().await?;
        let switched = self.unfollowed().await?;
        if open.is_empty() && switched.is_empty() {
            asking.found_nothing();
            return Ok(false);
        }
        let Some(alone) = self.queries.try_alone_by(LOCK).await? else { return Ok(false) };
        let (mut has_more, mut failed) = (false, None);
        for switch in &switched {
            match self.follow_chunk(switch).await {
                Ok(more) => has_more |= more,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        for trial_id in open {
            if self.gate.is_closed() {
                break;
            }
            match self.try_chunk(trial_id, applied).await {
                Ok(more) => has_more |= more,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        alone.end().await?;
        failed.map_or(Ok(has_more), Err)
    }

    /// Shows the next assets to a model that is tried; says whether there are more to show at once.
    async fn try_chunk(
        &self,
        trial_id: Uuid,
        applied: GlobalPosition,
    ) -> Result<bool, ProcessorError> {
        let (trial, _) = self.commands.load::<ModelTrial>(&trial_stream(trial_id)).await?;
        let Some(begun) = trial.open() else { return Ok(false) };
        let paused = self.queries.paused_queues().await?;
        if paused.iter().any(|queue| queue == begun.task.queue()) {
            return Ok(false);
        }
        let progress = self.queries.trial_progress(trial_id).await?.unwrap_or_default();
        if let Some(shown_at) = progress.shown_at {
            return self.end_trial(trial_id, begun, progress, applied.get() >= shown_at).await;
        }
        // What is looked at in earnest goes first; the next look is soon.
        if self.in_flight.count() > 0 || self.is_looking(begun.task) {
            return Ok(false);
        }
        let left = begun.sample.map_or(CHUNK_ASSETS, |sample| {
            (i64::from(sample) - progress.seen).clamp(0, CHUNK_ASSETS)
        });
        let scope = TrialScope {
            task: begun.task.as_str(),
            model_id: begun.model.id(),
            user_ids: begun.user_ids.iter().map(|user_id| user_id.uuid()).collect(),
        };
        let next = self.queries.to_try_after(&scope, progress.after_id, left).await?;
        if next.is_empty() {
            let shown_at = Some(self.store.head().await?.get());
            self.keep_progress(trial_id, TrialProgress { shown_at, ..progress }).await?;
            return Ok(true);
        }
        let asked = next.len();
        let mut shown = Box::pin(
            futures::stream::iter(next)
                .map(|(asset_id, known)| async move {
                    let became = match known.as_deref() {
                        Some("tried") => Shown::Tried,
                        Some(_) => Shown::Failed,
                        None => self.show(trial_id, begun, asset_id).await,
                    };
                    (asset_id, became)
                })
                .buffered(TOGETHER),
        );
        let (mut now, mut done) = (progress, 0);
        while let Some((asset_id, became)) = shown.next().await {
            match became {
                Shown::Tried => now.tried += 1,
                Shown::Failed => now.failed += 1,
                Shown::Passed => {}
                // Where one has to wait, those behind it are shown again: nothing is recorded twice.
                Shown::Waits => break,
            }
            now.seen += 1;
            now.after_id = asset_id;
            done += 1;
        }
        drop(shown);
        self.keep_progress(trial_id, now).await?;
        Ok(done == asked)
    }

    /// Whether assets are looked at in earnest for a task now.
    fn is_looking(&self, task: ModelTask) -> bool {
        let looking = match task {
            ModelTask::SmartSearch => &self.embedding.in_flight,
            ModelTask::FacialRecognition => &self.finding.in_flight,
            ModelTask::Ocr => &self.reading.in_flight,
        };
        looking.count() > 0
    }

    /// Everything was shown: of faces the groups are made, once the read models know all of it.
    async fn end_trial(
        &self,
        trial_id: Uuid,
        begun: &ModelTrialBegun,
        progress: TrialProgress,
        is_applied: bool,
    ) -> Result<bool, ProcessorError> {
        if !is_applied {
            return Ok(false);
        }
        if begun.task == ModelTask::FacialRecognition {
            self.propose(trial_id, begun).await?;
        }
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        let finished =
            ModelTrialFinished { tried: count(progress.tried), failed: count(progress.failed) };
        info!(trial.id = %trial_id, tried = progress.tried, failed = progress.failed, "a model was tried");
        let ctx = self.context(NAME, trial_id, None);
        self.commands.finish_trial(&ctx, trial_id, finished).await?;
        Ok(false)
    }
}
