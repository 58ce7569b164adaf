//! What is in each album: rows that follow both the album's events and those of its assets.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use calotype_domain::album::AlbumEvent;
use calotype_domain::catalogue::AnyEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::facts::FactsRow;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::Change;

/// Places in one event; an event names no more assets than that.
const PLACES_AN_EVENT: i64 = 4_096;

/// What a batch puts into albums and takes out of them, in the end.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// By album and asset: its place, or nothing when it was taken out.
    places: BTreeMap<(Uuid, Uuid), Option<i64>>,
    /// Albums that are gone.
    gone: BTreeSet<Uuid>,
}

/// Works out what a batch moves. Events that an album's row has seen already move nothing.
pub(super) async fn moves_in_tx(
    tx: &mut PgConnection,
    events: &[&Event],
) -> Result<Moves, ProjectionError> {
    if events.is_empty() {
        return Ok(Moves::default());
    }
    let mut album_ids: Vec<Uuid> = events.iter().map(|event| event.key).collect();
    album_ids.sort_unstable();
    album_ids.dedup();
    let seen: Vec<(Uuid, i64)> =
        sqlx::query_as("select album_id, revision from albums_v1 where album_id = any($1)")
            .bind(&album_ids)
            .fetch_all(tx)
            .await?;
    Ok(moves(seen.into_iter().collect(), events))
}

fn moves(mut seen: HashMap<Uuid, i64>, events: &[&Event]) -> Moves {
    let mut moves = Moves::default();
    for event in events {
        let AnyEvent::Album(what) = &event.what else { continue };
        match (seen.get(&event.key), what) {
            (Some(revision), _) if *revision >= event.revision => continue,
            // What is not there takes in nothing; it may have been deleted.
            (None, what) if !matches!(what, AlbumEvent::Created(_) | AlbumEvent::Restored(_)) => {
                continue;
            }
            _ => {}
        }
        seen.insert(event.key, event.revision);
        match what {
            AlbumEvent::AssetsAdded(added) => {
                for (place, asset_id) in (0_i64..).zip(&added.asset_ids) {
                    let place = event.revision * PLACES_AN_EVENT + place;
                    moves.places.insert((event.key, asset_id.uuid()), Some(place));
                }
            }
            AlbumEvent::AssetsRemoved(removed) => {
                for asset_id in &removed.asset_ids {
                    moves.places.insert((event.key, asset_id.uuid()), None);
                }
            }
            AlbumEvent::Deleted(_) => {
                moves.places.retain(|(album_id, _), _| *album_id != event.key);
                moves.gone.insert(event.key);
                seen.remove(&event.key);
            }
            _ => {}
        }
    }
    moves
}

/// Writes what a batch moves; says which albums that touched.
pub(super) async fn store_in_tx(
    tx: &mut PgConnection,
    moves: &Moves,
) -> Result<BTreeSet<Uuid>, ProjectionError> {
    let mut touched = moves.gone.clone();
    touched.extend(moves.places.keys().map(|(album_id, _)| *album_id));
    if !moves.gone.is_empty() {
        let gone: Vec<Uuid> = moves.gone.iter().copied().collect();
        sqlx::query("delete from album_assets_v1 where album_id = any($1)")
            .bind(&gone)
            .execute(&mut *tx)
            .await?;
    }
    let (mut out_albums, mut out_assets) = (Vec::new(), Vec::new());
    let (mut in_albums, mut in_assets, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for ((album_id, asset_id), place) in &moves.places {
        if let Some(place) = place {
            in_albums.push(*album_id);
            in_assets.push(*asset_id);
            places.push(*place);
        } else {
            out_albums.push(*album_id);
            out_assets.push(*asset_id);
        }
    }
    if !out_albums.is_empty() {
        sqlx::query(
            "delete from album_assets_v1 as inside
              using unnest($1::uuid[], $2::uuid[]) as gone (album_id, asset_id)
              where inside.album_id = gone.album_id and inside.asset_id = gone.asset_id",
        )
        .bind(&out_albums)
        .bind(&out_assets)
        .execute(&mut *tx)
        .await?;
    }
    if !in_albums.is_empty() {
        // An asset that is gone already has no facts and comes into no album.
        sqlx::query(
            "insert into album_assets_v1 as inside
                    (album_id, asset_id, place, owner_id, month, local_date_time, shows,
                     live_photo_video_id, changed_at)
             select put.album_id, put.asset_id, put.place, facts.owner_id,
                    date_trunc('month', facts.local_date_time)::date, facts.local_date_time,
                    not facts.is_trashed and facts.visibility in ('timeline', 'archive'),
                    facts.live_photo_video_id, facts.changed_at
               from unnest($1::uuid[], $2::uuid[], $3::bigint[]) as put (album_id, asset_id, place)
               join album_facts_v1 as facts on facts.asset_id = put.asset_id
             on conflict (album_id, asset_id) do update set place = excluded.place",
        )
        .bind(&in_albums)
        .bind(&in_assets)
        .bind(&places)
        .execute(tx)
        .await?;
    }
    Ok(touched)
}

/// Lets the rows of albums follow their assets; says which albums that touched.
pub(super) async fn follow_assets_in_tx(
    tx: &mut PgConnection,
    changes: &[Change<FactsRow>],
) -> Result<BTreeSet<Uuid>, ProjectionError> {
    let mut touched = BTreeSet::new();
    let (mut purged, mut changed) = (Vec::new(), Vec::new());
    for change in changes {
        match (&change.before, &change.after) {
            (Some(before), None) => purged.push(before.asset_id),
            (Some(_), Some(after)) => changed.push(after.asset_id),
            // What is new is in no album.
            (None, _) => {}
        }
    }
    if !purged.is_empty() {
        let albums: Vec<Uuid> = sqlx::query_scalar(
            "delete from album_assets_v1 where asset_id = any($1) returning album_id",
        )
        .bind(&purged)
        .fetch_all(&mut *tx)
        .await?;
        touched.extend(albums);
    }
    if !changed.is_empty() {
        let albums: Vec<Uuid> = sqlx::query_scalar(
            "update album_assets_v1 as inside
                set month = date_trunc('month', facts.local_date_time)::date,
                    local_date_time = facts.local_date_time,
                    shows = not facts.is_trashed and facts.visibility in ('timeline', 'archive'),
                    live_photo_video_id = facts.live_photo_video_id,
                    changed_at = facts.changed_at
               from album_facts_v1 as facts
              where inside.asset_id = any($1) and facts.asset_id = inside.asset_id
             returning inside.album_id",
        )
        .bind(&changed)
        .fetch_all(tx)
        .await?;
        touched.extend(albums);
    }
    Ok(touched)
}
