//! Why there is no proof.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use uuid::Uuid;

use crate::error::StoreError;

/// A proof, or a step of the tree, that did not come about.
#[derive(Debug, Error)]
pub enum ProofError {
    /// The database or the key's file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such event with a position.
    #[error("there is no event {event_id} in the order of the log")]
    NoSuchEvent {
        /// Which.
        event_id: Uuid,
    },
    /// Nothing was signed that covers it; a new head will.
    #[error("no signed head covers position {position} yet; sign one")]
    NotSignedYet {
        /// Place in the log.
        position: i64,
    },
    /// There is no head of this size.
    #[error("there is no signed head of size {size}")]
    NoSuchHead {
        /// Leaves of the tree.
        size: u64,
    },
    /// Tiles are not there, so nothing can be computed from them.
    #[error(
        "the tree's tiles are not whole (size {size}): `calotype verify` says what of the log can still be proven, \
         `calotype proof --rebuild` makes them anew from the log"
    )]
    TilesGone {
        /// Leaves that the tree should have.
        size: u64,
    },
    /// The log or the tree is not what was signed.
    #[error("the log is not what was signed at size {size}: `calotype verify` names what differs")]
    NotWhatWasSigned {
        /// Leaves of the head.
        size: u64,
    },
    /// The key is not the one that signed before.
    #[error(
        "`keys/proof.key` is not the key that signed this log's heads: put that one back, from its backup"
    )]
    OtherKey,
    /// So many keys have followed one another that proofs would become too long.
    #[error("{count} keys have followed one another, and that is the most")]
    TooManyKeys {
        /// How many.
        count: usize,
    },
    /// There is no key, and heads were signed with one.
    #[error(
        "`keys/proof.key` is missing, and heads were signed with it: put it back, from its backup"
    )]
    NoKey,
    /// The file that heads are appended to.
    #[error("failed to {attempt} {}", path.display())]
    File {
        /// What was tried.
        attempt: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}
