//! Wishes about what assets show, as vectors of models.

use bytes::Bytes;
use calotype_domain::asset::{
    Asset, AssetCommand, AssetEmbedded, AssetError, AssetProcessingFailed,
};
use calotype_domain::model::{ModelRef, VectorError, pack};
use calotype_domain::trial::AssetTrialEmbedded;
use calotype_domain::{AssetId, UserId};
use uuid::Uuid;

use crate::assets::{stream, subject};
use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;
use crate::trials::Tried;

/// The name of the attachment that holds a vector: f16, little-endian, unit length.
pub const VECTOR: &str = "vector";

/// What a model sees in an asset.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    model: ModelRef,
    input_blake3: String,
    dims: u32,
    vector: Bytes,
}

impl Seen {
    /// What `model` says of the preview of an original with this BLAKE3, lower-case hex.
    ///
    /// # Errors
    /// [`VectorError`].
    pub fn new(model: ModelRef, input_blake3: &str, values: &[f32]) -> Result<Self, VectorError> {
        let vector = Bytes::from(pack(values)?);
        let dims = u32::try_from(values.len()).map_err(|_| VectorError::Dims(values.len()))?;
        Ok(Self { model, input_blake3: input_blake3.to_owned(), dims, vector })
    }
}

impl Seen {
    /// The same as what a model that is tried says.
    #[must_use]
    pub fn tried(self, trial_id: Uuid, owner_id: UserId) -> Tried {
        let event = AssetTrialEmbedded {
            trial_id,
            owner_id,
            model: self.model,
            input_blake3: self.input_blake3.clone(),
            dims: self.dims,
            vector_blake3: blake3::hash(&self.vector).to_hex().to_string(),
        };
        let attached = Some((VECTOR, self.vector));
        Tried { event: event.into(), input_blake3: self.input_blake3, attached }
    }

    /// Which model says it.
    #[must_use]
    pub const fn model(&self) -> &ModelRef {
        &self.model
    }
}

impl Commands {
    /// Records what a model sees in an asset. What is known already is not recorded again, and nothing of a
    /// file that the asset is not any more.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn record_embedding(
        &self,
        ctx: &CommandContext,
        asset_id: AssetId,
        seen: &Seen,
    ) -> Result<Outcome, CommandError<AssetError>> {
        for _ in 0..ATTEMPTS_MAX {
            let (asset, last) = self.load::<Asset>(&stream(asset_id)).await?;
            let Some(owner_id) = asset.owner_id() else { return Ok(Outcome::AlreadyTrue) };
            let command = AssetCommand::RecordEmbedding(Box::new(AssetEmbedded {
                owner_id,
                model: seen.model.clone(),
                input_blake3: seen.input_blake3.clone(),
                dims: seen.dims,
                vector_blake3: blake3::hash(&seen.vector).to_hex().to_string(),
            }));
            let mut unit = self.unit(ctx);
            let subject = Some(subject(asset_id));
            unit.decide(&asset, last, stream(asset_id), subject, std::slice::from_ref(&command))?;
            unit.attach(VECTOR, seen.vector.clone());
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// Records that no model can look at an asset.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn record_model_failure(
        &self,
        ctx: &CommandContext,
        asset_id: AssetId,
        failed: AssetProcessingFailed,
    ) -> Result<Outcome, CommandError<AssetError>> {
        let command = AssetCommand::RecordFailure(Box::new(failed));
        self.dispatch::<Asset>(ctx, stream(asset_id), Some(subject(asset_id)), &command).await
    }
}
