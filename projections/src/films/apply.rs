//! Events of assets to `films_v1`.

use async_trait::async_trait;
use calotype_domain::asset::{AssetEvent, AssetFileDeleted, DerivedFile, MediaKind};
use calotype_domain::catalogue::AnyEvent;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_own_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `films_v1`.
pub struct FilmsProjection;

#[async_trait]
impl Projection for FilmsProjection {
    fn name(&self) -> &'static str {
        "films"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["films_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        fold_own_in_tx::<Films>(tx, events, tells).await.map(drop)
    }
}

/// Whether an event says anything here; few do, and the others cost nothing.
fn tells(event: &Event) -> bool {
    match &event.what {
        AnyEvent::Asset(AssetEvent::Uploaded(uploaded)) => uploaded.kind == MediaKind::Video,
        AnyEvent::Asset(what) => matches!(
            what,
            AssetEvent::VideoEncoded(_)
                | AssetEvent::VideoEncodingSkipped(_)
                | AssetEvent::FileDeleted(AssetFileDeleted { file: DerivedFile::EncodedVideo })
                | AssetEvent::Purged(_)
        ),
        _ => false,
    }
}

/// One film.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
struct FilmRow {
    asset_id: Uuid,
    revision: i64,
    encoded_key: Option<String>,
    encoded_bytes: Option<i64>,
}

struct Films;

impl Fold for Films {
    fold_sql!("films_v1", "asset_id");
    type Row = FilmRow;

    fn key(row: &FilmRow) -> Uuid {
        row.asset_id
    }

    fn revision(row: &FilmRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<FilmRow>, event: &Event) -> Option<FilmRow> {
        let AnyEvent::Asset(what) = &event.what else { return row };
        let (asset_id, revision) = (event.key, event.revision);
        match (row, what) {
            (None, AssetEvent::Uploaded(_))
            | (Some(_), AssetEvent::VideoEncodingSkipped(_) | AssetEvent::FileDeleted(_)) => {
                Some(FilmRow { asset_id, revision, encoded_key: None, encoded_bytes: None })
            }
            (Some(_), AssetEvent::VideoEncoded(made)) => Some(FilmRow {
                asset_id,
                revision,
                encoded_key: Some(made.key.clone()),
                encoded_bytes: Some(i64::try_from(made.size_bytes).unwrap_or(i64::MAX)),
            }),
            (_, AssetEvent::Purged(_)) => None,
            (row, _) => row,
        }
    }
}
