//! A row of `search_v1`, folded from the events of one asset.

use calotype_domain::Sealed;
use calotype_domain::asset::{
    AssetEvent, AssetMetadataRecorded, AssetUploaded, MediaKind, Position,
};
use calotype_domain::catalogue::AnyEvent;
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::fold_words::fold_words;
use crate::event::Event;
use crate::fold::{Fold, fold_sql};

/// What one asset is found by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow)]
pub(super) struct SearchRow {
    pub(super) asset_id: Uuid,
    pub(super) revision: i64,
    pub(super) owner_id: Uuid,
    pub(super) taken_at: DateTime<Utc>,
    pub(super) local_date_time: NaiveDateTime,
    /// First day of the month it was taken in, UTC.
    pub(super) month: NaiveDate,
    pub(super) created_at: DateTime<Utc>,
    pub(super) trashed_at: Option<DateTime<Utc>>,
    pub(super) visibility: String,
    pub(super) is_favorite: bool,
    pub(super) is_video: bool,
    pub(super) is_motion: bool,
    pub(super) size_bytes: i64,
    pub(super) original_key: String,
    /// Without case and accents.
    pub(super) file_name: String,
    /// Without case and accents.
    pub(super) description: String,
    pub(super) rating: Option<i32>,
    pub(super) make: Option<String>,
    pub(super) model: Option<String>,
    pub(super) lens_model: Option<String>,
    pub(super) city: Option<String>,
    pub(super) state: Option<String>,
    pub(super) country: Option<String>,
    pub(super) latitude: Option<f64>,
    pub(super) longitude: Option<f64>,
    pub(super) date_by_person: bool,
    pub(super) description_by_person: bool,
    pub(super) position_by_person: bool,
    pub(super) rating_by_person: bool,
}

impl SearchRow {
    /// Whether it stands on its owner's timeline, whose places and cameras are listed.
    pub(super) fn is_on_timeline(&self) -> bool {
        self.trashed_at.is_none() && self.visibility == "timeline"
    }

    /// Its position, when a map may show it.
    pub(super) fn shown_position(&self) -> Option<(f64, f64)> {
        let shows = self.trashed_at.is_none()
            && (self.visibility == "timeline" || self.visibility == "archive");
        self.latitude.zip(self.longitude).filter(|_| shows)
    }

    fn fresh(uploaded: &AssetUploaded, event: &Event) -> Self {
        let file_name = uploaded.file.known().map(|file| file.original_file_name.as_str());
        Self {
            asset_id: event.key,
            revision: event.revision,
            owner_id: uploaded.owner_id.uuid(),
            taken_at: uploaded.file_created_at,
            local_date_time: uploaded.file_created_at.naive_utc(),
            month: month(uploaded.file_created_at),
            created_at: event.recorded_at,
            trashed_at: None,
            visibility: uploaded.visibility.as_str().to_owned(),
            is_favorite: uploaded.is_favorite,
            is_video: uploaded.kind == MediaKind::Video,
            is_motion: uploaded.live_photo_video_id.is_some(),
            size_bytes: i64::try_from(uploaded.original.size_bytes).unwrap_or(i64::MAX),
            original_key: uploaded.original.key.clone(),
            file_name: fold_words(file_name.unwrap_or_default()),
            description: String::new(),
            rating: None,
            make: None,
            model: None,
            lens_model: None,
            city: None,
            state: None,
            country: None,
            latitude: None,
            longitude: None,
            date_by_person: false,
            description_by_person: false,
            position_by_person: false,
            rating_by_person: false,
        }
    }

    fn take_facts(&mut self, facts: &AssetMetadataRecorded) {
        self.make.clone_from(&facts.make);
        self.model.clone_from(&facts.model);
        self.lens_model.clone_from(&facts.lens_model);
        if !self.date_by_person {
            self.set_date(facts.taken_at, facts.local_date_time);
        }
        if !self.rating_by_person {
            self.rating = facts.rating.map(i32::from);
        }
        let personal = facts.personal.known();
        if !self.description_by_person {
            let text = personal.and_then(|personal| personal.description.as_deref());
            self.description = fold_words(text.unwrap_or_default());
        }
        if !self.position_by_person || matches!(facts.personal, Sealed::Forgotten) {
            self.set_position(personal.and_then(|personal| personal.position.as_ref()));
        }
    }

    fn set_path(&mut self, path: Option<&String>) {
        if let Some(path) = path {
            path.clone_into(&mut self.original_key);
            self.file_name = fold_words(path.rsplit('/').next().unwrap_or_default());
        }
    }

    fn set_date(&mut self, taken_at: DateTime<Utc>, local_date_time: NaiveDateTime) {
        self.taken_at = taken_at;
        self.local_date_time = local_date_time;
        self.month = month(taken_at);
    }

    /// What the old position lies in does not hold for a new one; what the new one lies in is told after.
    fn set_position(&mut self, position: Option<&Position>) {
        let (latitude, longitude) =
            position.map(|position| (position.latitude, position.longitude)).unzip();
        if (self.latitude, self.longitude) != (latitude, longitude) {
            (self.city, self.state, self.country) = (None, None, None);
        }
        (self.latitude, self.longitude) = (latitude, longitude);
    }
}

/// The first day of the month.
fn month(instant: DateTime<Utc>) -> NaiveDate {
    let date = instant.date_naive();
    date.with_day(1).unwrap_or(date)
}

pub(super) struct SearchFold;

impl Fold for SearchFold {
    fold_sql!("search_v1", "asset_id");
    type Row = SearchRow;

    fn key(row: &SearchRow) -> Uuid {
        row.asset_id
    }

    fn revision(row: &SearchRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<SearchRow>, event: &Event) -> Option<SearchRow> {
        let AnyEvent::Asset(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (None, AssetEvent::Uploaded(uploaded)) => {
                return Some(SearchRow::fresh(uploaded, event));
            }
            (None, _) => return None,
            (Some(row), _) => row,
        };
        match what {
            AssetEvent::MetadataRecorded(facts) => row.take_facts(facts),
            AssetEvent::PlaceFound(found) => {
                let place = found.place.known();
                row.city = place.and_then(|place| place.city.clone());
                row.state = place.and_then(|place| place.state.clone());
                row.country = place.and_then(|place| place.country.clone());
            }
            AssetEvent::Favorited(_) => row.is_favorite = true,
            AssetEvent::Unfavorited(_) => row.is_favorite = false,
            AssetEvent::VisibilityChanged(changed) => {
                changed.visibility.as_str().clone_into(&mut row.visibility);
            }
            AssetEvent::DescriptionChanged(changed) => {
                let text = changed.description.known().map(String::as_str);
                row.description = fold_words(text.unwrap_or_default());
                row.description_by_person = true;
            }
            AssetEvent::DescriptionReverted(reverted) => {
                let text = reverted.description.known().map(String::as_str);
                row.description = fold_words(text.unwrap_or_default());
                row.description_by_person = false;
            }
            AssetEvent::RatingReverted(reverted) => {
                row.rating = reverted.rating.map(i32::from);
                row.rating_by_person = false;
            }
            AssetEvent::DateReverted(reverted) => {
                row.set_date(reverted.taken_at, reverted.local_date_time);
                row.date_by_person = false;
            }
            AssetEvent::LocationReverted(reverted) => {
                row.set_position(reverted.position.known().and_then(Option::as_ref));
                row.position_by_person = false;
            }
            AssetEvent::RatingChanged(changed) => {
                row.rating = changed.rating.map(i32::from);
                row.rating_by_person = true;
            }
            AssetEvent::DateChanged(changed) => {
                row.set_date(changed.taken_at, changed.local_date_time);
                row.date_by_person = true;
            }
            AssetEvent::LocationChanged(changed) => {
                row.set_position(changed.position.known());
                row.position_by_person = true;
            }
            AssetEvent::OriginalMoved(moved) => {
                if let Some(place) = moved.place.known() {
                    row.original_key.clone_from(&place.original_key);
                }
            }
            AssetEvent::FilmLinked(_) => row.is_motion = true,
            AssetEvent::FilmUnlinked(_) => row.is_motion = false,
            AssetEvent::Trashed(_) => row.trashed_at = Some(event.recorded_at),
            AssetEvent::Restored(_) => row.trashed_at = None,
            AssetEvent::Purged(_) => return None,
            AssetEvent::Imported(imported) => row.set_path(imported.path.known()),
            AssetEvent::Relocated(relocated) => row.set_path(relocated.path.known()),
            AssetEvent::FileChanged(changed) => {
                row.size_bytes = i64::try_from(changed.content.size_bytes).unwrap_or(i64::MAX);
            }
            // Nothing is found by what these say, so the row need not be written for them.
            AssetEvent::Uploaded(_)
            | AssetEvent::CameOnline(_)
            | AssetEvent::WentOffline(_)
            | AssetEvent::ThumbnailsRecorded(_)
            | AssetEvent::Edited(_)
            | AssetEvent::EditedPicturesRecorded(_)
            | AssetEvent::EditsRemoved(_)
            | AssetEvent::FileDeleted(_)
            | AssetEvent::FullSizeRecorded(_)
            | AssetEvent::Embedded(_)
            | AssetEvent::TextRead(_)
            | AssetEvent::FacesSearched(_)
            | AssetEvent::FailureDismissed(_)
            | AssetEvent::ProcessingFailed(_)
            | AssetEvent::ProcessingRequested(_)
            | AssetEvent::DuplicatesDismissed(_)
            | AssetEvent::DuplicatesFound(_)
            | AssetEvent::KeyValueRemoved(_)
            | AssetEvent::KeyValueSet(_)
            | AssetEvent::LivePartsFound(_)
            | AssetEvent::OriginalRestored(_)
            | AssetEvent::SidecarRefused(_)
            | AssetEvent::SidecarReplaced(_)
            | AssetEvent::SidecarWritten(_)
            | AssetEvent::VideoEncoded(_)
            | AssetEvent::VideoEncodingSkipped(_)
            | AssetEvent::Stacked(_)
            | AssetEvent::Tagged(_)
            | AssetEvent::TaggedByFile(_)
            | AssetEvent::UntaggedByFile(_)
            | AssetEvent::Unstacked(_)
            | AssetEvent::Untagged(_) => return Some(row),
        }
        row.revision = event.revision;
        Some(row)
    }
}
