//! Legal holds: what is held is not deleted for good, whoever wishes it, until the hold is released.
//!
//! All holds of a server are one stream, because whoever deletes asks for any of many.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::{Aggregate, cqrs_aggregate, events};
use crate::id::{AssetId, UserId};
use crate::sealed::Sealed;
use crate::undo::way::{Row, never};

/// The key of the stream.
pub const KEY: &str = "register";
/// Things that are held at a time.
pub const HELD_MAX: usize = 10_000;
/// The longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 1_000;

/// What is held.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// A photo or film.
    Asset(AssetId),
    /// An account with everything in it.
    User(UserId),
}

impl Held {
    /// `asset` or `user`.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Asset(_) => "asset",
            Self::User(_) => "user",
        }
    }

    /// Its id.
    #[must_use]
    pub const fn id(self) -> Uuid {
        match self {
            Self::Asset(asset_id) => asset_id.uuid(),
            Self::User(user_id) => user_id.uuid(),
        }
    }

    /// The same of a kind by its word; none for another word.
    #[must_use]
    pub fn named(kind: &str, id: Uuid) -> Option<Self> {
        match kind {
            "asset" => Some(Self::Asset(AssetId::new(id))),
            "user" => Some(Self::User(UserId::new(id))),
            _ => None,
        }
    }
}

/// Something is held from now on, or for another reason than before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HoldPlaced {
    /// What.
    pub held: Held,
    /// Whose it is.
    pub owner_id: UserId,
    /// Why, in the words of who did it.
    pub reason: Sealed<String>,
}

/// It is held no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HoldReleased {
    /// What.
    pub held: Held,
    /// Why, where somebody said so.
    pub reason: Sealed<Option<String>>,
}

/// How holds go back: not at all.
pub(crate) const WAYS: &[Row] =
    &[never("HoldPlaced", "hold", BY_HAND), never("HoldReleased", "hold", BY_HAND)];
const BY_HAND: &str = "A hold is placed and released, with a reason each time";

events! {
    /// Everything that can have happened to the holds of a server.
    HoldEvent for "hold" {
        Placed(HoldPlaced) 1,
        Released(HoldReleased) 1,
    }
}

/// A wish about holds.
#[derive(Clone, Debug, PartialEq)]
pub enum HoldCommand {
    /// Hold something.
    Place {
        /// What.
        held: Held,
        /// Whose it is.
        owner_id: UserId,
        /// Why.
        reason: String,
    },
    /// Hold it no more.
    Release {
        /// What.
        held: Held,
        /// Why.
        reason: Option<String>,
    },
}

/// Why a wish about holds was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoldError {
    /// There is no such thing, or it was deleted for good.
    #[error("it does not exist")]
    NotFound,
    /// It is not held.
    #[error("it is not held")]
    NotHeld,
    /// More than [`HELD_MAX`].
    #[error("too much is held")]
    TooMany,
    /// None, or one of more than [`REASON_CHARS_MAX`] characters.
    #[error("a hold needs a reason of at most {REASON_CHARS_MAX} characters")]
    NoReason,
}

/// The holds of a server, folded from their events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Holds {
    /// Whose each held thing is, and why it is held.
    held: BTreeMap<Held, (UserId, Option<String>)>,
}

impl Holds {
    /// What keeps an asset of somebody from being deleted: a hold of itself or of its owner.
    #[must_use]
    pub fn of_asset(&self, asset_id: AssetId, owner_id: UserId) -> Option<Held> {
        [Held::Asset(asset_id), Held::User(owner_id)].into_iter().find(|it| self.has(*it))
    }

    /// What keeps an account from being deleted: a hold of itself, or of anything in it.
    #[must_use]
    pub fn of_user(&self, user_id: UserId) -> Option<Held> {
        let within = self.held.iter().find(|(_, (owner_id, _))| *owner_id == user_id);
        within.map(|(held, _)| *held)
    }

    /// Whether this is held itself.
    #[must_use]
    pub fn has(&self, held: Held) -> bool {
        self.held.contains_key(&held)
    }

    /// Everything that is held, whose it is, and why as far as that can be read.
    pub fn all(&self) -> impl Iterator<Item = (Held, UserId, Option<&str>)> {
        self.held.iter().map(|(held, (owner_id, reason))| (*held, *owner_id, reason.as_deref()))
    }
}

impl Aggregate for Holds {
    type Command = HoldCommand;
    type Event = HoldEvent;
    type Error = HoldError;

    fn decide(&self, command: &HoldCommand) -> Result<Vec<HoldEvent>, HoldError> {
        let is_short = |reason: &str| reason.chars().count() <= REASON_CHARS_MAX;
        match command {
            HoldCommand::Place { held, owner_id, reason } => {
                if reason.trim().is_empty() || !is_short(reason) {
                    return Err(HoldError::NoReason);
                }
                match self.held.get(held) {
                    Some((_, known)) if known.as_ref() == Some(reason) => Ok(vec![]),
                    None if self.held.len() >= HELD_MAX => Err(HoldError::TooMany),
                    _ => {
                        let (held, owner_id) = (*held, *owner_id);
                        Ok(vec![
                            HoldPlaced { held, owner_id, reason: reason.clone().into() }.into(),
                        ])
                    }
                }
            }
            HoldCommand::Release { held, .. } if !self.has(*held) => Err(HoldError::NotHeld),
            HoldCommand::Release { reason: Some(reason), .. } if !is_short(reason) => {
                Err(HoldError::NoReason)
            }
            HoldCommand::Release { held, reason } => {
                Ok(vec![HoldReleased { held: *held, reason: reason.clone().into() }.into()])
            }
        }
    }

    fn evolve(&mut self, event: &HoldEvent) {
        match event {
            HoldEvent::Placed(placed) => {
                let reason = placed.reason.known().cloned();
                self.held.insert(placed.held, (placed.owner_id, reason));
            }
            HoldEvent::Released(released) => {
                self.held.remove(&released.held);
            }
        }
    }
}

cqrs_aggregate!(Holds, HoldCommand, HoldEvent, HoldError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    const OWNER: UserId = UserId::new(Uuid::from_u128(1));
    const ASSET: AssetId = AssetId::new(Uuid::from_u128(2));
    const HELD: Held = Held::Asset(ASSET);

    fn placed(reason: &str) -> HoldEvent {
        HoldPlaced { held: HELD, owner_id: OWNER, reason: reason.to_owned().into() }.into()
    }

    fn place(reason: &str) -> HoldCommand {
        HoldCommand::Place { held: HELD, owner_id: OWNER, reason: reason.to_owned() }
    }

    #[test]
    fn holding_twice_for_the_same_reason_happens_once() {
        TestFramework::<Holds>::with(())
            .given(vec![placed("case 7")])
            .when(place("case 7"))
            .then_expect_events(vec![]);
        TestFramework::<Holds>::with(())
            .given(vec![placed("case 7")])
            .when(place("case 8"))
            .then_expect_events(vec![placed("case 8")]);
    }

    #[test]
    fn hold_needs_a_reason() {
        for reason in ["", "  ", &"x".repeat(REASON_CHARS_MAX + 1)] {
            TestFramework::<Holds>::with(())
                .given(vec![])
                .when(place(reason))
                .then_expect_error(HoldError::NoReason);
        }
    }

    #[test]
    fn what_is_not_held_is_not_released() {
        let released = HoldReleased { held: HELD, reason: None.into() };
        TestFramework::<Holds>::with(())
            .given(vec![placed("case 7"), released.into()])
            .when(HoldCommand::Release { held: HELD, reason: None })
            .then_expect_error(HoldError::NotHeld);
    }

    #[test]
    fn hold_keeps_an_asset_and_the_account_it_is_in() {
        let mut holds = Holds::default();
        assert_eq!(holds.of_asset(ASSET, OWNER), None);
        holds.evolve(&placed("case 7"));
        assert_eq!(holds.of_asset(ASSET, OWNER), Some(HELD));
        assert_eq!(holds.of_user(OWNER), Some(HELD));
        assert_eq!(holds.of_asset(AssetId::default(), OWNER), None);
        let user = Held::User(OWNER);
        let reason = "case 9".to_owned().into();
        holds.evolve(&HoldPlaced { held: user, owner_id: OWNER, reason }.into());
        assert_eq!(holds.of_asset(AssetId::default(), OWNER), Some(user));
    }
}
