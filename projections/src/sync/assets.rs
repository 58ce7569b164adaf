//! Events of assets to rows of `sync_assets_v1`.

use std::collections::HashMap;

use calotype_domain::asset::AssetEvent;
use calotype_domain::catalogue::AnyEvent;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::change;
use super::kind::{Feed, Kind};
use super::ledger::{Key, Ledger};
use crate::error::ProjectionError;
use crate::event::Event;

/// One asset in the change log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
struct Row {
    asset_id: Uuid,
    revision: i64,
    owner_id: Uuid,
    visibility: String,
    is_trashed: bool,
    change: i64,
    exif_change: i64,
    hidden_change: Option<i64>,
}

impl Row {
    /// Whether partners of the owner see it, as `domain::access` decides.
    fn is_shown(&self) -> bool {
        !self.is_trashed && matches!(self.visibility.as_str(), "timeline" | "hidden")
    }
}

/// The assets of a batch, changed event by event.
pub(super) struct Assets {
    before: HashMap<Uuid, Row>,
    after: HashMap<Uuid, Option<Row>>,
}

impl Assets {
    /// Loads the assets that these events are about.
    pub(super) async fn load_in_tx(
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<Self, ProjectionError> {
        let mut ids: Vec<Uuid> = events
            .iter()
            .filter(|event| matches!(event.what, AnyEvent::Asset(_)))
            .map(|event| event.key)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let mut before = HashMap::new();
        if !ids.is_empty() {
            let rows: Vec<Row> =
                sqlx::query_as("select * from sync_assets_v1 where asset_id = any($1)")
                    .bind(&ids)
                    .fetch_all(tx)
                    .await?;
            before.extend(rows.into_iter().map(|row| (row.asset_id, row)));
        }
        let after = ids.into_iter().map(|id| (id, before.get(&id).cloned())).collect();
        Ok(Self { before, after })
    }

    /// What else these events may change: the asset itself when it goes, and what its owner stores.
    pub(super) fn keys(&self, events: &[&Event]) -> Vec<Key> {
        let mut owners: HashMap<Uuid, Uuid> =
            self.before.values().map(|row| (row.asset_id, row.owner_id)).collect();
        let mut keys = Vec::new();
        for event in events {
            let AnyEvent::Asset(what) = &event.what else { continue };
            match what {
                AssetEvent::Uploaded(uploaded) => {
                    owners.insert(event.key, uploaded.owner_id.uuid());
                }
                AssetEvent::Purged(_) => keys.push(Key::new(Kind::Asset, event.key)),
                _ => continue,
            }
            if let Some(owner_id) = owners.get(&event.key) {
                keys.push(Key::new(Kind::AuthUser, *owner_id));
            }
        }
        keys
    }

    /// Takes in one event.
    pub(super) fn apply(&mut self, event: &Event, what: &AssetEvent, ledger: &mut Ledger) {
        let number = change(event.position.get(), 0);
        let row = self.after.remove(&event.key).flatten();
        if row.as_ref().is_some_and(|row| row.revision >= event.revision) {
            self.after.insert(event.key, row);
            return;
        }
        let mut row = match (row, what) {
            (None, AssetEvent::Uploaded(uploaded)) => {
                let owner_id = uploaded.owner_id.uuid();
                // What somebody stores is part of their account.
                ledger.touch(&Key::new(Kind::AuthUser, owner_id), number);
                Row {
                    asset_id: event.key,
                    revision: event.revision,
                    owner_id,
                    visibility: uploaded.visibility.as_str().to_owned(),
                    is_trashed: false,
                    change: number,
                    exif_change: number,
                    hidden_change: None,
                }
            }
            (None, _) => {
                self.after.insert(event.key, None);
                return;
            }
            (Some(row), _) => row,
        };
        row.revision = event.revision;
        let was_shown = row.is_shown();
        let touches = touches(what);
        match what {
            AssetEvent::VisibilityChanged(changed) => {
                changed.visibility.as_str().clone_into(&mut row.visibility);
            }
            AssetEvent::Trashed(_) => row.is_trashed = true,
            AssetEvent::Restored(_) => row.is_trashed = false,
            _ => {}
        }
        if let Touches::Gone = touches {
            ledger.touch(&Key::new(Kind::AuthUser, row.owner_id), number);
            let key = Key::new(Kind::Asset, row.asset_id);
            ledger.gone_from(&key, row.owner_id, number, event.recorded_at);
            for feed in [Feed::Assets, Feed::AssetExifs, Feed::PartnerAssetsGone] {
                ledger.raise(feed, row.owner_id, number);
            }
            self.after.insert(event.key, None);
            return;
        }
        if let Touches::Asset | Touches::Both = touches {
            row.change = number;
            ledger.raise(Feed::Assets, row.owner_id, number);
        }
        if let Touches::Exif | Touches::Both = touches {
            row.exif_change = number;
            ledger.raise(Feed::AssetExifs, row.owner_id, number);
        }
        if was_shown && !row.is_shown() {
            row.hidden_change = Some(number);
            ledger.raise(Feed::PartnerAssetsGone, row.owner_id, number);
        }
        if !was_shown && row.is_shown() {
            // Partners have not heard of it, or were told to forget it.
            row.exif_change = number;
            ledger.raise(Feed::AssetExifs, row.owner_id, number);
        }
        self.after.insert(event.key, Some(row));
    }

    /// Writes what changed.
    pub(super) async fn store_in_tx(self, tx: &mut PgConnection) -> Result<(), ProjectionError> {
        let mut gone = Vec::new();
        let mut rows = Vec::new();
        for (asset_id, after) in &self.after {
            match (self.before.get(asset_id), after) {
                (Some(_), None) => gone.push(*asset_id),
                (before, Some(row)) if before != Some(row) => rows.push(row),
                _ => {}
            }
        }
        if !gone.is_empty() {
            sqlx::query("delete from sync_assets_v1 where asset_id = any($1)")
                .bind(&gone)
                .execute(&mut *tx)
                .await?;
        }
        if !rows.is_empty() {
            let json = serde_json::to_string(&rows)
                .map_err(|source| ProjectionError::Row { table: "sync_assets_v1", source })?;
            sqlx::query(
                "insert into sync_assets_v1
                 select * from json_populate_recordset(null::sync_assets_v1, $1::json)
                 on conflict (asset_id) do update
                    set revision = excluded.revision, visibility = excluded.visibility,
                        is_trashed = excluded.is_trashed, change = excluded.change,
                        exif_change = excluded.exif_change, hidden_change = excluded.hidden_change",
            )
            .bind(json)
            .execute(tx)
            .await?;
        }
        Ok(())
    }
}

/// Which of an asset's lines an event changes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Touches {
    Nothing,
    Asset,
    Exif,
    Both,
    Gone,
}

fn touches(what: &AssetEvent) -> Touches {
    match what {
        AssetEvent::Uploaded(_)
        | AssetEvent::MetadataRecorded(_)
        | AssetEvent::DateChanged(_)
        | AssetEvent::DateReverted(_) => Touches::Both,
        AssetEvent::ThumbnailsRecorded(_)
        | AssetEvent::Favorited(_)
        | AssetEvent::Unfavorited(_)
        | AssetEvent::VisibilityChanged(_)
        | AssetEvent::Trashed(_)
        | AssetEvent::Restored(_)
        | AssetEvent::Stacked(_)
        | AssetEvent::Unstacked(_) => Touches::Asset,
        AssetEvent::DescriptionChanged(_)
        | AssetEvent::RatingChanged(_)
        | AssetEvent::LocationChanged(_)
        | AssetEvent::PlaceFound(_)
        | AssetEvent::DescriptionReverted(_)
        | AssetEvent::RatingReverted(_)
        | AssetEvent::LocationReverted(_) => Touches::Exif,
        AssetEvent::ProcessingFailed(_)
        | AssetEvent::ProcessingRequested(_)
        | AssetEvent::FailureDismissed(_)
        | AssetEvent::DuplicatesDismissed(_)
        | AssetEvent::DuplicatesFound(_)
        | AssetEvent::KeyValueRemoved(_)
        | AssetEvent::KeyValueSet(_)
        | AssetEvent::SidecarReplaced(_)
        | AssetEvent::Tagged(_)
        | AssetEvent::TaggedByFile(_)
        | AssetEvent::UntaggedByFile(_)
        | AssetEvent::Untagged(_) => Touches::Nothing,
        AssetEvent::Purged(_) => Touches::Gone,
    }
}
