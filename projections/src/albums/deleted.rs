//! Deleted albums that may still be taken back, so that they are forgotten when their time is over.

use async_trait::async_trait;
use calotype_domain::album::AlbumEvent;
use calotype_domain::catalogue::AnyEvent;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_own_in_tx, fold_sql};
use crate::projection::Projection;
use crate::query::Queries;

/// Keeps `deleted_albums_v1`.
pub struct DeletedAlbumsProjection;

#[async_trait]
impl Projection for DeletedAlbumsProjection {
    fn name(&self) -> &'static str {
        "deleted_albums"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["deleted_albums_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["album"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        fold_own_in_tx::<Deleted>(tx, events, concerns).await.map(drop)
    }
}

fn concerns(event: &Event) -> bool {
    matches!(
        event.what,
        AnyEvent::Album(AlbumEvent::Deleted(_) | AlbumEvent::Restored(_) | AlbumEvent::Purged(_))
    )
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
struct DeletedRow {
    album_id: Uuid,
    revision: i64,
    deleted_at: DateTime<Utc>,
}

struct Deleted;

impl Fold for Deleted {
    fold_sql!("deleted_albums_v1", "album_id");
    type Row = DeletedRow;

    fn key(row: &DeletedRow) -> Uuid {
        row.album_id
    }

    fn revision(row: &DeletedRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<DeletedRow>, event: &Event) -> Option<DeletedRow> {
        match &event.what {
            AnyEvent::Album(AlbumEvent::Deleted(_)) => Some(DeletedRow {
                album_id: event.key,
                revision: event.revision,
                deleted_at: event.recorded_at,
            }),
            AnyEvent::Album(AlbumEvent::Restored(_) | AlbumEvent::Purged(_)) => None,
            _ => row,
        }
    }
}

impl Queries {
    /// Albums that are deleted and may still be taken back, whosever they were; at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn deleted_albums(&self, limit: i64) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select album_id from read.deleted_albums_v1
              order by deleted_at desc, album_id limit $1",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Albums that were deleted before an instant and may still be taken back, the first deleted first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn albums_deleted_before(
        &self,
        instant: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select album_id from read.deleted_albums_v1
              where deleted_at < $1 order by deleted_at limit $2",
        )
        .bind(instant)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }
}
