//! Where an asset's files lie, and that they were moved.
//!
//! An upload lies under a key made of ids. A storage template gives it a key made of people's words, so that
//! key is personal: it is sealed in its event, and no event says it in clear.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::derived::DerivedFile;
use super::event::AssetEvent;
use crate::sealed::Sealed;

/// The first part of every key that a storage template made, the slash included.
pub const TEMPLATED_ROOT: &str = "library/";

/// What a sidecar's key ends with, after its original's.
const SIDECAR_ENDING: &str = ".xmp";

/// Where the files of an asset lie now; personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewPlace {
    /// Key of the original.
    pub original_key: String,
    /// Key of the XMP file beside it; none where there was no such file to move.
    pub sidecar_key: Option<String>,
}

/// The original lies elsewhere, and what lies beside it went along. Its bytes are the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetOriginalMoved {
    /// Where they lie now.
    pub place: Sealed<NewPlace>,
}

/// A wish to record a move: the files lie at `to` already, whole and durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Key of the original before; a move from anywhere else is not recorded.
    pub from: String,
    /// Where the files lie now.
    pub to: NewPlace,
}

/// Where the files of an asset lie, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    original: String,
    sidecar: Option<String>,
}

/// Where a sidecar lies that was written under a key made of ids: beside its original, once that lies where a
/// template put it. Events name such a file by ids alone.
#[must_use]
pub fn sidecar_place(original_key: &str, recorded_key: &str) -> String {
    if original_key.starts_with(TEMPLATED_ROOT) {
        format!("{original_key}{SIDECAR_ENDING}")
    } else {
        recorded_key.to_owned()
    }
}

impl Places {
    /// Key of the original.
    #[must_use]
    pub fn original(&self) -> &str {
        &self.original
    }

    /// Key of the XMP file that lies beside it.
    #[must_use]
    pub fn sidecar(&self) -> Option<&str> {
        self.sidecar.as_deref()
    }

    pub(super) fn decide(&self, wish: &Move) -> Vec<AssetEvent> {
        if wish.from != self.original || wish.to.original_key == self.original {
            return vec![];
        }
        vec![AssetOriginalMoved { place: wish.to.clone().into() }.into()]
    }

    pub(super) fn evolve(&mut self, event: &AssetEvent) {
        match event {
            AssetEvent::Uploaded(uploaded) => {
                self.original.clone_from(&uploaded.original.key);
                self.sidecar = uploaded.sidecar.as_ref().map(|sidecar| sidecar.key.clone());
            }
            AssetEvent::OriginalMoved(moved) => {
                if let Some(place) = moved.place.known() {
                    self.original.clone_from(&place.original_key);
                    if place.sidecar_key.is_some() {
                        self.sidecar.clone_from(&place.sidecar_key);
                    }
                }
            }
            AssetEvent::SidecarReplaced(replaced) => {
                self.sidecar = Some(replaced.sidecar.key.clone());
            }
            AssetEvent::SidecarWritten(written) => {
                let sidecar = written.sidecar.as_ref();
                self.sidecar = sidecar.map(|it| sidecar_place(&self.original, &it.key));
            }
            AssetEvent::FileDeleted(deleted) if deleted.file == DerivedFile::Sidecar => {
                self.sidecar = None;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::derived::AssetFileDeleted;
    use super::super::event::AssetSidecarReplaced;
    use super::super::{AssetSidecarWritten, Blob};
    use super::*;

    const FROM: &str = "upload/u/aa/bb/a.jpg";
    const TO: &str = "library/anna/2024/Meer.jpg";

    fn moved(from: &str, to: &str) -> Move {
        let to = NewPlace { original_key: to.into(), sidecar_key: None };
        Move { from: from.into(), to }
    }

    fn blob(key: &str) -> Blob {
        Blob { key: key.into(), size_bytes: 3, sha1: "s".into(), blake3: "b".into() }
    }

    fn at(original: &str) -> Places {
        Places { original: original.into(), sidecar: None }
    }

    #[test]
    fn move_is_recorded_once_and_from_where_the_original_lies() {
        let mut places = at(FROM);
        let events = places.decide(&moved(FROM, TO));
        assert_eq!(events.len(), 1);
        events.iter().for_each(|event| places.evolve(event));
        assert_eq!(places.original(), TO);
        assert!(places.decide(&moved(FROM, TO)).is_empty());
        assert!(places.decide(&moved(FROM, "library/anna/else.jpg")).is_empty());
    }

    #[test]
    fn what_is_written_beside_a_moved_original_lies_beside_it() {
        let written = |key: &str| {
            let sidecar = Some(blob(key));
            AssetEvent::from(AssetSidecarWritten { sidecar, fields: BTreeSet::new() })
        };
        let mut places = at(FROM);
        places.evolve(&written("upload/u/aa/bb/a.jpg.xmp"));
        assert_eq!(places.sidecar(), Some("upload/u/aa/bb/a.jpg.xmp"));
        let mut places = at(TO);
        // What a person put there lies where it was put until it is written to.
        places.evolve(&AssetSidecarReplaced { sidecar: blob("upload/u/cc/dd/x.xmp") }.into());
        assert_eq!(places.sidecar(), Some("upload/u/cc/dd/x.xmp"));
        places.evolve(&written("upload/u/cc/dd/x.xmp"));
        assert_eq!(places.sidecar(), Some("library/anna/2024/Meer.jpg.xmp"));
    }

    #[test]
    fn deleted_sidecar_lies_nowhere_and_goes_along_with_no_move() {
        let mut places = at(FROM);
        places.evolve(&AssetSidecarReplaced { sidecar: blob("upload/u/cc/dd/x.xmp") }.into());
        places.evolve(&AssetFileDeleted { file: DerivedFile::Preview }.into());
        assert_eq!(places.sidecar(), Some("upload/u/cc/dd/x.xmp"));
        places.evolve(&AssetFileDeleted { file: DerivedFile::Sidecar }.into());
        assert_eq!(places.sidecar(), None);
        let events = places.decide(&moved(FROM, TO));
        events.iter().for_each(|event| places.evolve(event));
        assert_eq!((places.original(), places.sidecar()), (TO, None));
    }

    #[test]
    fn move_that_was_forgotten_leaves_what_is_known() {
        let mut places = at(FROM);
        places.evolve(&AssetOriginalMoved { place: Sealed::Forgotten }.into());
        assert_eq!(places.original(), FROM);
    }
}
