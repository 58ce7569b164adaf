//! Albums as they were: words, people and contents.

use std::collections::HashMap;

use calotype_domain::album::{Album, AlbumEvent};
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::event::Aggregate as _;
use calotype_eventstore::GlobalPosition;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::reading::{Reading, row_of};
use crate::albums::Albums;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::query::Queries;

/// An album at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlbumThen {
    /// Its id.
    pub album_id: Uuid,
    /// What it was called; empty when forgotten.
    pub name: String,
    /// What it was about.
    pub description: String,
    /// `asc` or `desc`.
    pub sort_order: String,
    /// Whether it took comments and likes.
    pub is_activity_enabled: bool,
    /// The asset that somebody chose for its cover.
    pub chosen_cover_id: Option<Uuid>,
    /// Who had a part in it, and which: `owner`, `editor` or `viewer`; as they came.
    pub members: Vec<(Uuid, String)>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it had changed last.
    pub updated_at: DateTime<Utc>,
    /// What was in it, in the order it came, in the trash or not.
    pub asset_ids: Vec<Uuid>,
}

impl Queries {
    /// Those of some albums that were there at a moment.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn albums_then(
        &self,
        album_ids: &[Uuid],
        position: GlobalPosition,
    ) -> Result<HashMap<Uuid, AlbumThen>, ProjectionError> {
        self.folded(album_ids, Reading::whole("album", position), album).await
    }

    /// Those of some albums that are deleted and may still be taken back, as their rules know them.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn departed_albums(
        &self,
        album_ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Album>, ProjectionError> {
        // Whose they are is not sealed.
        let position = GlobalPosition::new(i64::MAX);
        let reading = Reading { is_opened: false, ..Reading::whole("album", position) };
        self.folded(album_ids, reading, |events| Some(folded(events)).filter(Album::is_departed))
            .await
    }
}

fn folded(events: &[Event]) -> Album {
    let mut album = Album::default();
    for event in events {
        if let AnyEvent::Album(what) = &event.what {
            album.evolve(what);
        }
    }
    album
}

fn album(events: &[Event]) -> Option<AlbumThen> {
    let row = row_of::<Albums>(events)?;
    Some(AlbumThen {
        album_id: row.album_id,
        name: row.name,
        description: row.description,
        sort_order: row.sort_order,
        is_activity_enabled: row.is_activity_enabled,
        chosen_cover_id: row.chosen_cover_id,
        members: row.member_ids.into_iter().zip(row.member_roles).collect(),
        created_at: row.created_at,
        updated_at: row.updated_at,
        asset_ids: inside(events),
    })
}

/// What is in an album after these events, in the order it came.
fn inside(events: &[Event]) -> Vec<Uuid> {
    let mut places: HashMap<Uuid, usize> = HashMap::new();
    let mut next = 0_usize;
    for event in events {
        match &event.what {
            AnyEvent::Album(AlbumEvent::AssetsAdded(added)) => {
                for asset_id in &added.asset_ids {
                    places.insert(asset_id.uuid(), next);
                    next += 1;
                }
            }
            AnyEvent::Album(AlbumEvent::AssetsRemoved(removed)) => {
                for asset_id in &removed.asset_ids {
                    places.remove(&asset_id.uuid());
                }
            }
            AnyEvent::Album(AlbumEvent::Deleted(_)) => places.clear(),
            _ => {}
        }
    }
    let mut inside: Vec<(usize, Uuid)> =
        places.into_iter().map(|(asset_id, place)| (place, asset_id)).collect();
    inside.sort_unstable();
    inside.into_iter().map(|(_, asset_id)| asset_id).collect()
}
