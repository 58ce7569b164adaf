//! What is still to be done for an asset, as its events and the queues say.

use std::collections::BTreeMap;

use calotype_domain::AssetId;
use calotype_domain::asset::{Asset, AssetEvent, AssetUploaded, ProcessorRef, Stage};
use calotype_eventstore::Revision;
use calotype_media::image::ImageWish;
use calotype_projections::config::Settings;
use uuid::Uuid;

use crate::edits;
use crate::error::ProcessorError;
use crate::history::History;
use crate::library::as_it_lies;
use crate::wishes::image_wish;
use crate::worker::Worker;

/// Rises when what is read of a file changes.
const METADATA_VERSION: u32 = 4;
/// Rises when the pictures made of a file change.
pub(super) const THUMBNAILS_VERSION: u32 = 2;

/// What is still to be done for an asset.
pub(crate) struct Wanted {
    pub(crate) asset: Asset,
    pub(super) revision: Revision,
    pub(crate) uploaded: AssetUploaded,
    pub(super) metadata: bool,
    pub(super) thumbnails: bool,
    pub(super) edits: bool,
    /// Keys of all pictures that were ever made of it.
    pub(super) made: Vec<String>,
    pub(super) correlation_id: Uuid,
    pub(super) event_id: Uuid,
}

/// Which program reads metadata.
pub(super) fn metadata_processor() -> ProcessorRef {
    ProcessorRef { name: "metadata".into(), version: METADATA_VERSION }
}

/// Which program makes pictures.
pub(super) fn thumbnails_processor() -> ProcessorRef {
    ProcessorRef { name: "thumbnails".into(), version: THUMBNAILS_VERSION }
}

impl Wanted {
    /// What its pictures are to be like.
    pub(super) fn image_wish(&self, settings: &Settings) -> ImageWish {
        let file = self.uploaded.file.known();
        let file_name = file.map(|file| file.original_file_name.as_str());
        image_wish(settings, self.uploaded.kind, file_name)
    }
}

impl Worker {
    /// Reads the asset's stream and says what is still to be done; `None` when nothing is.
    pub(super) async fn wanted(&self, asset_id: AssetId) -> Result<Option<Wanted>, ProcessorError> {
        let History { asset, uploaded, events } = self.asset_events(asset_id).await?;
        let (Some(uploaded), Some(last)) = (uploaded, events.last()) else { return Ok(None) };
        let (correlation_id, event_id, revision) =
            (last.correlation_id, last.event_id, last.revision);
        let mut requested: BTreeMap<Stage, i64> = BTreeMap::new();
        let mut made = Vec::new();
        for told in &events {
            made.extend(told.what.pictures().map(str::to_owned));
            if let AssetEvent::ProcessingRequested(request) = &told.what {
                requested.insert(request.stage, told.revision.get());
            }
        }
        let Some(uploaded) = as_it_lies(&asset, uploaded) else { return Ok(None) };
        let left = self.queries.steps_left(asset_id.uuid()).await?;
        let paused = self.paused_stages().await?;
        let wants = |stage: Stage, processor: ProcessorRef| {
            // What the read model has not heard of yet was asked for after the step was taken off.
            let is_left = left.missing.iter().any(|left| left == stage.as_str())
                && requested.get(&stage).is_none_or(|revision| *revision <= left.revision);
            asset.wants(stage, &processor) && !is_left && !paused.contains(&stage)
        };
        let metadata = wants(Stage::Metadata, metadata_processor());
        let thumbnails = wants(Stage::Thumbnails, thumbnails_processor());
        let edits = wants(Stage::Edits, edits::processor());
        Ok((metadata || thumbnails || edits).then_some(Wanted {
            asset,
            revision,
            uploaded,
            metadata,
            thumbnails,
            edits,
            made,
            correlation_id,
            event_id,
        }))
    }
}
