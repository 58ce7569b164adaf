//! One login of a device, from opening to closing.

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{Aggregate, cqrs_aggregate, events};
use crate::id::{SessionId, UserId};
use crate::sealed::Sealed;
use crate::undo::way::{Row, never};

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

/// The PIN was given: what is locked opens for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionUnlocked {
    /// Until when.
    pub until: DateTime<Utc>,
}

/// Used while it was unlocked and shortly before that ended: it stays unlocked for longer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionUnlockExtended {
    /// Until when.
    pub until: DateTime<Utc>,
}

/// What is locked is closed to it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionLocked {}

/// Logged out, by itself or by somebody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionClosed {}

/// How events of logins go back: not at all.
pub(crate) const WAYS: &[Row] = &[
    never("SessionClosed", "session", LOGIN),
    never("SessionLocked", "session", LOGIN),
    never("SessionOpened", "session", LOGIN),
    never("SessionSyncResetChanged", "session", "The phone has begun anew, or is about to"),
    never("SessionUnlockExtended", "session", LOGIN),
    never("SessionUnlocked", "session", LOGIN),
];
const LOGIN: &str = "A login is given and ended, not taken back";

events! {
    /// Everything that can have happened to a session.
    SessionEvent for "session" {
        Closed(SessionClosed) 1,
        Locked(SessionLocked) 1,
        Opened(SessionOpened) 1,
        SyncResetChanged(SessionSyncResetChanged) 1,
        UnlockExtended(SessionUnlockExtended) 1,
        Unlocked(SessionUnlocked) 1,
    }
}

/// A wish about one session.
#[derive(Clone, Debug, PartialEq)]
pub enum SessionCommand {
    /// Open it.
    Open(SessionOpened),
    /// Ask the app to start its sync anew, or take that back.
    SetSyncReset(bool),
    /// Open what is locked to it; whoever wishes it has shown the PIN.
    Unlock {
        /// Until when.
        until: DateTime<Utc>,
    },
    /// Keep it unlocked for longer, because it is in use.
    ExtendUnlock {
        /// The instant of the wish.
        now: DateTime<Utc>,
        /// Until when.
        until: DateTime<Utc>,
    },
    /// Close what is locked to it.
    Lock,
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

/// An unlocked session is not extended by less than this, so that a busy one does not fill the log.
const EXTENSION_MIN: TimeDelta = TimeDelta::seconds(60);

/// A session, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Session {
    opened: bool,
    closed: bool,
    sync_reset: bool,
    #[serde(default)]
    unlocked_until: Option<DateTime<Utc>>,
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
            _ if self.closed => Err(SessionError::NotFound),
            SessionCommand::SetSyncReset(pending) if *pending == self.sync_reset => Ok(vec![]),
            SessionCommand::SetSyncReset(pending) => {
                Ok(vec![SessionSyncResetChanged { pending: *pending }.into()])
            }
            SessionCommand::Unlock { until } if self.unlocked_until == Some(*until) => Ok(vec![]),
            SessionCommand::Unlock { until } => Ok(vec![SessionUnlocked { until: *until }.into()]),
            SessionCommand::ExtendUnlock { now, until } => {
                let holds = self
                    .unlocked_until
                    .is_some_and(|end| end > *now && *until - end >= EXTENSION_MIN);
                Ok(if holds {
                    vec![SessionUnlockExtended { until: *until }.into()]
                } else {
                    vec![]
                })
            }
            SessionCommand::Lock if self.unlocked_until.is_none() => Ok(vec![]),
            SessionCommand::Lock => Ok(vec![SessionLocked {}.into()]),
        }
    }

    fn evolve(&mut self, event: &SessionEvent) {
        match event {
            SessionEvent::Opened(_) => self.opened = true,
            SessionEvent::Closed(SessionClosed {}) => self.closed = true,
            SessionEvent::SyncResetChanged(changed) => self.sync_reset = changed.pending,
            SessionEvent::Unlocked(unlocked) => self.unlocked_until = Some(unlocked.until),
            SessionEvent::UnlockExtended(extended) => self.unlocked_until = Some(extended.until),
            SessionEvent::Locked(SessionLocked {}) => self.unlocked_until = None,
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

    fn minute(number: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(number * 60, 0).unwrap()
    }

    #[test]
    fn unlocked_session_in_use_stays_unlocked() {
        let unlocked = SessionUnlocked { until: minute(15) };
        let extend = |now, until| SessionCommand::ExtendUnlock { now, until };
        let given =
            || TestFramework::<Session>::with(()).given(vec![opened(), unlocked.clone().into()]);
        given()
            .when(extend(minute(12), minute(17)))
            .then_expect_events(vec![SessionUnlockExtended { until: minute(17) }.into()]);
        given().when(extend(minute(10), minute(15))).then_expect_events(vec![]);
        given().when(extend(minute(16), minute(21))).then_expect_events(vec![]);
    }

    #[test]
    fn locking_twice_happens_once() {
        TestFramework::<Session>::with(())
            .given(vec![
                opened(),
                SessionUnlocked { until: minute(15) }.into(),
                SessionLocked {}.into(),
            ])
            .when(SessionCommand::Lock)
            .then_expect_events(vec![]);
    }

    #[test]
    fn closed_session_is_not_unlocked() {
        TestFramework::<Session>::with(())
            .given(vec![opened(), SessionClosed {}.into()])
            .when(SessionCommand::Unlock { until: minute(15) })
            .then_expect_error(SessionError::NotFound);
    }

    #[test]
    fn unopened_session_is_not_found() {
        TestFramework::<Session>::with(())
            .given_no_previous_events()
            .when(SessionCommand::Close)
            .then_expect_error(SessionError::NotFound);
    }
}
