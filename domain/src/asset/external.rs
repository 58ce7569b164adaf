//! The file of an external library that an asset is: where it lies, what it holds, whether it is there.
//! The asset is what the file holds, so a file that moves stays the same asset.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::{AssetEvent, AssetProcessingRequested, AssetRestored, AssetTrashed};
use super::values::{MediaKind, Stage};
use crate::id::LibraryId;
use crate::sealed::Sealed;

/// It is a file of an external library, and is read where it lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetImported {
    /// The library.
    pub library_id: LibraryId,
    /// Where it lies, absolute.
    pub path: Sealed<String>,
    /// Picture or film, by extension.
    pub kind: MediaKind,
    /// What it holds.
    pub content: FileContent,
}

/// What a file held when it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileContent {
    /// Length in bytes.
    pub size_bytes: u64,
    /// BLAKE3 in lower-case hex.
    pub blake3: String,
    /// When the file was last changed, in whole milliseconds.
    pub modified_at: DateTime<Utc>,
}

/// The same content lies elsewhere in its library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetRelocated {
    /// Where it lies now, absolute.
    pub path: Sealed<String>,
    /// When the file there was last changed.
    pub modified_at: DateTime<Utc>,
}

/// Its file holds something else, or was touched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetFileChanged {
    /// What it holds.
    pub content: FileContent,
}

/// Its file is there no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetWentOffline {}

/// Its file is there again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetCameOnline {}

/// What a scan found out about a file.
#[derive(Clone, Debug, PartialEq)]
pub enum FileFound {
    /// It is a file of a library.
    Imported(AssetImported),
    /// It lies elsewhere.
    Relocated {
        /// Where it was thought to lie.
        from: String,
        /// Where it lies.
        to: String,
        /// When the file there was last changed.
        modified_at: DateTime<Utc>,
    },
    /// It holds this.
    Holds {
        /// Where it lies.
        path: String,
        /// What it holds.
        content: FileContent,
    },
    /// There is nothing there.
    Missing {
        /// Where it was thought to lie.
        path: String,
    },
    /// It is there as it was.
    There {
        /// Where it lies.
        path: String,
    },
}

/// The file of an asset, folded from its events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalFile {
    /// The library.
    pub library_id: LibraryId,
    /// Where it lies; empty when that is forgotten.
    pub path: String,
    /// What it holds.
    pub content: FileContent,
    /// Whether it is missing.
    pub is_offline: bool,
    /// Whether it is in the trash only because it is missing.
    hidden: bool,
    is_film: bool,
}

impl ExternalFile {
    fn of(imported: &AssetImported) -> Self {
        Self {
            library_id: imported.library_id,
            path: imported.path.known().cloned().unwrap_or_default(),
            content: imported.content.clone(),
            is_offline: false,
            hidden: false,
            is_film: imported.kind == MediaKind::Video,
        }
    }

    /// What follows from what was found. What is not about the file where it lies now is out of date.
    fn decide(&self, found: &FileFound, trashed: bool) -> Vec<AssetEvent> {
        let mut events: Vec<AssetEvent> = Vec::new();
        match found {
            FileFound::Imported(_) => {}
            FileFound::Relocated { from, to, modified_at } => {
                if *from == self.path && from != to {
                    let path = to.clone().into();
                    events.push(AssetRelocated { path, modified_at: *modified_at }.into());
                    self.come_back(trashed, &mut events);
                }
            }
            FileFound::Holds { path, content } if *path == self.path => {
                if *content != self.content {
                    events.push(AssetFileChanged { content: content.clone() }.into());
                }
                if content.blake3 != self.content.blake3 {
                    let film = self.is_film.then_some(Stage::Video);
                    let stages = Stage::OF_UPLOADS.into_iter().chain(film);
                    events.extend(stages.map(|stage| AssetProcessingRequested { stage }.into()));
                }
                self.come_back(trashed, &mut events);
            }
            FileFound::There { path } if *path == self.path => {
                self.come_back(trashed, &mut events);
            }
            FileFound::Missing { path } if *path == self.path && !self.is_offline => {
                events.push(AssetWentOffline {}.into());
                if !trashed {
                    events.push(AssetTrashed {}.into());
                }
            }
            FileFound::Holds { .. } | FileFound::There { .. } | FileFound::Missing { .. } => {}
        }
        events
    }

    /// What a person put into the trash stays there.
    fn come_back(&self, trashed: bool, events: &mut Vec<AssetEvent>) {
        if self.is_offline {
            events.push(AssetCameOnline {}.into());
            if self.hidden && trashed {
                events.push(AssetRestored {}.into());
            }
        }
    }
}

/// What follows from what was found of an asset's file, if it is a file of a library.
pub(super) fn decide(
    file: Option<&ExternalFile>,
    found: &FileFound,
    trashed: bool,
) -> Vec<AssetEvent> {
    match (file, found) {
        (None, FileFound::Imported(imported)) => vec![imported.clone().into()],
        (None, _) => vec![],
        (Some(file), found) => file.decide(found, trashed),
    }
}

/// Takes in those events that are about the file; `trashed` says how it was before.
pub(super) fn evolve(file: &mut Option<ExternalFile>, event: &AssetEvent, trashed: bool) {
    if let AssetEvent::Imported(imported) = event {
        *file = Some(ExternalFile::of(imported));
    }
    let Some(file) = file else { return };
    match event {
        AssetEvent::Relocated(relocated) => {
            file.path = relocated.path.known().cloned().unwrap_or_default();
            file.content.modified_at = relocated.modified_at;
        }
        AssetEvent::FileChanged(changed) => file.content = changed.content.clone(),
        AssetEvent::WentOffline(_) => (file.is_offline, file.hidden) = (true, !trashed),
        AssetEvent::CameOnline(_) => file.is_offline = false,
        AssetEvent::Restored(_) => file.hidden = false,
        // The aggregate's own match names every event.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::values::{Blob, UploadedFile, Visibility};
    use super::super::{Asset, AssetCommand, AssetUploaded, Move, NewPlace};
    use super::*;
    use crate::event::Aggregate as _;
    use crate::id::UserId;

    fn content(blake3: &str) -> FileContent {
        let modified_at = "2024-01-02T03:04:05Z".parse().unwrap();
        FileContent { size_bytes: 3, blake3: blake3.into(), modified_at }
    }

    fn asset() -> Asset {
        let uploaded = AssetUploaded {
            owner_id: UserId::new(Uuid::from_u128(1)),
            kind: MediaKind::Image,
            original: Blob {
                key: "external/a".into(),
                size_bytes: 3,
                sha1: "s".into(),
                blake3: "b".into(),
            },
            sidecar: None,
            file: UploadedFile { original_file_name: "a.jpg".into() }.into(),
            file_created_at: content("b").modified_at,
            file_modified_at: content("b").modified_at,
            is_favorite: false,
            visibility: Visibility::Timeline,
            duration_ms: None,
            live_photo_video_id: None,
        };
        let imported = AssetImported {
            library_id: LibraryId::default(),
            path: "/a/a.jpg".to_owned().into(),
            kind: MediaKind::Image,
            content: content("b"),
        };
        let mut asset = Asset::default();
        asset.evolve(&uploaded.into());
        asset.evolve(&imported.into());
        asset
    }

    fn found(asset: &mut Asset, found: FileFound) -> Vec<&'static str> {
        let events = asset.decide(&AssetCommand::File(Box::new(found))).unwrap();
        events.iter().for_each(|event| asset.evolve(event));
        events.iter().map(|event| crate::event::DomainEvent::kind(event).0).collect()
    }

    fn missing(path: &str) -> FileFound {
        FileFound::Missing { path: path.into() }
    }

    fn there(path: &str) -> FileFound {
        FileFound::There { path: path.into() }
    }

    #[test]
    fn missing_file_hides_its_asset_until_it_is_back() {
        let mut asset = asset();
        let gone = ["AssetWentOffline", "AssetTrashed"];
        assert_eq!(found(&mut asset, missing("/a/a.jpg")), gone);
        assert!(found(&mut asset, missing("/a/a.jpg")).is_empty());
        assert_eq!(found(&mut asset, there("/a/a.jpg")), ["AssetCameOnline", "AssetRestored"]);
        assert!(!asset.is_trashed());
    }

    #[test]
    fn what_a_person_threw_away_stays_in_the_trash() {
        let mut asset = asset();
        asset.evolve(&AssetTrashed {}.into());
        assert_eq!(found(&mut asset, missing("/a/a.jpg")), ["AssetWentOffline"]);
        assert_eq!(found(&mut asset, there("/a/a.jpg")), ["AssetCameOnline"]);
        assert!(asset.is_trashed());
    }

    #[test]
    fn missing_asset_cannot_be_taken_out_of_the_trash() {
        let mut asset = asset();
        found(&mut asset, missing("/a/a.jpg"));
        let restore = AssetCommand::Restore { by: asset.owner_id().unwrap() };
        assert!(asset.decide(&restore).unwrap().is_empty());
    }

    #[test]
    fn storage_template_moves_no_file_of_a_library() {
        let to = NewPlace { original_key: "library/anna/a.jpg".into(), sidecar_key: None };
        let asset = asset();
        let from = asset.places().original().to_owned();
        let wish = AssetCommand::RecordMove(Box::new(Move { from, to }));
        assert!(asset.decide(&wish).unwrap().is_empty());
    }

    #[test]
    fn moved_file_is_the_same_asset() {
        let mut asset = asset();
        found(&mut asset, missing("/a/a.jpg"));
        let moved = |from: &str| FileFound::Relocated {
            from: from.into(),
            to: "/b/a.jpg".into(),
            modified_at: content("b").modified_at,
        };
        let events = ["AssetRelocated", "AssetCameOnline", "AssetRestored"];
        assert_eq!(found(&mut asset, moved("/a/a.jpg")), events);
        assert!(found(&mut asset, moved("/a/a.jpg")).is_empty());
        assert!(found(&mut asset, missing("/a/a.jpg")).is_empty(), "an old path says nothing");
        assert_eq!(asset.external().unwrap().path, "/b/a.jpg");
    }

    #[test]
    fn other_content_is_looked_at_again() {
        let mut asset = asset();
        let holds = |blake3| FileFound::Holds { path: "/a/a.jpg".into(), content: content(blake3) };
        assert!(found(&mut asset, holds("b")).is_empty());
        let again = ["AssetFileChanged", "AssetProcessingRequested", "AssetProcessingRequested"];
        assert_eq!(found(&mut asset, holds("c")), again);
        assert!(found(&mut asset, holds("c")).is_empty());
    }
}
