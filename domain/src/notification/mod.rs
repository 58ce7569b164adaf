//! Something a person is told inside the app. Whether they have read it is not an event.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::event::{Aggregate, cqrs_aggregate, events};
use crate::id::UserId;
use crate::sealed::Sealed;
use crate::undo::way::{Row, follows, never};

/// How it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationLevel {
    /// Something went well.
    Success,
    /// Something failed.
    Error,
    /// Something may fail.
    Warning,
    /// Something happened.
    Info,
}

impl NotificationLevel {
    /// Immich's words.
    pub const WORDS: [&str; 4] = ["success", "error", "warning", "info"];

    /// Immich's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }

    /// By Immich's word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Success, Self::Error, Self::Warning, Self::Info]
            .into_iter()
            .find(|level| level.as_str() == word)
    }
}

/// What it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// Work in the background failed.
    JobFailed,
    /// A backup failed.
    BackupFailed,
    /// The server says something.
    SystemMessage,
    /// Somebody shared an album with the person.
    AlbumInvite,
    /// Something new is in an album.
    AlbumUpdate,
    /// An administrator wrote it.
    Custom,
}

impl NotificationKind {
    /// Immich's words.
    pub const WORDS: [&str; 6] =
        ["JobFailed", "BackupFailed", "SystemMessage", "AlbumInvite", "AlbumUpdate", "Custom"];

    /// Immich's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JobFailed => "JobFailed",
            Self::BackupFailed => "BackupFailed",
            Self::SystemMessage => "SystemMessage",
            Self::AlbumInvite => "AlbumInvite",
            Self::AlbumUpdate => "AlbumUpdate",
            Self::Custom => "Custom",
        }
    }

    /// By Immich's word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [
            Self::JobFailed,
            Self::BackupFailed,
            Self::SystemMessage,
            Self::AlbumInvite,
            Self::AlbumUpdate,
            Self::Custom,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == word)
    }
}

/// What it says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationText {
    /// The first line.
    pub title: String,
    /// More about it.
    pub description: Option<String>,
    /// What the app needs to open what it is about.
    pub data: Option<Map<String, Value>>,
}

/// A person was told something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationSent {
    /// Who.
    pub user_id: UserId,
    /// How it is shown.
    pub level: NotificationLevel,
    /// What it is about.
    pub kind: NotificationKind,
    /// What it says; personal.
    pub text: Sealed<NotificationText>,
}

/// The person wants to see it no longer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationDeleted {}

/// How news goes back: not at all.
pub(crate) const WAYS: &[Row] = &[
    never("NotificationDeleted", "notification", "News that was deleted is not told again"),
    follows("NotificationSent", "tells of something else, which goes back by itself"),
];

events! {
    /// Everything that can have happened to a notification.
    NotificationEvent for "notification" {
        Deleted(NotificationDeleted) 1,
        Sent(NotificationSent) 1,
    }
}

/// A wish about one notification.
#[derive(Clone, Debug, PartialEq)]
pub enum NotificationCommand {
    /// Tell it.
    Send(NotificationSent),
    /// Take it away.
    Delete {
        /// Who wishes it.
        by: UserId,
    },
}

/// Why a wish about a notification was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    /// It was never told, is gone, or was told to somebody else.
    #[error("notification does not exist")]
    NotFound,
    /// It was told before.
    #[error("notification exists already")]
    AlreadyExists,
}

/// A notification, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Notification {
    user_id: Option<UserId>,
    deleted: bool,
}

impl Aggregate for Notification {
    type Command = NotificationCommand;
    type Event = NotificationEvent;
    type Error = NotificationError;

    fn decide(
        &self,
        command: &NotificationCommand,
    ) -> Result<Vec<NotificationEvent>, NotificationError> {
        match command {
            NotificationCommand::Send(_) if self.user_id.is_some() => {
                Err(NotificationError::AlreadyExists)
            }
            NotificationCommand::Send(sent) => Ok(vec![sent.clone().into()]),
            NotificationCommand::Delete { by } if self.user_id != Some(*by) => {
                Err(NotificationError::NotFound)
            }
            NotificationCommand::Delete { .. } if self.deleted => Ok(vec![]),
            NotificationCommand::Delete { .. } => Ok(vec![NotificationDeleted {}.into()]),
        }
    }

    fn evolve(&mut self, event: &NotificationEvent) {
        match event {
            NotificationEvent::Sent(sent) => self.user_id = Some(sent.user_id),
            NotificationEvent::Deleted(NotificationDeleted {}) => self.deleted = true,
        }
    }
}

cqrs_aggregate!(Notification, NotificationCommand, NotificationEvent, NotificationError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::*;

    const READER: UserId = UserId::new(Uuid::from_u128(1));
    const STRANGER: UserId = UserId::new(Uuid::from_u128(2));

    fn sent() -> NotificationEvent {
        NotificationSent {
            user_id: READER,
            level: NotificationLevel::Info,
            kind: NotificationKind::Custom,
            text: NotificationText { title: "Hello".into(), ..NotificationText::default() }.into(),
        }
        .into()
    }

    #[test]
    fn reader_takes_it_away_once() {
        TestFramework::<Notification>::with(())
            .given(vec![sent(), NotificationDeleted {}.into()])
            .when(NotificationCommand::Delete { by: READER })
            .then_expect_events(vec![]);
    }

    #[test]
    fn stranger_does_not_find_it() {
        TestFramework::<Notification>::with(())
            .given(vec![sent()])
            .when(NotificationCommand::Delete { by: STRANGER })
            .then_expect_error(NotificationError::NotFound);
    }

    #[test]
    fn words_lead_back_to_what_they_stand_for() {
        for word in NotificationKind::WORDS {
            assert_eq!(NotificationKind::of(word).map(NotificationKind::as_str), Some(word));
        }
        for word in NotificationLevel::WORDS {
            assert_eq!(NotificationLevel::of(word).map(NotificationLevel::as_str), Some(word));
        }
    }
}
