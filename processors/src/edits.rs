//! Makes the pictures of edited photos, from the original each time, so that nothing is lost by editing twice.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use calotype_commands::assets::Findings;
use calotype_domain::AssetId;
use calotype_domain::asset::{
    AssetEditedPicturesRecorded, AssetProcessingFailed, ProcessorRef, Stage,
};
use calotype_media::blob::Role;
use calotype_media::decoder::{DecodeError, Job, Want};
use calotype_media::image::{Derived, Picture};
use calotype_projections::config::Settings;

use crate::develop::{Wanted, failure_code};
use crate::error::ProcessorError;
use crate::wishes::edited_wish;
use crate::worker::Worker;

/// How long a photo waits that was moved while it was read.
const MOVED_WAIT: Duration = Duration::from_millis(500);
/// Rises when the pictures made of an edited photo change.
const VERSION: u32 = 1;

/// Which program makes them.
pub(crate) fn processor() -> ProcessorRef {
    ProcessorRef { name: "edits".into(), version: VERSION }
}

impl Worker {
    /// Makes the pictures of an edited photo, or finds out why they cannot be made.
    pub(crate) async fn edit(
        &self,
        asset_id: AssetId,
        wanted: &Wanted,
        settings: &Settings,
        last_try: bool,
        findings: &mut Findings,
    ) -> Result<(), ProcessorError> {
        let Some(geometry) = wanted.asset.editing().geometry() else { return Ok(()) };
        let wish = edited_wish(settings, &geometry);
        let source = self.source_of(&wanted.uploaded.original.key).await?;
        let want = Want { metadata: false, images: Some(wish) };
        let job = Job { source: source.path().to_owned(), sidecar: None, want };
        let decoders = self.decoders.apart(wanted.uploaded.owner_id.uuid());
        let made = self.gate.unless_closed(decoders.run(&job)).await?;
        if !self.lies_still(asset_id, &wanted.uploaded.original.key).await? {
            return Err(ProcessorError::NotYet { after: MOVED_WAIT });
        }
        let nothing = || DecodeError::Unavailable {
            reason: "no picture of the edited photo came back".to_owned(),
        };
        let made = made.and_then(|report| report.images.unwrap_or_else(|| Err(nothing())));
        let pictures = match made {
            Ok(Derived { full: Some(full), thumbnail, preview, thumbhash }) => {
                Ok((full, thumbnail, preview, thumbhash))
            }
            Ok(_) => Err(nothing()),
            Err(error) => Err(error),
        };
        match pictures {
            Ok((full, thumbnail, preview, thumbhash)) => {
                let edit_ids = wanted.asset.editing().edits().iter().map(|edit| edit.edit_id);
                let recipe = wish.recipe(VERSION);
                let store = |role, format, picture: Picture| {
                    self.store_picture_of(asset_id, wanted, (role, &recipe, format), picture)
                };
                findings.edited = Some(AssetEditedPicturesRecorded {
                    processor: processor(),
                    input_blake3: wanted.uploaded.original.blake3.clone(),
                    edit_ids: edit_ids.collect(),
                    thumbhash: STANDARD.encode(&thumbhash),
                    thumbnail: store(Role::EditedThumbnail, wish.thumbnail_format, thumbnail)
                        .await?,
                    preview: store(Role::EditedPreview, wish.preview_format, preview).await?,
                    full_size: store(
                        Role::EditedFullSize,
                        wish.full.map_or(wish.preview_format, |full| full.format),
                        full,
                    )
                    .await?,
                });
                Ok(())
            }
            Err(error) if error.is_worth_retrying() && !last_try => {
                Err(ProcessorError::Decoder(error))
            }
            Err(error) => {
                findings.failures.push(AssetProcessingFailed {
                    stage: Stage::Edits,
                    processor: processor(),
                    input_blake3: wanted.uploaded.original.blake3.clone(),
                    code: failure_code(&error).to_owned(),
                    reason: error.to_string(),
                });
                Ok(())
            }
        }
    }
}
