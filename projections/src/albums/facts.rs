//! What albums need to know of an asset, known before it is put into one.

use calotype_domain::AssetId;
use calotype_domain::asset::AssetEvent;
use calotype_domain::catalogue::AnyEvent;
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::Event;
use crate::fold::{Fold, fold_sql};

/// A row of `album_facts_v1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow)]
pub(super) struct FactsRow {
    pub(super) asset_id: Uuid,
    pub(super) revision: i64,
    pub(super) owner_id: Uuid,
    pub(super) local_date_time: NaiveDateTime,
    pub(super) date_by_person: bool,
    pub(super) visibility: String,
    pub(super) is_trashed: bool,
    pub(super) live_photo_video_id: Option<Uuid>,
    pub(super) changed_at: DateTime<Utc>,
}

pub(super) struct Facts;

impl Fold for Facts {
    fold_sql!("album_facts_v1", "asset_id");
    type Row = FactsRow;

    fn key(row: &FactsRow) -> Uuid {
        row.asset_id
    }

    fn revision(row: &FactsRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<FactsRow>, event: &Event) -> Option<FactsRow> {
        let AnyEvent::Asset(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (None, AssetEvent::Uploaded(uploaded)) => {
                return Some(FactsRow {
                    asset_id: event.key,
                    revision: event.revision,
                    owner_id: uploaded.owner_id.uuid(),
                    local_date_time: uploaded.file_created_at.naive_utc(),
                    date_by_person: false,
                    visibility: uploaded.visibility.as_str().to_owned(),
                    is_trashed: false,
                    live_photo_video_id: uploaded.live_photo_video_id.map(AssetId::uuid),
                    changed_at: event.recorded_at,
                });
            }
            (None, _) => return None,
            (Some(row), _) => row,
        };
        row.revision = event.revision;
        row.changed_at = event.recorded_at;
        match what {
            AssetEvent::MetadataRecorded(facts) if !row.date_by_person => {
                row.local_date_time = facts.local_date_time;
            }
            AssetEvent::DateChanged(changed) => {
                row.local_date_time = changed.local_date_time;
                row.date_by_person = true;
            }
            AssetEvent::DateReverted(reverted) => {
                row.local_date_time = reverted.local_date_time;
                row.date_by_person = false;
            }
            AssetEvent::VisibilityChanged(changed) => {
                changed.visibility.as_str().clone_into(&mut row.visibility);
            }
            AssetEvent::FilmLinked(linked) => row.live_photo_video_id = Some(linked.film_id.uuid()),
            AssetEvent::FilmUnlinked(_) => row.live_photo_video_id = None,
            AssetEvent::Trashed(_) => row.is_trashed = true,
            AssetEvent::Restored(_) => row.is_trashed = false,
            AssetEvent::Purged(_) => return None,
            _ => {}
        }
        Some(row)
    }
}
