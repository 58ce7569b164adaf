//! Assets in albums: every change of an asset once more in the feed of each album that shows it.

use std::collections::{BTreeMap, BTreeSet};

use calotype_domain::album::AlbumEvent;
use calotype_domain::catalogue::AnyEvent;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::assets::{Moved, Shown};
use super::change;
use super::feed::Feed;
use super::kind::Kind;
use super::ledger::{Key, Ledger};
use crate::error::ProjectionError;
use crate::event::Event;

/// An asset in an album.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
struct Row {
    album_id: Uuid,
    asset_id: Uuid,
    is_shown: bool,
    added: i64,
    change: i64,
    exif_change: i64,
}

type Pair = (Uuid, Uuid);

/// The rows of a batch, by asset and album.
#[derive(Debug, Default)]
pub(super) struct AlbumAssets {
    before: BTreeMap<Pair, Row>,
    after: BTreeMap<Pair, Row>,
    deleted_albums: BTreeSet<Uuid>,
}

/// The assets and albums that events put together or take apart.
fn named(events: &[&Event]) -> Vec<Pair> {
    events
        .iter()
        .filter_map(|event| match &event.what {
            AnyEvent::Album(AlbumEvent::AssetsAdded(added)) => Some((event.key, &added.asset_ids)),
            AnyEvent::Album(AlbumEvent::AssetsRemoved(gone)) => Some((event.key, &gone.asset_ids)),
            _ => None,
        })
        .flat_map(|(album_id, ids)| ids.iter().map(move |id| (id.uuid(), album_id)))
        .collect()
}

/// The assets that events put into albums.
pub(super) fn named_assets(events: &[&Event]) -> Vec<Uuid> {
    named(events).into_iter().map(|(asset_id, _)| asset_id).collect()
}

impl AlbumAssets {
    /// Loads the rows of the assets that events change or name.
    pub(super) async fn load_in_tx(
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<Self, ProjectionError> {
        let mut ids: Vec<Uuid> = events
            .iter()
            .filter(|event| matches!(event.what, AnyEvent::Asset(_)))
            .map(|event| event.key)
            .chain(named_assets(events))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(Self::default());
        }
        let rows: Vec<Row> =
            sqlx::query_as("select * from sync_album_assets_v2 where asset_id = any($1)")
                .bind(&ids)
                .fetch_all(tx)
                .await?;
        let before: BTreeMap<Pair, Row> =
            rows.into_iter().map(|row| ((row.asset_id, row.album_id), row)).collect();
        Ok(Self { after: before.clone(), before, deleted_albums: BTreeSet::new() })
    }

    /// The albums that show assets of the batch.
    pub(super) fn albums(&self) -> BTreeSet<Uuid> {
        self.before.keys().map(|(_, album_id)| *album_id).collect()
    }

    /// The things that may leave an album or come back.
    pub(super) fn keys(&self, events: &[&Event]) -> Vec<Key> {
        self.before
            .keys()
            .copied()
            .chain(named(events))
            .map(|(asset_id, album_id)| key(album_id, asset_id))
            .collect()
    }

    /// Takes in one event of an album. `is_shown` says of an asset whether members see it.
    pub(super) fn apply(
        &mut self,
        event: &Event,
        what: &AlbumEvent,
        is_shown: impl Fn(Uuid) -> bool,
        ledger: &mut Ledger,
    ) {
        let position = event.position.get();
        let album_id = event.key;
        match what {
            AlbumEvent::AssetsAdded(added) => {
                for (place, asset_id) in added.asset_ids.iter().enumerate() {
                    let asset_id = asset_id.uuid();
                    let number = change(position, place);
                    if self.after.get(&(asset_id, album_id)).is_some_and(|row| row.added >= number)
                    {
                        continue;
                    }
                    let row = Row {
                        album_id,
                        asset_id,
                        is_shown: is_shown(asset_id),
                        added: number,
                        change: number,
                        exif_change: number,
                    };
                    if row.is_shown {
                        ledger.back(&key(album_id, asset_id), number);
                    }
                    // Also of what does not show: whether it did then is not known when the event comes again.
                    ledger.raise(Feed::AlbumAssetsAdded, album_id, number);
                    self.after.insert((asset_id, album_id), row);
                }
            }
            AlbumEvent::AssetsRemoved(removed) => {
                for (place, asset_id) in removed.asset_ids.iter().enumerate() {
                    let number = change(position, place);
                    self.take((asset_id.uuid(), album_id), number, event.recorded_at, ledger);
                }
            }
            AlbumEvent::Deleted(_) => {
                self.deleted_albums.insert(album_id);
                self.after.retain(|(_, of), _| *of != album_id);
            }
            AlbumEvent::Created(_)
            | AlbumEvent::Restored(_)
            | AlbumEvent::Purged(_)
            | AlbumEvent::CoverReset(_)
            | AlbumEvent::Renamed(_)
            | AlbumEvent::DescriptionChanged(_)
            | AlbumEvent::OrderChanged(_)
            | AlbumEvent::CoverChosen(_)
            | AlbumEvent::ActivityEnabled(_)
            | AlbumEvent::ActivityDisabled(_)
            | AlbumEvent::UserAdded(_)
            | AlbumEvent::UserRemoved(_)
            | AlbumEvent::UserRoleChanged(_) => {}
        }
    }

    /// Takes in what an event did to an asset; says which albums look different now, and since which change.
    pub(super) fn follow(
        &mut self,
        event: &Event,
        moved: Moved,
        ledger: &mut Ledger,
    ) -> Vec<(Uuid, i64)> {
        let asset_id = event.key;
        let range = (asset_id, Uuid::nil())..=(asset_id, Uuid::max());
        let albums: Vec<Uuid> =
            self.after.range(range).map(|((_, album_id), _)| *album_id).collect();
        let mut changed = Vec::new();
        for (place, album_id) in albums.into_iter().enumerate() {
            let number = change(event.position.get(), place);
            let pair = (asset_id, album_id);
            if moved.shown == Shown::Gone {
                changed.push((album_id, number));
                self.take(pair, number, event.recorded_at, ledger);
                continue;
            }
            let Some(row) = self.after.get_mut(&pair) else { continue };
            if row.added >= number {
                continue;
            }
            if moved.placed {
                changed.push((album_id, number));
            }
            match (row.is_shown, moved.shown) {
                (true, Shown::No) => {
                    row.is_shown = false;
                    ledger.gone_from(&key(album_id, asset_id), album_id, number, event.recorded_at);
                }
                (false, Shown::Yes) => {
                    *row = Row {
                        is_shown: true,
                        added: number,
                        change: number,
                        exif_change: number,
                        ..row.clone()
                    };
                    ledger.back(&key(album_id, asset_id), number);
                    ledger.raise(Feed::AlbumAssetsAdded, album_id, number);
                }
                _ => {}
            }
            if !row.is_shown {
                continue;
            }
            if moved.asset {
                row.change = number;
                ledger.raise(Feed::AlbumAssetsChanged, album_id, number);
            }
            if moved.exif {
                row.exif_change = number;
                ledger.raise(Feed::AlbumExifsChanged, album_id, number);
            }
        }
        changed
    }

    /// Takes an asset out of an album, unless it was put there later.
    fn take(&mut self, pair: Pair, number: i64, at: DateTime<Utc>, ledger: &mut Ledger) {
        let (asset_id, album_id) = pair;
        if self.after.get(&pair).is_none_or(|row| row.added >= number) {
            return;
        }
        // Told of what did not show, too, for the same reason; a phone that has it not hears of it in vain.
        if self.after.remove(&pair).is_some() {
            ledger.gone_from(&key(album_id, asset_id), album_id, number, at);
        }
    }

    /// Writes what changed.
    pub(super) async fn store_in_tx(self, tx: &mut PgConnection) -> Result<(), ProjectionError> {
        if !self.deleted_albums.is_empty() {
            sqlx::query("delete from sync_album_assets_v2 where album_id = any($1)")
                .bind(self.deleted_albums.iter().copied().collect::<Vec<Uuid>>())
                .execute(&mut *tx)
                .await?;
        }
        let gone: Vec<Pair> =
            self.before.keys().filter(|pair| !self.after.contains_key(pair)).copied().collect();
        if !gone.is_empty() {
            let (assets, albums): (Vec<Uuid>, Vec<Uuid>) = gone.into_iter().unzip();
            sqlx::query(
                "delete from sync_album_assets_v2 as held
                  using unnest($1::uuid[], $2::uuid[]) as gone (asset_id, album_id)
                  where held.asset_id = gone.asset_id and held.album_id = gone.album_id",
            )
            .bind(assets)
            .bind(albums)
            .execute(&mut *tx)
            .await?;
        }
        let fresh: Vec<&Row> = self
            .after
            .iter()
            .filter(|(pair, row)| self.before.get(pair) != Some(row))
            .map(|(_, row)| row)
            .collect();
        if !fresh.is_empty() {
            let json = serde_json::to_string(&fresh)
                .map_err(|source| ProjectionError::Row { table: "sync_album_assets_v2", source })?;
            sqlx::query(
                "insert into sync_album_assets_v2
                 select * from json_populate_recordset(null::sync_album_assets_v2, $1::json)
                 on conflict (album_id, asset_id) do update
                    set is_shown = excluded.is_shown, added = excluded.added,
                        change = excluded.change, exif_change = excluded.exif_change",
            )
            .bind(json)
            .execute(tx)
            .await?;
        }
        Ok(())
    }
}

/// An asset of an album in the album's feed.
fn key(album_id: Uuid, asset_id: Uuid) -> Key {
    Key::with_part(Kind::AlbumAsset, album_id, asset_id.to_string())
}
