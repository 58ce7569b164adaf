//! One login of a device, from opening to closing.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{Aggregate, cqrs_aggregate, events};
use crate::id::{SessionId, UserId};
use crate::sealed::Sealed;

/// What the device says it is; personal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// Browser or model.
    pub device_type: String,
    /// Operating system.
    pub device_os: String,
    /// Version of the app, where it names one.
    pub app_version: Option<String>,
}

/// Somebody logged in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionOpened {
    /// Whose session.
    pub user_id: UserId,
    /// SHA-256 of the token, lower-case hex. The token itself is nowhere.
    pub token_sha256: String,
    /// The device.
    pub device: Sealed<Device>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// The session it was made from.
    pub parent_id: Option<SessionId>,
}

/// The session's app is to start its sync anew, or no longer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionSyncResetChanged {
    /// Whether a reset is pending.
    pub pending: bool,
}

/// Logged out, by itself or by somebody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionClosed {}

events! {
    /// Everything that can have happened to a session.
    SessionEvent for "session" {
        Closed(SessionClosed) 1,
        Opened(SessionOpened) 1,
        SyncResetChanged(SessionSyncResetChanged) 1,
    }
}

/// A wish about one session.
#[derive(Clone, Debug, PartialEq)]
pub enum SessionCommand {
    /// Open it.
    Open(SessionOpened),
    /// Ask the app to start its sync anew, or take that back.
    SetSyncReset(bool),
    /// Close it.
    Close,
}

/// Why a wish about a session was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// It was never opened, or is closed.
    #[error("session does not exist")]
    NotFound,
    /// It was opened before.
    #[error("session exists already")]
    AlreadyExists,
}

/// A session, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Session {
    opened: bool,
    closed: bool,
    sync_reset: bool,
}

impl Aggregate for Session {
    type Command = SessionCommand;
    type Event = SessionEvent;
    type Error = SessionError;

    fn decide(&self, command: &SessionCommand) -> Result<Vec<SessionEvent>, SessionError> {
        match command {
            SessionCommand::Open(_) if self.opened => Err(SessionError::AlreadyExists),
            SessionCommand::Open(opened) => Ok(vec![opened.clone().into()]),
            _ if !self.opened => Err(SessionError::NotFound),
            SessionCommand::Close if self.closed => Ok(vec![]),
            SessionCommand::Close => Ok(vec![SessionClosed {}.into()]),
            SessionCommand::SetSyncReset(_) if self.closed => Err(SessionError::NotFound),
            SessionCommand::SetSyncReset(pending) if *pending == self.sync_reset => Ok(vec![]),
            SessionCommand::SetSyncReset(pending) => {
                Ok(vec![SessionSyncResetChanged { pending: *pending }.into()])
            }
        }
    }

    fn evolve(&mut self, event: &SessionEvent) {
        match event {
            SessionEvent::Opened(_) => self.opened = true,
            SessionEvent::Closed(SessionClosed {}) => self.closed = true,
            SessionEvent::SyncResetChanged(changed) => self.sync_reset = changed.pending,
        }
    }
}

cqrs_aggregate!(Session, SessionCommand, SessionEvent, SessionError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::*;

    fn opened() -> SessionEvent {
        SessionOpened {
            user_id: UserId::new(Uuid::from_u128(1)),
            token_sha256: "00".into(),
            device: Device::default().into(),
            expires_at: None,
            parent_id: None,
        }
        .into()
    }

    #[test]
    fn closing_twice_happens_once() {
        TestFramework::<Session>::with(())
            .given(vec![opened(), SessionClosed {}.into()])
            .when(SessionCommand::Close)
            .then_expect_events(vec![]);
    }

    #[test]
    fn unopened_session_is_not_found() {
        TestFramework::<Session>::with(())
            .given_no_previous_events()
            .when(SessionCommand::Close)
            .then_expect_error(SessionError::NotFound);
    }
}
