//! Why a file could not be decoded. Texts name numbers and formats, never files or their contents.

use serde::{Deserialize, Serialize};

/// Longest reason that is kept, in characters.
const REASON_CHARS_MAX: usize = 200;

/// What went wrong with one file, or with the pool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "error")]
pub enum DecodeError {
    /// The child died of a signal. Trying again will most likely end the same way.
    #[error("decoder crashed with signal {signal}")]
    Crashed {
        /// Number of the signal, or 0 if it ended with an exit status.
        signal: i32,
    },
    /// The child was still busy at the limit and was ended.
    #[error("decoder took too long")]
    TimedOut,
    /// The file needs more memory than one decoder may have.
    #[error("decoder ran out of its memory")]
    OutOfMemory,
    /// The format, or this use of it, cannot be decoded here.
    #[error("unsupported: {what}")]
    Unsupported {
        /// What is unsupported.
        what: String,
    },
    /// The bytes are damaged.
    #[error("corrupt: {reason}")]
    Corrupt {
        /// What the decoder says.
        reason: String,
    },
    /// A limit forbids it; nothing was allocated.
    #[error("too large: {what}")]
    TooLarge {
        /// What is too large.
        what: String,
    },
    /// The file cannot be read at all. Nothing is known about its contents.
    #[error("file cannot be read: {reason}")]
    Unreadable {
        /// The operating system's reason.
        reason: String,
    },
    /// The decoder program itself cannot be started or spoken to: not the file's fault.
    #[error("decoder is unavailable: {reason}")]
    Unavailable {
        /// What failed.
        reason: String,
    },
}

impl DecodeError {
    pub(crate) fn corrupt(reason: &str) -> Self {
        Self::Corrupt { reason: reason.chars().take(REASON_CHARS_MAX).collect() }
    }

    pub(crate) fn unavailable(reason: &str, source: &dyn std::error::Error) -> Self {
        Self::Unavailable { reason: format!("{reason}: {source}") }
    }

    /// Whether the same file may fare better later: only when the fault was not its own.
    #[must_use]
    pub fn is_worth_retrying(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::Unreadable { .. } | Self::TimedOut => true,
            Self::Crashed { .. }
            | Self::OutOfMemory
            | Self::Unsupported { .. }
            | Self::Corrupt { .. }
            | Self::TooLarge { .. } => false,
        }
    }
}
