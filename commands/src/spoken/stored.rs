//! Originals, sidecars and people's own pictures: what is lost of them is lost.

use std::collections::{BTreeMap, BTreeSet};

use calotype_domain::AssetId;
use calotype_domain::asset::{Asset, AssetError};
use calotype_domain::event::DomainEvent as _;
use calotype_domain::user::UserEvent;
use calotype_eventstore::{Recorded, StoreError};
use uuid::Uuid;

use super::{Error, SIDECAR_ENDING, named_after};
use crate::dispatch::Commands;
use crate::error::CommandError;
use crate::integrity::Findings;
use crate::reading::STREAMS_MAX;

/// Assets looked at in one go.
const ASSETS_AT_ONCE: i64 = 1_000;

impl Commands {
    /// Originals, their sidecars and their films are named after their asset. A sidecar that was laid beside it
    /// later has an id of its own.
    pub(super) async fn stored_under_ids<'a>(
        &self,
        findings: &Findings,
        keys: &BTreeSet<&'a str>,
    ) -> Result<BTreeSet<&'a str>, Error> {
        let mut wanted = BTreeSet::new();
        let mut others = BTreeSet::new();
        for key in keys {
            let is_wanted = match named_after(key) {
                Some(asset_id) => self.is_here(AssetId::new(asset_id)).await?,
                None => false,
            };
            if is_wanted {
                wanted.insert(*key)
            } else {
                others.insert(*key)
            };
        }
        if others.iter().any(|key| key.ends_with(SIDECAR_ENDING)) {
            let laid = |asset: &Asset, lies: &mut BTreeSet<String>| {
                lies.extend(asset.sidecar().map(|sidecar| sidecar.key.clone()));
                lies.extend(asset.places().sidecar().map(str::to_owned));
            };
            wanted.extend(self.lying(findings, "AssetSidecarReplaced", &others, laid).await?);
        }
        Ok(wanted)
    }

    /// Where a template put an asset's files stands in its own events alone.
    pub(super) async fn stored_by_template<'a>(
        &self,
        findings: &Findings,
        keys: &BTreeSet<&'a str>,
    ) -> Result<BTreeSet<&'a str>, Error> {
        // The words went with the key of one that is gone, so its places are not those of a template.
        let moved = |asset: &Asset, lies: &mut BTreeSet<String>| {
            let original = asset.places().original();
            lies.extend([original.to_owned(), format!("{original}{SIDECAR_ENDING}")]);
            lies.extend(asset.places().sidecar().map(str::to_owned));
        };
        self.lying(findings, "AssetOriginalMoved", keys, moved).await
    }

    /// Those of some keys under which `places` says that a file lies, of all assets of which an event of one type
    /// tells.
    async fn lying<'a>(
        &self,
        findings: &Findings,
        event_type: &str,
        keys: &BTreeSet<&'a str>,
        places: impl Fn(&Asset, &mut BTreeSet<String>),
    ) -> Result<BTreeSet<&'a str>, Error> {
        let (mut wanted, mut after) = (BTreeSet::new(), String::new());
        while !keys.is_empty() {
            let page = findings.streams_with(event_type, &after, ASSETS_AT_ONCE).await;
            let page = page.map_err(|error| {
                let attempt = "look through the assets that an event tells of";
                Error::Read(StoreError::Database { attempt, source: std::sync::Arc::new(error) })
            })?;
            let Some(last) = page.last() else { break };
            after.clone_from(last);
            for asset_id in page.iter().filter_map(|stream| asset_of(stream)) {
                let asset = self.asset(asset_id).await?;
                let mut lies = BTreeSet::new();
                if asset.owner_id().is_some() {
                    places(&asset, &mut lies);
                }
                wanted.extend(lies.iter().filter_map(|key| keys.get(key.as_str())).copied());
            }
        }
        Ok(wanted)
    }

    async fn is_here(&self, asset_id: AssetId) -> Result<bool, Error> {
        match self.asset(asset_id).await {
            Ok(asset) => Ok(asset.owner_id().is_some()),
            Err(CommandError::Refused(AssetError::NotFound)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// People's own pictures lie in a folder that is named after them.
    pub(super) async fn shown_of_users<'a>(
        &self,
        keys: &BTreeSet<&'a str>,
    ) -> Result<BTreeSet<&'a str>, Error> {
        let mut of_users: BTreeMap<Uuid, Vec<&'a str>> = BTreeMap::new();
        for key in keys {
            if let Some(user_id) = key.split('/').nth(1).and_then(|id| Uuid::try_parse(id).ok()) {
                of_users.entry(user_id).or_default().push(key);
            }
        }
        let user_ids: Vec<Uuid> = of_users.keys().copied().collect();
        let mut wanted = BTreeSet::new();
        for some in user_ids.chunks(STREAMS_MAX) {
            for (user_id, history) in some.iter().zip(self.histories("user", some).await?) {
                let shown = picture_of(&history)?;
                let keys = of_users.get(user_id).into_iter().flatten();
                wanted.extend(keys.filter(|key| shown.as_deref() == Some(**key)));
            }
        }
        Ok(wanted)
    }
}

/// The key of the picture that an account shows.
fn picture_of(history: &[Recorded]) -> Result<Option<String>, Error> {
    let mut shown = None;
    for event in history {
        let payload = event.payload.as_str();
        match UserEvent::from_raw(&event.event_type, event.version, payload)? {
            UserEvent::ProfileImageChanged(changed) => shown = Some(changed.image.key),
            UserEvent::ProfileImageRemoved(_) | UserEvent::Purged(_) => shown = None,
            _ => {}
        }
    }
    Ok(shown)
}

fn asset_of(stream_id: &str) -> Option<AssetId> {
    stream_id.strip_prefix("asset-")?.parse().ok()
}

impl Findings {
    /// Streams that have an event of a type, after one, in their order.
    async fn streams_with(
        &self,
        event_type: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<String>, sqlx::Error> {
        sqlx::query_scalar(
            "select distinct stream_id from log.events
              where type = $1 and stream_id > $2
              order by stream_id limit $3",
        )
        .bind(event_type)
        .bind(after)
        .bind(limit)
        .fetch_all(self.pool())
        .await
    }
}
