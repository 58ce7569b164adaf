//! A batch: files that were taken in together. It remembers which files it has, so that a repeated request does
//! nothing twice, and what it did with them, so that this can be taken back as a whole.

mod event;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use event::{
    BatchAlbum, BatchClosed, BatchCommitted, BatchEntry, BatchEvent, BatchOpened, BatchRolledBack,
};

use crate::event::{Aggregate, cqrs_aggregate};
use crate::id::{AlbumId, AssetId, UserId};
use crate::undo::way::{Row, never};

/// Why what is said of a batch is not taken back.
const ROLLED_BACK: &str = "A batch is rolled back as a whole";

/// How events of batches go back.
pub(crate) const WAYS: &[Row] = &[
    never("BatchClosed", "batch", ROLLED_BACK),
    never("BatchCommitted", "batch", ROLLED_BACK),
    never("BatchOpened", "batch", ROLLED_BACK),
    never("BatchRolledBack", "batch", "What was rolled back is imported anew"),
];

/// Files that one batch may have; whoever has more opens another.
pub const ENTRIES_MAX: usize = 1_000_000;
/// Files, and albums, of one event.
pub const COMMIT_ENTRIES_MAX: usize = 500;

/// What became of a file that the batch has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The asset that it is.
    pub asset_id: AssetId,
    /// Whether the batch made the asset.
    pub is_new: bool,
}

/// How much a batch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Assets that it made.
    pub created: u64,
    /// Files whose bytes the owner had before.
    pub duplicates: u64,
    /// Bytes of the assets that it made.
    pub created_bytes: u64,
    /// Albums that it made.
    pub albums: u64,
    /// Tags that it made.
    pub tags: u64,
    /// Times that a file was put into an album.
    pub album_entries: u64,
}

impl Counts {
    /// Adds what one request did.
    pub fn add(&mut self, committed: &BatchCommitted) {
        for entry in &committed.entries {
            if entry.is_new {
                self.created += 1;
                self.created_bytes =
                    self.created_bytes.saturating_add(entry.size_bytes.unwrap_or_default());
            } else {
                self.duplicates += 1;
            }
            self.album_entries += count(entry.album_ids.len());
        }
        self.albums += count(committed.albums.len());
        self.tags += count(committed.tag_ids.len());
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// A wish about a batch. Only its owner may have one.
#[derive(Clone, Debug, PartialEq)]
pub enum BatchCommand {
    /// Open it.
    Open {
        /// Whose assets its files become.
        by: UserId,
    },
    /// Take note of what was taken in.
    Commit {
        /// Who wishes it.
        by: UserId,
        /// What was taken in; none of it is in the batch already.
        committed: Box<BatchCommitted>,
    },
    /// Take in nothing more.
    Close {
        /// Who wishes it.
        by: UserId,
    },
    /// Take note of what was taken back.
    RollBack {
        /// Who wishes it.
        by: UserId,
        /// What was taken back.
        rolled_back: BatchRolledBack,
    },
}

/// Why a wish about a batch was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// It was never opened, or is somebody else's.
    #[error("batch does not exist")]
    NotFound,
    /// It exists already, and is somebody else's.
    #[error("batch exists already")]
    AlreadyExists,
    /// It takes nothing more.
    #[error("batch is closed")]
    Closed,
    /// It takes files still, so it cannot be rolled back.
    #[error("batch is open")]
    Open,
    /// More than [`ENTRIES_MAX`] files, more than [`COMMIT_ENTRIES_MAX`] at once, or one of them twice.
    #[error("too many files for a batch, or one of them twice")]
    BadEntries,
    /// An album that is not there, or that its owner may put nothing into.
    #[error("an album cannot be added to")]
    Album,
    /// What was said of a file is refused.
    #[error("what was said of a file is refused")]
    Asset,
    /// A tag that cannot be made.
    #[error("a tag cannot be made")]
    Tag,
    /// What is said of the people on a photo is refused.
    #[error("what was said of people is refused")]
    Person,
    /// Files that cannot be a stack.
    #[error("files cannot be stacked")]
    Stack,
}

/// A batch, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Batch {
    owner_id: Option<UserId>,
    is_closed: bool,
    is_rolled_back: bool,
    counts: Counts,
    /// By the first half of their SHA-1.
    done: HashMap<Uuid, Done>,
    albums: HashMap<Uuid, AlbumId>,
}

impl Batch {
    /// What became of a file, by its SHA-1 in hex; nothing where the batch does not have it.
    #[must_use]
    pub fn done(&self, sha1: &str) -> Option<Done> {
        self.done.get(&entry_key(sha1)?).copied()
    }

    /// The album that it made under a key.
    #[must_use]
    pub fn album(&self, key: Uuid) -> Option<AlbumId> {
        self.albums.get(&key).copied()
    }

    /// How much it did.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether it takes nothing more.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Whether all it did was taken back, as far as possible.
    #[must_use]
    pub const fn is_rolled_back(&self) -> bool {
        self.is_rolled_back
    }

    /// Whether somebody may look at it.
    ///
    /// # Errors
    /// [`BatchError::NotFound`] where it is not theirs.
    pub fn require_owner(&self, by: UserId) -> Result<(), BatchError> {
        if self.owner_id == Some(by) { Ok(()) } else { Err(BatchError::NotFound) }
    }

    /// Whether it takes more files of somebody.
    ///
    /// # Errors
    /// [`BatchError::NotFound`] and [`BatchError::Closed`].
    pub fn require_open(&self, by: UserId) -> Result<(), BatchError> {
        self.require_owner(by)?;
        if self.is_closed { Err(BatchError::Closed) } else { Ok(()) }
    }

    fn check(&self, committed: &BatchCommitted) -> Result<(), BatchError> {
        let mut once = std::collections::HashSet::new();
        let is_fresh = |entry: &BatchEntry| {
            entry_key(&entry.sha1).is_some_and(|key| !self.done.contains_key(&key))
        };
        let all_fresh = committed
            .entries
            .iter()
            .all(|entry| is_fresh(entry) && once.insert(entry.sha1.as_str()));
        let fits = committed.entries.len() <= COMMIT_ENTRIES_MAX
            && committed.albums.len() <= COMMIT_ENTRIES_MAX
            && self.done.len() + committed.entries.len() <= ENTRIES_MAX;
        if all_fresh && fits { Ok(()) } else { Err(BatchError::BadEntries) }
    }
}

/// Half of a SHA-1 names a file among a million of one person.
fn entry_key(sha1: &str) -> Option<Uuid> {
    u128::from_str_radix(sha1.get(..32)?, 16).ok().map(Uuid::from_u128)
}

impl Aggregate for Batch {
    type Command = BatchCommand;
    type Event = BatchEvent;
    type Error = BatchError;

    fn decide(&self, command: &BatchCommand) -> Result<Vec<BatchEvent>, BatchError> {
        match command {
            BatchCommand::Open { by } => match self.owner_id {
                None => Ok(vec![BatchOpened { owner_id: *by }.into()]),
                Some(owner_id) if owner_id == *by => Ok(vec![]),
                Some(_) => Err(BatchError::AlreadyExists),
            },
            BatchCommand::Commit { by, committed } => {
                self.require_open(*by)?;
                self.check(committed)?;
                let is_empty = committed.entries.is_empty() && committed.albums.is_empty();
                Ok(if is_empty { vec![] } else { vec![(**committed).clone().into()] })
            }
            BatchCommand::Close { by } => {
                self.require_owner(*by)?;
                Ok(if self.is_closed { vec![] } else { vec![BatchClosed {}.into()] })
            }
            BatchCommand::RollBack { by, rolled_back } => {
                self.require_owner(*by)?;
                if !self.is_closed {
                    return Err(BatchError::Open);
                }
                Ok(vec![rolled_back.clone().into()])
            }
        }
    }

    fn evolve(&mut self, event: &BatchEvent) {
        match event {
            BatchEvent::Opened(opened) => self.owner_id = Some(opened.owner_id),
            BatchEvent::Committed(committed) => {
                self.counts.add(committed);
                self.done.extend(committed.entries.iter().filter_map(|entry| {
                    let done = Done { asset_id: entry.asset_id, is_new: entry.is_new };
                    Some((entry_key(&entry.sha1)?, done))
                }));
                self.albums.extend(committed.albums.iter().map(|it| (it.key, it.album_id)));
            }
            BatchEvent::Closed(_) => self.is_closed = true,
            BatchEvent::RolledBack(rolled_back) => self.is_rolled_back |= rolled_back.is_done,
        }
    }
}

cqrs_aggregate!(Batch, BatchCommand, BatchEvent, BatchError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    const OWNER: UserId = UserId::new(Uuid::from_u128(1));
    const STRANGER: UserId = UserId::new(Uuid::from_u128(2));

    fn entry(number: u8) -> BatchEntry {
        BatchEntry {
            sha1: format!("{number:040x}").chars().rev().collect(),
            asset_id: AssetId::new(Uuid::from_u128(number.into())),
            is_new: true,
            size_bytes: Some(10),
            album_ids: vec![],
            tag_ids: vec![],
        }
    }

    fn commit(by: UserId, numbers: &[u8]) -> BatchCommand {
        BatchCommand::Commit { by, committed: Box::new(committed(numbers)) }
    }

    fn committed(numbers: &[u8]) -> BatchCommitted {
        BatchCommitted {
            entries: numbers.iter().copied().map(entry).collect(),
            ..BatchCommitted::default()
        }
    }

    fn opened() -> BatchEvent {
        BatchOpened { owner_id: OWNER }.into()
    }

    type Given = TestFramework<Batch>;

    #[test]
    fn opening_twice_happens_once_and_to_one_person_only() {
        Given::with(())
            .given(vec![opened()])
            .when(BatchCommand::Open { by: OWNER })
            .then_expect_events(vec![]);
        Given::with(())
            .given(vec![opened()])
            .when(BatchCommand::Open { by: STRANGER })
            .then_expect_error(BatchError::AlreadyExists);
    }

    #[test]
    fn file_is_taken_in_once() {
        Given::with(())
            .given(vec![opened(), committed(&[1]).into()])
            .when(commit(OWNER, &[2, 1]))
            .then_expect_error(BatchError::BadEntries);
        Given::with(())
            .given(vec![opened()])
            .when(commit(OWNER, &[1, 1]))
            .then_expect_error(BatchError::BadEntries);
    }

    #[test]
    fn stranger_and_closed_batch_take_nothing_in() {
        Given::with(())
            .given(vec![opened()])
            .when(commit(STRANGER, &[1]))
            .then_expect_error(BatchError::NotFound);
        Given::with(())
            .given(vec![opened(), BatchClosed {}.into()])
            .when(commit(OWNER, &[1]))
            .then_expect_error(BatchError::Closed);
    }

    #[test]
    fn open_batch_is_not_rolled_back() {
        let rolled_back = BatchRolledBack {
            assets: 1,
            left_alone: 0,
            albums: 0,
            tags: 0,
            for_good: false,
            is_done: true,
        };
        Given::with(())
            .given(vec![opened()])
            .when(BatchCommand::RollBack { by: OWNER, rolled_back })
            .then_expect_error(BatchError::Open);
    }

    #[test]
    fn batch_remembers_what_became_of_a_file_and_how_much_it_did() {
        let mut batch = Batch::default();
        let mut known = entry(2);
        known.is_new = false;
        let both = BatchCommitted { entries: vec![entry(1), known], ..BatchCommitted::default() };
        for event in [opened(), both.into()] {
            batch.evolve(&event);
        }
        assert!(batch.done(&entry(1).sha1).is_some_and(|done| done.is_new));
        assert!(batch.done(&entry(2).sha1).is_some_and(|done| !done.is_new));
        assert!(batch.done(&entry(3).sha1).is_none());
        let counts = batch.counts();
        assert_eq!((counts.created, counts.duplicates, counts.created_bytes), (1, 1, 10));
    }
}
