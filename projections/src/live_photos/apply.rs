//! Events of assets to rows of `live_photos_v1`.

use async_trait::async_trait;
use calotype_domain::asset::{AssetEvent, AssetUploaded, MediaKind, Visibility};
use calotype_domain::catalogue::AnyEvent;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_own_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `live_photos_v1`.
pub struct LivePhotosProjection;

#[async_trait]
impl Projection for LivePhotosProjection {
    fn name(&self) -> &'static str {
        "live_photos"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["live_photos_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        fold_own_in_tx::<LivePhotos>(tx, events, concerns).await.map(drop)
    }
}

fn concerns(event: &Event) -> bool {
    let AnyEvent::Asset(what) = &event.what else { return false };
    matches!(
        what,
        AssetEvent::Uploaded(_)
            | AssetEvent::LivePartsFound(_)
            | AssetEvent::FilmLinked(_)
            | AssetEvent::FilmUnlinked(_)
            | AssetEvent::VisibilityChanged(_)
            | AssetEvent::Trashed(_)
            | AssetEvent::Restored(_)
            | AssetEvent::Purged(_)
    )
}

/// What is known about one asset as a half of a live photo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
struct LiveRow {
    asset_id: Uuid,
    revision: i64,
    owner_id: Uuid,
    is_video: bool,
    is_locked: bool,
    is_trashed: bool,
    content_id: Option<String>,
    has_film_inside: bool,
    film_id: Option<Uuid>,
    unlinked: Vec<Uuid>,
}

struct LivePhotos;

impl Fold for LivePhotos {
    fold_sql!("live_photos_v1", "asset_id");
    type Row = LiveRow;

    fn key(row: &LiveRow) -> Uuid {
        row.asset_id
    }

    fn revision(row: &LiveRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<LiveRow>, event: &Event) -> Option<LiveRow> {
        let AnyEvent::Asset(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (None, AssetEvent::Uploaded(uploaded)) => return Some(fresh(uploaded, event)),
            (None, _) => return None,
            (Some(row), _) => row,
        };
        row.revision = event.revision;
        match what {
            AssetEvent::LivePartsFound(found) => {
                row.content_id.clone_from(&found.content_id);
                row.has_film_inside = found.film.is_some();
            }
            AssetEvent::FilmLinked(linked) => {
                let film_id = linked.film_id.uuid();
                row.film_id = Some(film_id);
                row.unlinked.retain(|unlinked| *unlinked != film_id);
            }
            AssetEvent::FilmUnlinked(unlinked) => {
                let film_id = unlinked.film_id.uuid();
                row.film_id.take_if(|linked| *linked == film_id);
                if !row.unlinked.contains(&film_id) {
                    row.unlinked.push(film_id);
                }
            }
            AssetEvent::VisibilityChanged(changed) => {
                row.is_locked = changed.visibility == Visibility::Locked;
            }
            AssetEvent::Trashed(_) => row.is_trashed = true,
            AssetEvent::Restored(_) => row.is_trashed = false,
            AssetEvent::Purged(_) => return None,
            _ => {}
        }
        Some(row)
    }
}

fn fresh(uploaded: &AssetUploaded, event: &Event) -> LiveRow {
    LiveRow {
        asset_id: event.key,
        revision: event.revision,
        owner_id: uploaded.owner_id.uuid(),
        is_video: uploaded.kind == MediaKind::Video,
        is_locked: uploaded.visibility == Visibility::Locked,
        is_trashed: false,
        content_id: None,
        has_film_inside: false,
        film_id: uploaded.live_photo_video_id.map(calotype_domain::AssetId::uuid),
        unlinked: Vec::new(),
    }
}
