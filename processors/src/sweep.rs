//! Removes the files of an asset that was deleted for good.

use calotype_domain::AssetId;
use calotype_domain::asset::AssetEvent;
use calotype_domain::event::DomainEvent as _;
use calotype_eventstore::{Revision, StreamId};
use calotype_media::blob::BlobKey;

use crate::develop::NAME;
use crate::error::ProcessorError;
use crate::parked;
use crate::worker::Worker;

/// Events of one asset looked at.
const ASSET_EVENTS_MAX: u32 = 10_000;

impl Worker {
    /// Removes original, sidecar and derived files of a purged asset. Missing ones count as removed.
    pub(crate) async fn sweep(&self, asset_id: AssetId) -> Result<(), ProcessorError> {
        let stream_id = StreamId::new("asset", asset_id);
        let recorded =
            self.store.read_stream(&stream_id, Revision::new(0), ASSET_EVENTS_MAX).await?;
        let mut keys: Vec<String> = Vec::new();
        let mut purged = false;
        for event in recorded {
            let decoded = AssetEvent::from_raw(&event.event_type, event.version, event.payload)
                .map_err(|error| ProcessorError::Command(Box::new(error)))?;
            match decoded {
                AssetEvent::Uploaded(uploaded) => {
                    keys.push(uploaded.original.key);
                    keys.extend(uploaded.sidecar.map(|sidecar| sidecar.key));
                }
                AssetEvent::SidecarReplaced(replaced) => keys.push(replaced.sidecar.key),
                AssetEvent::ThumbnailsRecorded(made) => {
                    keys.push(made.thumbnail.key);
                    keys.push(made.preview.key);
                }
                AssetEvent::Purged(_) => purged = true,
                _ => {}
            }
        }
        if !purged {
            return Ok(());
        }
        for key in keys {
            if let Ok(key) = BlobKey::parse(&key) {
                self.blobs.remove(&key).await?;
            }
        }
        parked::unpark(&self.pool, NAME, asset_id).await
    }
}
