//! An administrator or auditor looked at what is somebody else's: an audit event, gathered per who looked, at what,
//! of whom, from where, and hour.
//!
//! Each of these is a stream of its own, which takes one event: looking again in the same hour is no news.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{Aggregate, cqrs_aggregate, events};
use crate::id::UserId;
use crate::sealed::Sealed;
use crate::undo::way::{Row, never};

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdminView {
    /// Name, e-mail and settings of an account.
    Account,
    /// The log.
    Audit,
    /// On which days somebody took photos.
    Calendar,
    /// A stored file that was found to be wrong.
    File,
    /// The history of one thing.
    History,
    /// The folders of an external library.
    Library,
    /// What somebody prefers.
    Preferences,
    /// Where somebody is logged in.
    Sessions,
    /// How much somebody has.
    Statistics,
}

impl AdminView {
    /// As words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Audit => "log",
            Self::Calendar => "calendar",
            Self::File => "file",
            Self::History => "history",
            Self::Library => "library",
            Self::Preferences => "preferences",
            Self::Sessions => "sessions",
            Self::Statistics => "statistics",
        }
    }
}

/// From where somebody looked; personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdminVisitor {
    /// The address, where it is known.
    pub address: Option<String>,
}

/// Somebody looked, for the first time in this hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AdminViewed {
    /// Who.
    pub admin_id: UserId,
    /// Whose; nobody's where all were looked at.
    pub of: Option<UserId>,
    /// At what.
    pub what: AdminView,
    /// The hour, by its first instant.
    pub hour: DateTime<Utc>,
    /// From where.
    pub visitor: Sealed<AdminVisitor>,
}

/// How what was looked at goes back: not at all.
pub(crate) const WAYS: &[Row] =
    &[never("AdminViewed", "view", "Somebody looked at something; that cannot be undone")];

events! {
    /// Everything that can have happened to one hour of looking.
    AdminViewEvent for "admin_view" {
        Viewed(AdminViewed) 1,
    }
}

/// Looking.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordAdminView(pub AdminViewed);

/// Looking is never refused here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdminViewError {}

/// One hour of looking, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AdminLook {
    is_recorded: bool,
}

impl Aggregate for AdminLook {
    type Command = RecordAdminView;
    type Event = AdminViewEvent;
    type Error = AdminViewError;

    fn decide(
        &self,
        RecordAdminView(viewed): &RecordAdminView,
    ) -> Result<Vec<AdminViewEvent>, AdminViewError> {
        Ok(if self.is_recorded { vec![] } else { vec![viewed.clone().into()] })
    }

    fn evolve(&mut self, event: &AdminViewEvent) {
        match event {
            AdminViewEvent::Viewed(_) => self.is_recorded = true,
        }
    }
}

cqrs_aggregate!(AdminLook, RecordAdminView, AdminViewEvent, AdminViewError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    #[test]
    fn looking_twice_in_an_hour_is_recorded_once() {
        let viewed = AdminViewed {
            admin_id: UserId::default(),
            of: None,
            what: AdminView::Account,
            hour: DateTime::from_timestamp(3_600, 0).unwrap(),
            visitor: AdminVisitor { address: None }.into(),
        };
        TestFramework::<AdminLook>::with(())
            .given(vec![viewed.clone().into()])
            .when(RecordAdminView(viewed))
            .then_expect_events(vec![]);
    }
}
