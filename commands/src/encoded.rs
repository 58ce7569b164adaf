//! Wishes about the copies of films that every player shows.

use calotype_domain::AssetId;
use calotype_domain::asset::{
    Asset, AssetCommand, AssetError, AssetProcessingFailed, AssetVideoEncoded,
    AssetVideoEncodingSkipped, Stage,
};

use crate::assets::{stream, subject};
use crate::context::CommandContext;
use crate::dispatch::{Commands, Outcome};
use crate::error::CommandError;

/// What became of a film.
#[derive(Clone, Debug)]
pub enum FilmFound {
    /// A copy was made.
    Encoded(AssetVideoEncoded),
    /// No copy is wanted.
    Skipped(AssetVideoEncodingSkipped),
    /// It cannot be encoded.
    Failed(AssetProcessingFailed),
}

impl Commands {
    /// Records what became of a film.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn record_film(
        &self,
        ctx: &CommandContext,
        asset_id: AssetId,
        found: FilmFound,
    ) -> Result<Outcome, CommandError<AssetError>> {
        let command = match found {
            FilmFound::Encoded(made) => AssetCommand::RecordVideoEncoded(Box::new(made)),
            FilmFound::Skipped(left) => AssetCommand::RecordVideoSkipped(Box::new(left)),
            FilmFound::Failed(failed) => AssetCommand::RecordFailure(Box::new(failed)),
        };
        let subject = Some(subject(asset_id));
        self.dispatch::<Asset>(ctx, stream(asset_id), subject, &command).await
    }

    /// Asks for a step of processing that was taken off its queue.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn request_left(
        &self,
        ctx: &CommandContext,
        asset_ids: &[AssetId],
        stage: Stage,
    ) -> Result<Outcome, CommandError<AssetError>> {
        self.bulk(ctx, asset_ids, &[AssetCommand::RequestLeft { stage }]).await
    }
}
