//! Events of assets to rows of `sync_assets_v2`.

use std::collections::HashMap;

use calotype_domain::asset::AssetEvent;
use calotype_domain::catalogue::AnyEvent;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::feed::Feed;
use super::kind::Kind;
use super::ledger::{Key, Ledger};
use super::touches::{Touches, touches};
use super::{album_assets, change, organized};
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

    /// Whether the members of an album see it there.
    fn is_in_albums(&self) -> bool {
        !self.is_trashed && self.visibility != "locked"
    }
}

/// Whether the members of an album see an asset in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Yes,
    No,
    /// There is no asset any more.
    Gone,
}

/// What an event did to an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moved {
    /// Whether its own line changed.
    pub(super) asset: bool,
    /// Whether the line of its metadata changed.
    pub(super) exif: bool,
    /// Whether it was moved to where it shows or does not: covers of albums may follow.
    pub(super) placed: bool,
    /// How albums show it now.
    pub(super) shown: Shown,
}

/// The assets of a batch, changed event by event.
pub(super) struct Assets {
    before: HashMap<Uuid, Row>,
    after: HashMap<Uuid, Option<Row>>,
}

impl Assets {
    /// Whose an asset of the batch is.
    pub(super) fn owner(&self, asset_id: Uuid) -> Option<Uuid> {
        self.after.get(&asset_id)?.as_ref().map(|row| row.owner_id)
    }

    /// An album that showed an asset of the batch does so no longer: partners of the owner who saw it there
    /// alone are told.
    pub(super) fn left_album(&mut self, asset_id: Uuid, number: i64, ledger: &mut Ledger) {
        let row = self.after.get_mut(&asset_id).and_then(Option::as_mut);
        if let Some(row) = row.filter(|row| !row.is_shown())
            && row.hidden_change.is_none_or(|known| known < number)
        {
            row.hidden_change = Some(number);
            ledger.raise(Feed::PartnerAssetsGone, row.owner_id, number);
        }
    }

    /// Whether the members of an album see an asset of the batch.
    pub(super) fn is_in_albums(&self, asset_id: Uuid) -> bool {
        self.after.get(&asset_id).and_then(Option::as_ref).is_some_and(Row::is_in_albums)
    }

    /// Loads the assets that these events are about.
    pub(super) async fn load_in_tx(
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<Self, ProjectionError> {
        let mut ids: Vec<Uuid> = events
            .iter()
            .filter(|event| matches!(event.what, AnyEvent::Asset(_) | AnyEvent::Faces(_)))
            .map(|event| event.key)
            .chain(album_assets::named_assets(events))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let mut before = HashMap::new();
        if !ids.is_empty() {
            let rows: Vec<Row> =
                sqlx::query_as("select * from sync_assets_v2 where asset_id = any($1)")
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

    /// Takes in one event; says what it did, where it is new.
    pub(super) fn apply(
        &mut self,
        event: &Event,
        what: &AssetEvent,
        ledger: &mut Ledger,
    ) -> Option<Moved> {
        let number = change(event.position.get(), 0);
        let row = self.after.remove(&event.key).flatten();
        if row.as_ref().is_some_and(|row| row.revision >= event.revision) {
            self.after.insert(event.key, row);
            return None;
        }
        let mut row = match (row, what) {
            // Applied once more, it takes out again what events before it have just put into albums.
            (None, AssetEvent::Purged(_)) => {
                self.after.insert(event.key, None);
                return Some(Moved { asset: false, exif: false, placed: true, shown: Shown::Gone });
            }
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
                return None;
            }
            (Some(row), _) => row,
        };
        row.revision = event.revision;
        let (was_shown, was_in_albums) = (row.is_shown(), row.is_in_albums());
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
            return Some(Moved { asset: false, exif: false, placed: true, shown: Shown::Gone });
        }
        if let Touches::Asset | Touches::Both = touches {
            row.change = number;
            ledger.raise(Feed::Assets, row.owner_id, number);
        }
        if let Touches::Exif | Touches::Both = touches {
            row.exif_change = number;
            ledger.raise(Feed::AssetExifs, row.owner_id, number);
        }
        if was_shown && !row.is_shown() || was_in_albums && !row.is_in_albums() {
            row.hidden_change = Some(number);
            ledger.raise(Feed::PartnerAssetsGone, row.owner_id, number);
        }
        if !was_shown && row.is_shown() {
            // Partners have not heard of it, or were told to forget it.
            row.exif_change = number;
            ledger.raise(Feed::AssetExifs, row.owner_id, number);
            organized::show_in_memories(event, row.owner_id, ledger);
        }
        let shown = if row.is_in_albums() { Shown::Yes } else { Shown::No };
        self.after.insert(event.key, Some(row));
        Some(Moved {
            asset: matches!(touches, Touches::Asset | Touches::Both),
            exif: matches!(touches, Touches::Exif | Touches::Both),
            placed: matches!(
                what,
                AssetEvent::VisibilityChanged(_) | AssetEvent::Trashed(_) | AssetEvent::Restored(_)
            ),
            shown,
        })
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
            sqlx::query("delete from sync_assets_v2 where asset_id = any($1)")
                .bind(&gone)
                .execute(&mut *tx)
                .await?;
        }
        if !rows.is_empty() {
            let json = serde_json::to_string(&rows)
                .map_err(|source| ProjectionError::Row { table: "sync_assets_v2", source })?;
            sqlx::query(
                "insert into sync_assets_v2
                 select * from json_populate_recordset(null::sync_assets_v2, $1::json)
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
