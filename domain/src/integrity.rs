//! Checks of whether the stored files are those that the log speaks of: what somebody asked for, and what was
//! done of it. What a check finds is no event: it says how a disk is, and the next check says it anew.

use crate::undo::way::{Row, never};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a check is not taken back.
const LOOKED: &str = "It looked at the files and changed none";

/// How events of checks go back.
pub(crate) const WAYS: &[Row] = &[
    never("IntegrityCheckDone", "integrity", LOOKED),
    never("IntegrityCheckRequested", "integrity", LOOKED),
];

use crate::event::{Aggregate, cqrs_aggregate, events};

/// What is looked for. The words are Immich's.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Files that the log speaks of and that are not there.
    MissingFile,
    /// Files that are there and that nothing speaks of.
    UntrackedFile,
    /// Files that hold something else than what was stored.
    ChecksumMismatch,
}

impl Check {
    /// Every check.
    pub const ALL: [Self; 3] = [Self::MissingFile, Self::UntrackedFile, Self::ChecksumMismatch];

    /// Immich's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingFile => "missing_file",
            Self::UntrackedFile => "untracked_file",
            Self::ChecksumMismatch => "checksum_mismatch",
        }
    }

    /// The check that a word names.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|check| check.as_str() == word)
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckWork {
    /// Look at everything.
    Look,
    /// Look again at what was found.
    LookAgain,
    /// Put assets that were found into the trash, and remove files that nothing speaks of.
    Clear,
}

/// A check is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IntegrityCheckRequested {
    /// What is to be done.
    pub work: CheckWork,
}

/// What was asked for up to a place in the stream was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IntegrityCheckDone {
    /// The revision of the last request that was done.
    pub upto: i64,
    /// How many files were looked at.
    pub files: u64,
    /// How many findings the report has now.
    pub found: u64,
}

events! {
    /// Everything that can have happened to a check.
    IntegrityEvent for "integrity" {
        CheckDone(IntegrityCheckDone) 1,
        CheckRequested(IntegrityCheckRequested) 1,
    }
}

/// A wish about one check.
#[derive(Clone, Debug, PartialEq)]
pub enum IntegrityCommand {
    /// Do something.
    Request(CheckWork),
    /// It was done.
    Record(IntegrityCheckDone),
}

/// A check refuses nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntegrityError {}

/// A check, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Integrity {
    done_upto: Option<i64>,
}

impl Aggregate for Integrity {
    type Command = IntegrityCommand;
    type Event = IntegrityEvent;
    type Error = IntegrityError;

    fn decide(&self, command: &IntegrityCommand) -> Result<Vec<IntegrityEvent>, IntegrityError> {
        Ok(match command {
            IntegrityCommand::Request(work) => vec![IntegrityCheckRequested { work: *work }.into()],
            IntegrityCommand::Record(done) if self.done_upto >= Some(done.upto) => vec![],
            IntegrityCommand::Record(done) => vec![done.clone().into()],
        })
    }

    fn evolve(&mut self, event: &IntegrityEvent) {
        if let IntegrityEvent::CheckDone(done) = event {
            self.done_upto = self.done_upto.max(Some(done.upto));
        }
    }
}

cqrs_aggregate!(Integrity, IntegrityCommand, IntegrityEvent, IntegrityError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    #[test]
    fn what_is_done_is_recorded_once() {
        let done = IntegrityCheckDone { upto: 3, files: 9, found: 1 };
        TestFramework::<Integrity>::with(())
            .given(vec![done.clone().into()])
            .when(IntegrityCommand::Record(done))
            .then_expect_events(vec![]);
    }

    #[test]
    fn every_check_is_found_by_its_word() {
        assert!(Check::ALL.into_iter().all(|check| Check::named(check.as_str()) == Some(check)));
        assert_eq!(Check::named("no"), None);
    }
}
