//! One person shares their whole timeline with another. A pair in one direction; the other is another one.

mod undo;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{Aggregate, cqrs_aggregate, events};
use crate::id::UserId;

pub(crate) use undo::WAYS;

/// Somebody began to share their timeline with somebody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PartnerAdded {
    /// Whose timeline.
    pub shared_by_id: UserId,
    /// Who sees it.
    pub shared_with_id: UserId,
}

/// Who sees it wants it on their own timeline, or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PartnerTimelineChanged {
    /// Whether it shows there.
    pub in_timeline: bool,
}

/// The sharing ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PartnerRemoved {}

/// Its end was taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PartnerRestored {
    /// Whose timeline.
    pub shared_by_id: UserId,
    /// Who sees it.
    pub shared_with_id: UserId,
    /// Whether it shows on the timeline of who sees it.
    pub in_timeline: bool,
}

events! {
    /// Everything that can have happened to a sharing between two people.
    PartnerEvent for "partner" {
        Added(PartnerAdded) 1,
        Removed(PartnerRemoved) 1,
        Restored(PartnerRestored) 1,
        TimelineChanged(PartnerTimelineChanged) 1,
    }
}

/// A wish about one sharing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartnerCommand {
    /// Begin it.
    Add {
        /// Whose timeline.
        shared_by_id: UserId,
        /// Who sees it.
        shared_with_id: UserId,
    },
    /// Show it on the own timeline, or not.
    ShowInTimeline {
        /// Who sees it.
        by: UserId,
        /// Whether it shows.
        in_timeline: bool,
    },
    /// End it.
    Remove {
        /// Whose timeline it is; nothing when the server ends it by itself.
        by: Option<UserId>,
    },
}

/// Why a wish about a sharing was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartnerError {
    /// There is none between the two.
    #[error("partner does not exist")]
    NotFound,
    /// There is one already.
    #[error("partner exists already")]
    AlreadyExists,
    /// Nobody is their own partner.
    #[error("nobody is their own partner")]
    Oneself,
}

/// A sharing, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Partner {
    between: Option<(UserId, UserId)>,
    in_timeline: bool,
    removed: bool,
}

impl Partner {
    /// Whose timeline and who sees it, while it lasts.
    #[must_use]
    pub fn between(&self) -> Option<(UserId, UserId)> {
        self.between.filter(|_| !self.removed)
    }
}

impl Aggregate for Partner {
    type Command = PartnerCommand;
    type Event = PartnerEvent;
    type Error = PartnerError;

    fn decide(&self, command: &PartnerCommand) -> Result<Vec<PartnerEvent>, PartnerError> {
        match command {
            PartnerCommand::Add { .. } if self.between.is_some() => {
                Err(PartnerError::AlreadyExists)
            }
            PartnerCommand::Add { shared_by_id, shared_with_id }
                if shared_by_id == shared_with_id =>
            {
                Err(PartnerError::Oneself)
            }
            PartnerCommand::Add { shared_by_id, shared_with_id } => Ok(vec![
                PartnerAdded { shared_by_id: *shared_by_id, shared_with_id: *shared_with_id }
                    .into(),
            ]),
            PartnerCommand::ShowInTimeline { by, in_timeline } => match self.between() {
                Some((_, shared_with_id)) if shared_with_id == *by => {
                    Ok(if self.in_timeline == *in_timeline {
                        vec![]
                    } else {
                        vec![PartnerTimelineChanged { in_timeline: *in_timeline }.into()]
                    })
                }
                _ => Err(PartnerError::NotFound),
            },
            PartnerCommand::Remove { by } => match self.between() {
                Some((shared_by_id, _)) if by.is_none_or(|by| by == shared_by_id) => {
                    Ok(vec![PartnerRemoved {}.into()])
                }
                _ => Err(PartnerError::NotFound),
            },
        }
    }

    fn evolve(&mut self, event: &PartnerEvent) {
        match event {
            PartnerEvent::Added(added) => {
                self.between = Some((added.shared_by_id, added.shared_with_id));
            }
            PartnerEvent::TimelineChanged(changed) => self.in_timeline = changed.in_timeline,
            PartnerEvent::Removed(PartnerRemoved {}) => self.removed = true,
            PartnerEvent::Restored(restored) => {
                self.removed = false;
                self.in_timeline = restored.in_timeline;
            }
        }
    }
}

cqrs_aggregate!(Partner, PartnerCommand, PartnerEvent, PartnerError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::*;

    const GIVES: UserId = UserId::new(Uuid::from_u128(1));
    const SEES: UserId = UserId::new(Uuid::from_u128(2));

    fn added() -> PartnerEvent {
        PartnerAdded { shared_by_id: GIVES, shared_with_id: SEES }.into()
    }

    type Given = TestFramework<Partner>;

    #[test]
    fn nobody_is_their_own_partner() {
        Given::with(())
            .given_no_previous_events()
            .when(PartnerCommand::Add { shared_by_id: GIVES, shared_with_id: GIVES })
            .then_expect_error(PartnerError::Oneself);
    }

    #[test]
    fn who_sees_it_decides_about_their_timeline() {
        let show = |by| PartnerCommand::ShowInTimeline { by, in_timeline: true };
        Given::with(())
            .given(vec![added()])
            .when(show(SEES))
            .then_expect_events(vec![PartnerTimelineChanged { in_timeline: true }.into()]);
        Given::with(())
            .given(vec![added()])
            .when(show(GIVES))
            .then_expect_error(PartnerError::NotFound);
    }

    #[test]
    fn who_gives_it_takes_it_back() {
        Given::with(())
            .given(vec![added()])
            .when(PartnerCommand::Remove { by: Some(GIVES) })
            .then_expect_events(vec![PartnerRemoved {}.into()]);
        Given::with(())
            .given(vec![added(), PartnerRemoved {}.into()])
            .when(PartnerCommand::Remove { by: Some(GIVES) })
            .then_expect_error(PartnerError::NotFound);
    }
}
