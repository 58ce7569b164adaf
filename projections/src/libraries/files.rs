//! Events of assets to `library_assets_v1`: the file that each asset of a library is.

use calotype_domain::asset::{AssetEvent, AssetImported, FileContent, MediaKind, Visibility};
use calotype_domain::catalogue::AnyEvent;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::Event;
use crate::fold::{Fold, fold_sql};

/// The file of one asset, as it was found last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct LibraryFile {
    /// The asset.
    pub asset_id: Uuid,
    /// The last revision applied.
    pub revision: i64,
    /// The library.
    pub library_id: Uuid,
    /// Where it lies, absolute; empty when forgotten.
    pub path: String,
    /// Length in bytes.
    pub size_bytes: i64,
    /// BLAKE3 in lower-case hex.
    pub blake3: String,
    /// When it was last changed.
    pub modified_at: DateTime<Utc>,
    /// Whether it is a film.
    pub is_video: bool,
    /// Whether it shows nowhere by itself.
    pub is_hidden: bool,
    /// Whether it is missing.
    pub is_offline: bool,
}

impl LibraryFile {
    fn fresh(imported: &AssetImported, event: &Event) -> Self {
        let mut row = Self {
            asset_id: event.key,
            revision: event.revision,
            library_id: imported.library_id.uuid(),
            path: imported.path.known().cloned().unwrap_or_default(),
            size_bytes: 0,
            blake3: String::new(),
            modified_at: imported.content.modified_at,
            is_video: imported.kind == MediaKind::Video,
            is_hidden: false,
            is_offline: false,
        };
        row.set(&imported.content);
        row
    }

    fn set(&mut self, content: &FileContent) {
        self.size_bytes = i64::try_from(content.size_bytes).unwrap_or(i64::MAX);
        self.blake3.clone_from(&content.blake3);
        self.modified_at = content.modified_at;
    }
}

/// Whether an event says anything here; few do, and the others cost nothing.
pub(super) fn tells(event: &Event) -> bool {
    matches!(
        &event.what,
        AnyEvent::Asset(
            AssetEvent::Imported(_)
                | AssetEvent::Relocated(_)
                | AssetEvent::FileChanged(_)
                | AssetEvent::WentOffline(_)
                | AssetEvent::CameOnline(_)
                | AssetEvent::VisibilityChanged(_)
                | AssetEvent::Purged(_)
        )
    )
}

pub(super) struct Files;

impl Fold for Files {
    fold_sql!("library_assets_v1", "asset_id");
    type Row = LibraryFile;

    fn key(row: &LibraryFile) -> Uuid {
        row.asset_id
    }

    fn revision(row: &LibraryFile) -> i64 {
        row.revision
    }

    fn evolve(row: Option<LibraryFile>, event: &Event) -> Option<LibraryFile> {
        let AnyEvent::Asset(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (None, AssetEvent::Imported(imported)) => {
                return Some(LibraryFile::fresh(imported, event));
            }
            (None, _) | (_, AssetEvent::Purged(_)) => return None,
            (Some(row), _) => row,
        };
        match what {
            AssetEvent::Relocated(relocated) => {
                row.path = relocated.path.known().cloned().unwrap_or_default();
                row.modified_at = relocated.modified_at;
            }
            AssetEvent::FileChanged(changed) => row.set(&changed.content),
            AssetEvent::WentOffline(_) => row.is_offline = true,
            AssetEvent::CameOnline(_) => row.is_offline = false,
            AssetEvent::VisibilityChanged(changed) => {
                row.is_hidden = changed.visibility == Visibility::Hidden;
            }
            _ => return Some(row),
        }
        row.revision = event.revision;
        Some(row)
    }
}
