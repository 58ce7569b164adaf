//! An external library: folders of files that stay where they are. Its assets are read from there; nothing
//! is ever written into them or deleted from them.

mod event;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use event::{
    LibraryChanged, LibraryCreated, LibraryDeleted, LibraryEvent, LibraryScanRequested,
    LibraryScanned, LibrarySettings, ScanCounts, SeenRoot,
};

use crate::event::{Aggregate, cqrs_aggregate};
use crate::id::UserId;
use crate::undo::way::{Row, never};

/// Why what was done to a library is not taken back.
const BY_HAND: &str = "Settings of a library are changed, and its files scanned, by hand";

/// How events of libraries go back.
pub(crate) const WAYS: &[Row] = &[
    never("LibraryChanged", "library", BY_HAND),
    never("LibraryCreated", "library", "A library is deleted, not taken back"),
    never("LibraryDeleted", "library", "Create it anew: its files are where they were"),
    never("LibraryScanned", "library", BY_HAND),
    never("LibraryScanRequested", "library", BY_HAND),
];

/// Import paths, and patterns of what is left out, that a library may have of each.
pub const PATHS_MAX: usize = 128;

/// The patterns of a library for which nobody named any: what file systems and synchronizing programs keep
/// for themselves.
pub const DEFAULT_EXCLUSIONS: [&str; 6] = [
    "**/@eaDir/**",
    "**/._*",
    "**/#recycle/**",
    "**/#snapshot/**",
    "**/.stversions/**",
    "**/.stfolder/**",
];

/// A wish about a library.
#[derive(Clone, Debug, PartialEq)]
pub enum LibraryCommand {
    /// Make it.
    Create {
        /// Whose assets its files are.
        owner_id: UserId,
        /// What it is.
        settings: LibrarySettings,
    },
    /// Let it be like this.
    Change(LibrarySettings),
    /// Look at its files.
    RequestScan,
    /// Its files were looked at.
    RecordScan(Box<LibraryScanned>),
    /// Delete it. Its assets go after it; its files stay.
    Delete,
}

/// Why a wish about a library was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LibraryError {
    /// It was never made, or is deleted.
    #[error("library does not exist")]
    NotFound,
    /// It exists already.
    #[error("library exists already")]
    AlreadyExists,
    /// More paths or patterns than [`PATHS_MAX`], or the same one twice.
    #[error("too many paths or patterns, or one of them twice")]
    BadSettings,
}

/// A library, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Library {
    owner_id: Option<UserId>,
    settings: Option<LibrarySettings>,
    deleted: bool,
    /// How often a scan was asked for, and up to which of these it was done.
    asked: u32,
    answered: u32,
    seen: Vec<SeenRoot>,
}

impl Library {
    /// Whose assets its files are, while it exists.
    #[must_use]
    pub fn owner_id(&self) -> Option<UserId> {
        self.owner_id.filter(|_| !self.deleted)
    }

    /// What it is; nothing when it is forgotten.
    #[must_use]
    pub fn settings(&self) -> Option<&LibrarySettings> {
        self.settings.as_ref()
    }

    /// The number of the scan that is asked for and not done; none when there is none.
    #[must_use]
    pub fn scan_due(&self) -> Option<u32> {
        (self.owner_id().is_some() && self.asked > self.answered).then_some(self.asked)
    }

    /// The folder that an import path was when it was last looked at.
    #[must_use]
    pub fn seen(&self, path: &str) -> Option<&SeenRoot> {
        self.seen.iter().find(|root| root.path == path)
    }
}

fn check(settings: &LibrarySettings) -> Result<(), LibraryError> {
    for list in [&settings.import_paths, &settings.exclusion_patterns] {
        let once: BTreeSet<&String> = list.iter().collect();
        if list.len() > PATHS_MAX || once.len() < list.len() {
            return Err(LibraryError::BadSettings);
        }
    }
    Ok(())
}

impl Aggregate for Library {
    type Command = LibraryCommand;
    type Event = LibraryEvent;
    type Error = LibraryError;

    fn decide(&self, command: &LibraryCommand) -> Result<Vec<LibraryEvent>, LibraryError> {
        match command {
            LibraryCommand::Create { .. } if self.owner_id.is_some() => {
                return Err(LibraryError::AlreadyExists);
            }
            LibraryCommand::Create { owner_id, settings } => {
                check(settings)?;
                let settings = settings.clone().into();
                return Ok(vec![LibraryCreated { owner_id: *owner_id, settings }.into()]);
            }
            LibraryCommand::Delete if self.deleted => return Ok(vec![]),
            _ => {}
        }
        self.owner_id().ok_or(LibraryError::NotFound)?;
        Ok(match command {
            LibraryCommand::Change(settings) if self.settings.as_ref() == Some(settings) => vec![],
            LibraryCommand::Change(settings) => {
                check(settings)?;
                vec![LibraryChanged { settings: settings.clone().into() }.into()]
            }
            // A scan that nobody began yet is the one that is asked for.
            LibraryCommand::RequestScan => vec![LibraryScanRequested {}.into()],
            LibraryCommand::RecordScan(scanned) if scanned.scan <= self.answered => vec![],
            LibraryCommand::RecordScan(scanned) => vec![(**scanned).clone().into()],
            LibraryCommand::Delete => vec![LibraryDeleted {}.into()],
            LibraryCommand::Create { .. } => vec![],
        })
    }

    fn evolve(&mut self, event: &LibraryEvent) {
        match event {
            LibraryEvent::Created(created) => {
                self.owner_id = Some(created.owner_id);
                self.settings = created.settings.known().cloned();
            }
            LibraryEvent::Changed(changed) => self.settings = changed.settings.known().cloned(),
            LibraryEvent::ScanRequested(_) => self.asked += 1,
            LibraryEvent::Scanned(scanned) => {
                self.answered = self.answered.max(scanned.scan);
                self.seen = scanned.roots.known().cloned().unwrap_or_default();
            }
            LibraryEvent::Deleted(_) => self.deleted = true,
        }
    }
}

cqrs_aggregate!(Library, LibraryCommand, LibraryEvent, LibraryError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::*;

    const OWNER: UserId = UserId::new(Uuid::from_u128(1));

    fn settings(paths: &[&str]) -> LibrarySettings {
        LibrarySettings {
            name: "Attic".into(),
            import_paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            exclusion_patterns: vec![],
        }
    }

    fn created() -> LibraryEvent {
        LibraryCreated { owner_id: OWNER, settings: settings(&["/a"]).into() }.into()
    }

    fn scanned(scan: u32) -> LibraryScanned {
        LibraryScanned { scan, counts: ScanCounts::default(), roots: vec![].into() }
    }

    type Given = TestFramework<Library>;

    #[test]
    fn same_path_twice_is_refused() {
        Given::with(())
            .given(vec![created()])
            .when(LibraryCommand::Change(settings(&["/a", "/a"])))
            .then_expect_error(LibraryError::BadSettings);
    }

    #[test]
    fn deleted_library_is_not_scanned() {
        Given::with(())
            .given(vec![created(), LibraryDeleted {}.into()])
            .when(LibraryCommand::RequestScan)
            .then_expect_error(LibraryError::NotFound);
    }

    #[test]
    fn scan_asked_for_during_a_scan_is_still_due() {
        let mut library = Library::default();
        let asked = || LibraryEvent::from(LibraryScanRequested {});
        for event in [created(), asked(), asked(), scanned(1).into()] {
            library.evolve(&event);
        }
        assert_eq!(library.scan_due(), Some(2));
        library.evolve(&scanned(2).into());
        assert_eq!(library.scan_due(), None);
    }

    #[test]
    fn same_scan_is_recorded_once() {
        let asked = LibraryScanRequested {}.into();
        Given::with(())
            .given(vec![created(), asked, scanned(1).into()])
            .when(LibraryCommand::RecordScan(Box::new(scanned(1))))
            .then_expect_events(vec![]);
    }
}
