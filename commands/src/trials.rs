//! Wishes about models that are tried, and what such a model said of an asset.

use bytes::Bytes;
use calotype_domain::asset::{Asset, AssetError};
use calotype_domain::faces::Detection;
use calotype_domain::trial::{
    AssetTrial, AssetTrialCommand, AssetTrialError, AssetTrialEvent, AssetTrialFacesFound,
    ModelTrial, ModelTrialBegun, ModelTrialCommand, ModelTrialError, ModelTrialFinished, TriedFace,
};
use calotype_domain::{AssetId, UserId};
use calotype_eventstore::StreamId;
use uuid::Uuid;

use crate::assets::{stream as asset_stream, subject};
use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;
use crate::found_faces::{FaceVectors, VECTORS};

/// What a model that is tried said of an asset.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// What is recorded.
    pub event: AssetTrialEvent,
    /// BLAKE3 of the original whose preview was looked at, lower-case hex.
    pub input_blake3: String,
    /// Name and bytes of what is attached, where there is something.
    pub attached: Option<(&'static str, Bytes)>,
}

impl Tried {
    /// Faces that a model found, with their vectors in the same order.
    #[must_use]
    pub fn faces(
        trial_id: Uuid,
        owner_id: UserId,
        detection: Detection,
        vectors: Option<FaceVectors>,
    ) -> Self {
        let faces = detection.found.iter().map(|found| TriedFace {
            face_id: found.fresh_id,
            area: found.area,
            score: found.score,
        });
        let event = AssetTrialFacesFound {
            trial_id,
            owner_id,
            model: detection.model,
            input_blake3: detection.input_blake3.clone(),
            size: detection.size,
            faces: faces.collect::<Vec<_>>().into(),
            vectors_blake3: detection.vectors_blake3,
            dims: detection.dims,
        };
        Self {
            event: event.into(),
            input_blake3: detection.input_blake3,
            attached: vectors.map(|vectors| (VECTORS, vectors.bytes)),
        }
    }
}

/// The stream of a trial.
#[must_use]
pub fn trial_stream(trial_id: Uuid) -> StreamId {
    StreamId::new("model_trial", trial_id)
}

/// The stream of what models that are tried say of an asset.
#[must_use]
pub fn asset_trial_stream(asset_id: AssetId) -> StreamId {
    StreamId::new("asset_trial", asset_id)
}

type TrialRefused = CommandError<ModelTrialError>;

impl Commands {
    /// Begins a trial; says which.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn begin_trial(
        &self,
        ctx: &CommandContext,
        begun: ModelTrialBegun,
    ) -> Result<(Uuid, Outcome), TrialRefused> {
        let trial_id = self.ids.v4();
        let command = ModelTrialCommand::Begin(Box::new(begun));
        let outcome =
            self.dispatch::<ModelTrial>(ctx, trial_stream(trial_id), None, &command).await?;
        Ok((trial_id, outcome))
    }

    /// Ends a trial before its end.
    ///
    /// # Errors
    /// See [`CommandError`]; [`ModelTrialError::NotFound`].
    pub async fn cancel_trial(
        &self,
        ctx: &CommandContext,
        trial_id: Uuid,
    ) -> Result<Outcome, TrialRefused> {
        let command = ModelTrialCommand::Cancel;
        self.dispatch::<ModelTrial>(ctx, trial_stream(trial_id), None, &command).await
    }

    /// Records that a trial is done.
    ///
    /// # Errors
    /// See [`CommandError`]; [`ModelTrialError::NotFound`].
    pub async fn finish_trial(
        &self,
        ctx: &CommandContext,
        trial_id: Uuid,
        finished: ModelTrialFinished,
    ) -> Result<Outcome, TrialRefused> {
        let command = ModelTrialCommand::Finish(finished);
        self.dispatch::<ModelTrial>(ctx, trial_stream(trial_id), None, &command).await
    }

    /// Records what a model that is tried said of an asset: once, and nothing of a file that the asset is not any
    /// more.
    ///
    /// # Errors
    /// See [`CommandError`]; never a refusal.
    pub async fn record_tried(
        &self,
        ctx: &CommandContext,
        asset_id: AssetId,
        tried: &Tried,
    ) -> Result<Outcome, CommandError<AssetTrialError>> {
        let command = AssetTrialCommand(Box::new(tried.event.clone()));
        for _ in 0..ATTEMPTS_MAX {
            let loaded = self.load::<Asset>(&asset_stream(asset_id)).await;
            let (asset, _) = loaded.map_err(without_refusal)?;
            if !asset.is_the_file(&tried.input_blake3) {
                return Ok(Outcome::AlreadyTrue);
            }
            let stream_id = asset_trial_stream(asset_id);
            let (results, last) = self.load::<AssetTrial>(&stream_id).await?;
            let mut unit = self.unit(ctx);
            let subject = Some(subject(asset_id));
            unit.decide(&results, last, stream_id, subject, std::slice::from_ref(&command))?;
            if let Some((name, bytes)) = &tried.attached {
                unit.attach(name, bytes.clone());
            }
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }
}

/// What kept an aggregate from being loaded, which refuses nothing.
fn without_refusal(error: CommandError<AssetError>) -> CommandError<AssetTrialError> {
    match error {
        CommandError::Refused(_) | CommandError::Contended => CommandError::Contended,
        CommandError::Read(error) => CommandError::Read(error),
        CommandError::Append(error) => CommandError::Append(error),
        CommandError::Decode(error) => CommandError::Decode(error),
        CommandError::Password => CommandError::Password,
    }
}
