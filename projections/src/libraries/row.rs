//! Events of libraries to `libraries_v1`, with the files of their assets in `library_assets_v1`.

use async_trait::async_trait;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::library::{LibraryCreated, LibraryEvent, LibrarySettings};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::files::{Files, tells};
use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_own_in_tx, fold_sql};
use crate::projection::Projection;

pub use super::files::LibraryFile;

/// Keeps `libraries_v1` and `library_assets_v1`.
pub struct LibrariesProjection;

#[async_trait]
impl Projection for LibrariesProjection {
    fn name(&self) -> &'static str {
        "libraries"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["libraries_v1", "library_assets_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset", "library"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        fold_own_in_tx::<Files>(tx, events, tells).await?;
        let is_of_library = |event: &Event| matches!(event.what, AnyEvent::Library(_));
        fold_own_in_tx::<Libraries>(tx, events, is_of_library).await.map(drop)
    }
}

/// One library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct LibraryRow {
    /// Its id.
    pub library_id: Uuid,
    /// The last revision applied.
    pub revision: i64,
    /// Whose assets its files are.
    pub owner_id: Uuid,
    /// Its name; empty when forgotten.
    pub name: String,
    /// Folders whose files it has, absolute.
    pub import_paths: Vec<String>,
    /// Patterns of paths that it leaves out.
    pub exclusion_patterns: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
    /// When its files were looked at last.
    pub refreshed_at: Option<DateTime<Utc>>,
    /// How many scans were asked for.
    pub asked: i32,
    /// Up to which of these they were done.
    pub answered: i32,
    /// When a scan was asked for last.
    pub asked_at: Option<DateTime<Utc>>,
    /// Whether it is deleted, and its assets are to follow.
    pub is_deleted: bool,
}

impl LibraryRow {
    fn fresh(created: &LibraryCreated, event: &Event) -> Self {
        let mut row = Self {
            library_id: event.key,
            revision: event.revision,
            owner_id: created.owner_id.uuid(),
            name: String::new(),
            import_paths: Vec::new(),
            exclusion_patterns: Vec::new(),
            created_at: event.recorded_at,
            updated_at: event.recorded_at,
            refreshed_at: None,
            asked: 0,
            answered: 0,
            asked_at: None,
            is_deleted: false,
        };
        row.set(created.settings.known());
        row
    }

    fn set(&mut self, settings: Option<&LibrarySettings>) {
        let settings = settings.cloned().unwrap_or_default();
        self.name = settings.name;
        self.import_paths = settings.import_paths;
        self.exclusion_patterns = settings.exclusion_patterns;
    }
}

struct Libraries;

impl Fold for Libraries {
    fold_sql!("libraries_v1", "library_id");
    type Row = LibraryRow;

    fn key(row: &LibraryRow) -> Uuid {
        row.library_id
    }

    fn revision(row: &LibraryRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<LibraryRow>, event: &Event) -> Option<LibraryRow> {
        let AnyEvent::Library(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (None, LibraryEvent::Created(created)) => {
                return Some(LibraryRow::fresh(created, event));
            }
            (None, _) => return None,
            (Some(row), _) => row,
        };
        row.revision = event.revision;
        match what {
            LibraryEvent::Created(_) => {}
            LibraryEvent::Changed(changed) => {
                row.set(changed.settings.known());
                row.updated_at = event.recorded_at;
            }
            LibraryEvent::ScanRequested(_) => {
                row.asked += 1;
                row.asked_at = Some(event.recorded_at);
            }
            LibraryEvent::Scanned(scanned) => {
                row.answered = row.answered.max(i32::try_from(scanned.scan).unwrap_or(i32::MAX));
                row.refreshed_at = Some(event.recorded_at);
            }
            LibraryEvent::Deleted(_) => {
                // What it was called goes with it.
                row.set(None);
                row.is_deleted = true;
            }
        }
        Some(row)
    }
}
