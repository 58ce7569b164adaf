//! Whom the people of a photo stand for by now: themselves, who they were merged into, or nobody.

use std::collections::BTreeMap;

use crate::id::PersonId;

/// Looked up before a decision that compares people. Who is not in it stands for themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing(BTreeMap<PersonId, Option<PersonId>>);

impl Standing {
    /// Says that somebody was merged into another, or (`None`) deleted.
    pub fn insert(&mut self, person_id: PersonId, stands_for: Option<PersonId>) {
        self.0.insert(person_id, stands_for);
    }

    /// Whom somebody stands for; nobody when they were deleted.
    #[must_use]
    pub fn of(&self, person_id: PersonId) -> Option<PersonId> {
        self.0.get(&person_id).copied().unwrap_or(Some(person_id))
    }

    /// Whether two are one and somebody.
    #[must_use]
    pub fn are_one(&self, one: PersonId, other: PersonId) -> bool {
        self.of(one).is_some() && self.of(one) == self.of(other)
    }
}

impl FromIterator<(PersonId, Option<PersonId>)> for Standing {
    fn from_iter<I: IntoIterator<Item = (PersonId, Option<PersonId>)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}
