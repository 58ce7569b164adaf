//! What one asset still waits for, folded from its events.

use calotype_domain::asset::{AssetEvent, DerivedFile, Stage};
use calotype_domain::catalogue::AnyEvent;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::Event;
use crate::fold::{Fold, fold_sql};

/// Where an asset stands with a step that is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Not done yet.
    Waiting,
    /// A processor gave up.
    Failed,
    /// Taken off the queue by somebody.
    Missing,
}

impl State {
    /// The word used in storage and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::Missing => "missing",
        }
    }
}

/// The steps that an asset waits for, failed, or goes without. What is done stands nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub(super) struct JobRow {
    asset_id: Uuid,
    revision: i64,
    waiting: Vec<String>,
    failed: Vec<String>,
    missing: Vec<String>,
    waiting_since: DateTime<Utc>,
}

impl JobRow {
    /// Every step that is not done, with its state.
    pub(super) fn states(&self) -> impl Iterator<Item = (&str, State)> {
        [
            (&self.waiting, State::Waiting),
            (&self.failed, State::Failed),
            (&self.missing, State::Missing),
        ]
        .into_iter()
        .flat_map(|(stages, state)| stages.iter().map(move |stage| (stage.as_str(), state)))
    }

    /// Lets the asset go without a step, unless it waits for it.
    fn leave(&mut self, stage: Stage) {
        if !self.waiting.iter().any(|one| one == stage.as_str()) {
            self.set(stage, Some(State::Missing));
        }
    }

    /// Puts a step into a state, or among what is done.
    fn set(&mut self, stage: Stage, state: Option<State>) {
        let stage = stage.as_str();
        let lists = [
            (State::Waiting, &mut self.waiting),
            (State::Failed, &mut self.failed),
            (State::Missing, &mut self.missing),
        ];
        for (of, list) in lists {
            if state != Some(of) {
                list.retain(|one| one != stage);
            } else if !list.iter().any(|one| one == stage) {
                list.push(stage.to_owned());
            }
        }
    }
}

pub(super) struct Jobs;

impl Fold for Jobs {
    fold_sql!("jobs_v2", "asset_id");
    type Row = JobRow;

    fn key(row: &JobRow) -> Uuid {
        row.asset_id
    }

    fn revision(row: &JobRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<JobRow>, event: &Event) -> Option<JobRow> {
        let AnyEvent::Asset(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (None, AssetEvent::Uploaded(_)) => {
                return Some(JobRow {
                    asset_id: event.key,
                    revision: event.revision,
                    // All at once, so that the counts do not fall to zero between two steps.
                    waiting: Stage::OF_UPLOADS
                        .iter()
                        .map(|stage| stage.as_str().to_owned())
                        .collect(),
                    failed: Vec::new(),
                    missing: Vec::new(),
                    waiting_since: event.recorded_at,
                });
            }
            (None, _) => return None,
            (Some(row), _) => row,
        };
        match what {
            AssetEvent::MetadataRecorded(_) => row.set(Stage::Metadata, None),
            AssetEvent::ThumbnailsRecorded(_) => row.set(Stage::Thumbnails, None),
            AssetEvent::Edited(_) => {
                row.set(Stage::Edits, Some(State::Waiting));
                row.waiting_since = event.recorded_at;
            }
            AssetEvent::EditedPicturesRecorded(_) | AssetEvent::EditsRemoved(_) => {
                row.set(Stage::Edits, None);
            }
            AssetEvent::VideoEncoded(_) | AssetEvent::VideoEncodingSkipped(_) => {
                row.set(Stage::Video, None);
            }
            AssetEvent::Embedded(_) => row.set(Stage::Embedding, None),
            AssetEvent::TextRead(_) => row.set(Stage::Text, None),
            AssetEvent::FacesSearched(_) => row.set(Stage::Faces, None),
            AssetEvent::ProcessingFailed(failed) => row.set(failed.stage, Some(State::Failed)),
            AssetEvent::FailureDismissed(left) => row.set(left.stage, Some(State::Missing)),
            AssetEvent::ProcessingRequested(requested) => {
                row.set(requested.stage, Some(State::Waiting));
                row.waiting_since = event.recorded_at;
            }
            // What was deleted is made again where somebody asks for what is missing.
            AssetEvent::FileDeleted(deleted) => match deleted.file {
                DerivedFile::Thumbnail | DerivedFile::Preview | DerivedFile::FullSize => {
                    row.leave(Stage::Thumbnails);
                }
                DerivedFile::EncodedVideo => row.leave(Stage::Video),
                DerivedFile::Sidecar => return Some(row),
            },
            AssetEvent::Purged(_) => return None,
            AssetEvent::Uploaded(_)
            | AssetEvent::CameOnline(_)
            | AssetEvent::FileChanged(_)
            | AssetEvent::Imported(_)
            | AssetEvent::Relocated(_)
            | AssetEvent::WentOffline(_)
            | AssetEvent::FullSizeRecorded(_)
            | AssetEvent::Favorited(_)
            | AssetEvent::Unfavorited(_)
            | AssetEvent::VisibilityChanged(_)
            | AssetEvent::DescriptionChanged(_)
            | AssetEvent::RatingChanged(_)
            | AssetEvent::DateChanged(_)
            | AssetEvent::LocationChanged(_)
            | AssetEvent::PlaceFound(_)
            | AssetEvent::Trashed(_)
            | AssetEvent::Restored(_)
            | AssetEvent::DateReverted(_)
            | AssetEvent::DescriptionReverted(_)
            | AssetEvent::DuplicatesDismissed(_)
            | AssetEvent::DuplicatesFound(_)
            | AssetEvent::KeyValueRemoved(_)
            | AssetEvent::KeyValueSet(_)
            | AssetEvent::LocationReverted(_)
            | AssetEvent::RatingReverted(_)
            | AssetEvent::FilmLinked(_)
            | AssetEvent::FilmUnlinked(_)
            | AssetEvent::LivePartsFound(_)
            | AssetEvent::OriginalMoved(_)
            | AssetEvent::OriginalRestored(_)
            | AssetEvent::SidecarRefused(_)
            | AssetEvent::SidecarReplaced(_)
            | AssetEvent::SidecarWritten(_)
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
