//! A value that must be unique: an account's e-mail, a person's SHA-1 of a file, the first admin.
//!
//! The stream's id is a keyed hash of the value, so the log never shows it.
//! The store's own check of expected revisions decides who wins a race; no read model is asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::{Aggregate, cqrs_aggregate, events};
use crate::undo::way::{Row, follows};

/// Somebody holds the value from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValueReserved {
    /// The id of what holds it: an asset, a user.
    pub holder_id: Uuid,
}

/// The value is free again. Who held it stays known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValueReleased {
    /// The id of what held it.
    pub holder_id: Uuid,
}

/// How reservations go back: with what holds them.
pub(crate) const WAYS: &[Row] = &[
    follows("ValueReleased", "goes back with what held the value"),
    follows("ValueReserved", "goes back with what holds the value"),
];

events! {
    /// Everything that can have happened to a unique value.
    ReservationEvent for "reservation" {
        Released(ValueReleased) 1,
        Reserved(ValueReserved) 1,
    }
}

/// A wish about one unique value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReservationCommand {
    /// Hold it.
    Reserve {
        /// Who wants it.
        holder_id: Uuid,
    },
    /// Let it go.
    Release {
        /// Who holds it.
        holder_id: Uuid,
    },
}

/// Why a wish about a unique value was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReservationError {
    /// Somebody else holds it.
    #[error("taken by {holder_id}")]
    Taken {
        /// Who.
        holder_id: Uuid,
    },
}

/// A unique value, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Reservation {
    holder_id: Option<Uuid>,
    released: Vec<Uuid>,
}

impl Reservation {
    /// Who holds it now.
    #[must_use]
    pub fn holder_id(&self) -> Option<Uuid> {
        self.holder_id
    }

    /// Whether it was held once and let go: a phone sends again what a person deleted.
    #[must_use]
    pub fn was_released(&self) -> bool {
        !self.released.is_empty()
    }
}

impl Aggregate for Reservation {
    type Command = ReservationCommand;
    type Event = ReservationEvent;
    type Error = ReservationError;

    fn decide(&self, command: &ReservationCommand) -> Result<Vec<ReservationEvent>, Self::Error> {
        match (*command, self.holder_id) {
            (ReservationCommand::Reserve { holder_id }, None) => {
                Ok(vec![ValueReserved { holder_id }.into()])
            }
            (ReservationCommand::Reserve { holder_id }, Some(holder)) if holder == holder_id => {
                Ok(vec![])
            }
            (ReservationCommand::Reserve { .. }, Some(holder_id)) => {
                Err(ReservationError::Taken { holder_id })
            }
            (ReservationCommand::Release { holder_id }, Some(holder)) if holder == holder_id => {
                Ok(vec![ValueReleased { holder_id }.into()])
            }
            (ReservationCommand::Release { .. }, _) => Ok(vec![]),
        }
    }

    fn evolve(&mut self, event: &ReservationEvent) {
        match event {
            ReservationEvent::Reserved(reserved) => self.holder_id = Some(reserved.holder_id),
            ReservationEvent::Released(released) => {
                self.holder_id = None;
                self.released.push(released.holder_id);
            }
        }
    }
}

cqrs_aggregate!(Reservation, ReservationCommand, ReservationEvent, ReservationError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    const A: Uuid = Uuid::from_u128(1);
    const B: Uuid = Uuid::from_u128(2);

    #[test]
    fn second_holder_is_told_who_was_first() {
        TestFramework::<Reservation>::with(())
            .given(vec![ValueReserved { holder_id: A }.into()])
            .when(ReservationCommand::Reserve { holder_id: B })
            .then_expect_error(ReservationError::Taken { holder_id: A });
    }

    #[test]
    fn released_value_can_be_held_again() {
        TestFramework::<Reservation>::with(())
            .given(vec![
                ValueReserved { holder_id: A }.into(),
                ValueReleased { holder_id: A }.into(),
            ])
            .when(ReservationCommand::Reserve { holder_id: B })
            .then_expect_events(vec![ValueReserved { holder_id: B }.into()]);
    }

    #[test]
    fn only_the_holder_releases() {
        TestFramework::<Reservation>::with(())
            .given(vec![ValueReserved { holder_id: A }.into()])
            .when(ReservationCommand::Release { holder_id: B })
            .then_expect_events(vec![]);
    }
}
