//! Why a command did not happen.

use calotype_domain::DecodeError;
use calotype_eventstore::{AppendError, StoreError};

/// Why a command did not happen, with the aggregate's own refusal as `E`.
#[derive(Debug, thiserror::Error)]
pub enum CommandError<E: std::error::Error + 'static> {
    /// The aggregate said no. Nothing was written.
    #[error("refused")]
    Refused(#[source] E),
    /// Others kept writing to the same streams. Nothing was written; try again.
    #[error("too many writers on the same streams")]
    Contended,
    /// A stored event could not be read. Nothing was written.
    #[error("failed to read the aggregate's events")]
    Decode(#[from] DecodeError),
    /// The log could not be read. Nothing was written.
    #[error("failed to read the event log")]
    Read(#[from] StoreError),
    /// The append failed; [`AppendError`] says whether it may have been written.
    #[error("failed to append")]
    Append(#[source] AppendError),
    /// The password could not be hashed.
    #[error("failed to hash the password")]
    Password,
}

impl<E: std::error::Error + 'static> CommandError<E> {
    /// Whether certainly nothing was written; if not, what the command refers to must stay.
    #[must_use]
    pub const fn is_certainly_unwritten(&self) -> bool {
        !matches!(self, Self::Append(AppendError::Unknown(_)))
    }

    /// Turns the refusal into that of another layer, and leaves the rest.
    pub fn map_refusal<F: std::error::Error + 'static>(
        self,
        turn: impl FnOnce(E) -> F,
    ) -> CommandError<F> {
        match self {
            Self::Refused(refusal) => CommandError::Refused(turn(refusal)),
            Self::Contended => CommandError::Contended,
            Self::Decode(error) => CommandError::Decode(error),
            Self::Read(error) => CommandError::Read(error),
            Self::Append(error) => CommandError::Append(error),
            Self::Password => CommandError::Password,
        }
    }
}
