//! Where the storage template wants an asset's files.

use std::collections::BTreeSet;

use calotype_domain::AssetId;
use calotype_domain::asset::{Asset, TEMPLATED_ROOT};
use calotype_domain::config::template::{Facts, Template};
use calotype_domain::config::{WantedPlace, folded};
use calotype_eventstore::Revision;
use calotype_media::blob::BlobKey;
use calotype_projections::assets::Placing;

use super::table;
use super::{ENABLED, step::Step};
use crate::error::ProcessorError;
use crate::worker::Worker;

/// The setting that holds the template.
const TEMPLATE: &str = "storageTemplate.template";
/// Files of one name that are told apart by number; further ones are by their id.
const NUMBERS_MAX: u32 = 10_000;
/// Numbers looked at in one go.
const NUMBERS_AT_ONCE: u32 = 100;

/// What to do with an asset of which nothing is being moved.
pub(super) enum Plan {
    /// Nothing now.
    Ended(Step),
    /// Move its original there.
    MoveTo(String),
}

impl Worker {
    /// Where the original of an asset is to lie.
    pub(super) async fn plan(
        &self,
        asset_id: AssetId,
        asset: &Asset,
        revision: Revision,
    ) -> Result<Plan, ProcessorError> {
        let settings = self.queries.settings().await?;
        // The file of a library is nobody's to move.
        if !settings.is_on(ENABLED) || asset.external().is_some() {
            return Ok(Plan::Ended(Step::Done));
        }
        let Ok(template) = Template::parse(settings.text(TEMPLATE)) else {
            return Ok(Plan::Ended(Step::Done));
        };
        let known = self.queries.placing(asset_id.uuid()).await?;
        let Some(known) = known.filter(|known| known.revision >= revision.get()) else {
            return Ok(Plan::Ended(Step::Busy));
        };
        let current = asset.places().original();
        let wanted = self.wanted_place(&template, &known, current).await?;
        let Some(key) = self.free_key(asset_id, &wanted, current).await? else {
            return Ok(Plan::Ended(Step::Done));
        };
        Ok(Plan::MoveTo(key))
    }

    /// A film of a live photo lies beside its still, everything else where the template says.
    async fn wanted_place(
        &self,
        template: &Template,
        known: &Placing,
        current: &str,
    ) -> Result<WantedPlace, ProcessorError> {
        let key = BlobKey::parse(current).map_err(|_| ProcessorError::NoPlace)?;
        let ending = key.ending();
        if known.is_video {
            let stills = self.queries.stills_of_film(known.asset_id).await?;
            if let Some(still_id) = stills.into_iter().min()
                && let Some(still) = self.queries.placing(still_id).await?
            {
                if still.original_key.starts_with(TEMPLATED_ROOT) {
                    return Ok(WantedPlace::beside(&still.original_key, ending));
                }
                return Ok(WantedPlace::new(template, &facts(&still), &owner(&still), ending));
            }
        }
        Ok(WantedPlace::new(template, &facts(known), &owner(known), ending))
    }

    /// The first key that is nobody's; nothing where the asset lies at the first one already.
    async fn free_key(
        &self,
        asset_id: AssetId,
        wanted: &WantedPlace,
        current: &str,
    ) -> Result<Option<String>, ProcessorError> {
        let current_seen = folded(current);
        for first in (0..NUMBERS_MAX).step_by(usize::try_from(NUMBERS_AT_ONCE).unwrap_or(1)) {
            let keys: Vec<String> =
                (first..first + NUMBERS_AT_ONCE).map(|number| wanted.key(number)).collect();
            let seen: Vec<String> = keys.iter().map(|key| folded(key)).collect();
            let taken = table::taken(&self.pool, asset_id.uuid(), &seen).await?;
            let taken: BTreeSet<String> = taken.into_iter().collect();
            for (key, seen) in keys.into_iter().zip(seen) {
                // Where only case differs both may be one file.
                if seen == current_seen {
                    return Ok(None);
                }
                if !taken.contains(&seen) && self.is_free(&key).await? {
                    return Ok(Some(key));
                }
            }
        }
        let key = wanted.key_by_id(&asset_id.to_string());
        Ok(if key != current && self.is_free(&key).await? { Some(key) } else { None })
    }

    /// Whether nothing lies there that nobody knows, nor beside it, where a sidecar of this asset may come.
    async fn is_free(&self, key: &str) -> Result<bool, ProcessorError> {
        let key = BlobKey::parse(key).map_err(|_| ProcessorError::NoPlace)?;
        Ok(self.blobs.stat(&key).await?.is_none()
            && self.blobs.stat(&key.sidecar()).await?.is_none())
    }
}

fn owner(known: &Placing) -> String {
    known.storage_label.clone().unwrap_or_else(|| known.owner_id.to_string())
}

fn facts(known: &Placing) -> Facts {
    let name = known.file_name.as_str();
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, extension),
        _ => (name, ""),
    };
    let word = |word: &Option<String>| word.clone().unwrap_or_default();
    let taken = known.local_date_time;
    Facts {
        taken,
        filename: stem.to_owned(),
        extension: extension.to_owned(),
        is_video: known.is_video,
        asset_id: known.asset_id.to_string(),
        make: word(&known.make),
        model: word(&known.model),
        lens_model: word(&known.lens_model),
        album: known.album.clone().map(|name| {
            (name, known.album_start.unwrap_or(taken), known.album_end.unwrap_or(taken))
        }),
    }
}
