//! What can go wrong, and whether it certainly did not happen.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use crate::stream::{ExpectedRevision, GlobalPosition, Revision, StreamId};

/// A cause that several waiting callers share.
pub(crate) type Cause = Arc<dyn Error + Send + Sync>;

/// Reading from or managing the store failed.
#[derive(Clone, Debug, Error)]
pub enum StoreError {
    /// The database refused or was not there.
    #[error("failed to {attempt}")]
    Database {
        /// What was tried, such as `read the log`.
        attempt: &'static str,
        /// Why it failed.
        source: Cause,
    },
    /// A row holds what it should never hold.
    #[error("{table}.{column} of {row} should be impossible: {reason}")]
    Corrupt {
        /// Table with its schema.
        table: &'static str,
        /// Column.
        column: &'static str,
        /// Which row.
        row: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A key's file cannot be found, read or made.
    #[error("failed to {attempt} {}", path.display())]
    Keyring {
        /// What was tried.
        attempt: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: Cause,
    },
    /// The master key is not the one that the log was sealed with.
    #[error(
        "the master key in `keys/` does not open this log: put the one back that belongs to it, from its backup; if it is lost, names, places and captions are lost with it, and the originals are still in `library/`"
    )]
    WrongMasterKey,
    /// The address of another store cannot be understood. It may hold a password, so it is not told.
    #[error("the address of {of} is not right")]
    Address {
        /// Of which store.
        of: &'static str,
    },
    /// The log is not where it is looked for.
    #[error("{0}")]
    OtherLog(&'static str),
    /// The store was closed.
    #[error("the event store is closed")]
    Closed,
}

impl StoreError {
    /// For `map_err` on what the database says.
    pub(crate) fn database(attempt: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Database { attempt, source: Arc::new(source) }
    }
}

/// An append was refused or failed.
#[derive(Clone, Debug, Error)]
pub enum AppendError {
    /// The stream is not where the append demands; nothing was written to any stream.
    #[error("stream {stream_id} is not at {expected}")]
    WrongExpectedRevision {
        /// Which stream.
        stream_id: StreamId,
        /// What was demanded.
        expected: ExpectedRevision,
        /// Its last revision, none while it has no event.
        actual: Option<Revision>,
    },
    /// The store cannot be reached or is full of work; certainly not written.
    #[error("the event store is unavailable, nothing was written")]
    Unavailable(#[source] StoreError),
    /// The answer was lost: it may have been written. Retry with the same event ids.
    #[error("the event store's answer was lost")]
    Unknown(#[source] StoreError),
    /// The append makes no sense, now and later; nothing was written.
    #[error("invalid append: {0}")]
    Invalid(String),
    /// The key that would seal was destroyed; nothing was written.
    #[error("subject {subject} was forgotten")]
    SubjectForgotten {
        /// Which subject.
        subject: String,
    },
}

/// The relay could not go on; nothing is lost, and the next step starts where this one did.
#[derive(Debug, Error)]
pub enum RelayError {
    /// The log could not be read, or the checkpoint not be moved.
    #[error("failed to read the log for JetStream")]
    Store(#[source] StoreError),
    /// The stream could not be made.
    #[error("failed to make sure of JetStream stream {stream}")]
    Stream {
        /// Its name.
        stream: String,
        /// Why it failed.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A message was not acknowledged.
    #[error("failed to publish the event at position {position}")]
    Publish {
        /// Of the first event that was not acknowledged.
        position: GlobalPosition,
        /// Why it failed.
        source: Box<dyn Error + Send + Sync>,
    },
}
