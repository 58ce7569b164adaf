//! One asset that a model is shown which is tried.

use calotype_commands::trials::Tried;
use calotype_domain::model::ModelRef;
use calotype_domain::trial::ModelTrialBegun;
use calotype_domain::{AssetId, ModelTask};
use tracing::{info, warn};
use uuid::Uuid;

use super::NAME;
use crate::error::ProcessorError;
use crate::faces::look::Findings;
use crate::looking::{Refusal, Wanted};
use crate::priority::Urgency;
use crate::worker::Worker;
use crate::{faces, text};

/// What became of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// The model said something, now or before.
    Tried,
    /// It could say nothing, now or before.
    Failed,
    /// It is not there any more, or not ready.
    Passed,
    /// Not now: the model is away, or new uploads go first.
    Waits,
}

/// What a model said, and which it was.
type Said = (ModelRef, Tried);

impl Worker {
    /// Shows one asset to the model of a trial.
    pub(super) async fn show(
        &self,
        trial_id: Uuid,
        begun: &ModelTrialBegun,
        asset_id: Uuid,
    ) -> Shown {
        if self.gate.is_closed() || self.in_flight.count() > 0 {
            return Shown::Waits;
        }
        // A place at the decoder comes to a trial when no upload waits for one.
        let Some(_place) = self.places.take(Urgency::Rerun).await else { return Shown::Waits };
        let shown = self.show_one(trial_id, begun, AssetId::new(asset_id)).await;
        shown.unwrap_or_else(|error| {
            warn!(asset.id = %asset_id, error = &error as &dyn std::error::Error, "cannot show an asset to a model that is tried now");
            Shown::Waits
        })
    }

    async fn show_one(
        &self,
        trial_id: Uuid,
        begun: &ModelTrialBegun,
        asset_id: AssetId,
    ) -> Result<Shown, ProcessorError> {
        let Some(wanted) = self.look_possible(asset_id).await? else { return Ok(Shown::Passed) };
        if wanted.is_being_pictured {
            return Ok(Shown::Passed);
        }
        let Some(said) = self.said(trial_id, begun, &wanted).await? else {
            return Ok(Shown::Waits);
        };
        match said {
            Ok((model, tried)) if model == begun.model => {
                let ctx = self.context(NAME, trial_id, None);
                self.commands.record_tried(&ctx, asset_id, &tried).await?;
                Ok(Shown::Tried)
            }
            Ok((model, _)) => {
                warn!(model = model.name, "another model answers than the one that is tried");
                Ok(Shown::Waits)
            }
            Err(refusal) => {
                info!(asset.id = %asset_id, code = refusal.code, "a model that is tried cannot look at an asset: {}", refusal.reason);
                self.keep_failure(begun, asset_id).await?;
                Ok(Shown::Failed)
            }
        }
    }

    /// What the model says; nothing where administrators want no such thing now. The inner error is the asset's.
    async fn said(
        &self,
        trial_id: Uuid,
        begun: &ModelTrialBegun,
        wanted: &Wanted,
    ) -> Result<Option<Result<Said, Refusal>>, ProcessorError> {
        let settings = self.queries.settings().await?;
        let owner_id = wanted.owner_id;
        Ok(match begun.task {
            ModelTask::SmartSearch => {
                if !settings.is_on("machineLearning.enabled") {
                    return Ok(None);
                }
                let seen = self.seen(wanted, &begun.name, true).await?;
                Some(seen.map(|seen| (seen.model().clone(), seen.tried(trial_id, owner_id))))
            }
            ModelTask::FacialRecognition => {
                let Some(wish) = faces::Wish::of(&settings) else { return Ok(None) };
                let wish = wish.with_model(&begun.name);
                let found = self.found(wanted, &wish, true).await?;
                Some(found.map(|Findings { detection, vectors }| {
                    let model = detection.model.clone();
                    (model, Tried::faces(trial_id, owner_id, detection, vectors))
                }))
            }
            ModelTask::Ocr => {
                let Some(wish) = text::Wish::of(&settings) else { return Ok(None) };
                let wish = wish.with_model(&begun.name);
                let read = self.read_preview(wanted, &wish, true).await?;
                Some(read.map(|text| (text.model().clone(), text.tried(trial_id, owner_id))))
            }
        })
    }
}
