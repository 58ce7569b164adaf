//! Removes the files of an asset that was deleted for good, and pictures that others took the place of.

use std::collections::BTreeSet;
use std::time::Duration;

use calotype_domain::AssetId;
use calotype_domain::asset::{Asset, AssetEvent, ShownPictures, Stage};
use calotype_domain::event::Aggregate as _;

use crate::develop::NAME;
use crate::error::ProcessorError;
use crate::parked;
use crate::worker::Worker;

/// How long to wait for an asset in hand.
const SHORTLY: Duration = Duration::from_millis(500);

impl Worker {
    /// Removes files beside an original that somebody deleted. What is being made again stays: it is in the
    /// same place.
    pub(crate) async fn sweep_deleted(&self, asset_id: AssetId) -> Result<(), ProcessorError> {
        let (in_hand, files) = (self.take(asset_id), self.hold_files(asset_id).await?);
        if in_hand.is_none() || files.is_none() {
            return Err(ProcessorError::NotYet { after: SHORTLY });
        }
        let history = self.asset_events(asset_id).await?;
        // Every place that it was ever in, so the events are gone through one by one.
        let (mut asset, mut sidecars, mut place) = (Asset::default(), BTreeSet::new(), None);
        for event in history.whats() {
            asset.evolve(event);
            sidecars.extend(asset.sidecar().map(|sidecar| sidecar.key.clone()));
            place = asset.places().sidecar().map(str::to_owned).or(place);
        }
        // A template's key may be another asset's by now, unless it is beside this one's original.
        let beside = format!("{}.xmp", asset.places().original());
        sidecars.extend(place.filter(|place| *place == beside));
        if !asset.is_sidecar_behind() {
            let known =
                [asset.sidecar().map(|sidecar| sidecar.key.as_str()), asset.places().sidecar()];
            let gone: Vec<String> =
                sidecars.into_iter().filter(|key| !known.contains(&Some(key.as_str()))).collect();
            self.remove_all(&gone).await?;
        }
        if !asset.is_asked_for(Stage::Thumbnails) {
            self.sweep_former(asset_id).await?;
        }
        self.sweep_copy(asset_id).await
    }

    /// Removes original, sidecar and derived files of a purged asset. Missing ones count as removed.
    pub(crate) async fn sweep(&self, asset_id: AssetId) -> Result<(), ProcessorError> {
        let history = self.asset_events(asset_id).await?;
        let mut keys: Vec<String> = Vec::new();
        let mut purged = false;
        for told in history.events {
            match told.what {
                AssetEvent::Uploaded(uploaded) => {
                    keys.push(uploaded.original.key);
                    keys.extend(uploaded.sidecar.map(|sidecar| sidecar.key));
                }
                AssetEvent::SidecarReplaced(replaced) => keys.push(replaced.sidecar.key),
                AssetEvent::SidecarWritten(written) => {
                    keys.extend(written.sidecar.map(|sidecar| sidecar.key));
                }
                AssetEvent::VideoEncoded(made) => keys.push(made.key),
                AssetEvent::Purged(_) => purged = true,
                made => keys.extend(made.pictures().map(str::to_owned)),
            }
        }
        if !purged {
            return Ok(());
        }
        self.remove_all(&keys).await?;
        // Where a template put them the events say no more: their words went with the asset's key.
        self.forget_place(asset_id).await?;
        parked::unpark(&self.pool, NAME, asset_id).await
    }

    /// Removes the pictures of an asset that others took the place of: made with other options, or of other
    /// edits. Missing ones count as removed.
    pub(crate) async fn sweep_former(&self, asset_id: AssetId) -> Result<(), ProcessorError> {
        let history = self.asset_events(asset_id).await?;
        let mut shown = ShownPictures::default();
        history.whats().for_each(|event| shown.evolve(event));
        let all: BTreeSet<&str> = history.whats().flat_map(AssetEvent::pictures).collect();
        let former: Vec<String> =
            all.into_iter().filter(|key| !shown.has(key)).map(str::to_owned).collect();
        self.remove_all(&former).await
    }
}
