//! Taking back what a command did, checked for what has changed since.
//!
//! An aggregate that can do it compares three states of itself: before the command, right after it, and
//! now. What still is as the command left it goes back; what somebody changed since stays.

#[cfg(test)]
mod round_tests;
pub(crate) mod way;

use chrono::{DateTime, Utc};

pub use way::{Need, Row, Way, may, row, rows};

use crate::access::Object;
use crate::event::Aggregate;
use crate::id::UserId;

/// One thing about an aggregate that a command changed: `favorite`, `tag`, `members`.
pub type Facet = &'static str;

/// What taking back a command means for one aggregate.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<E> {
    /// The events that take it back; none when nothing can or need be taken back.
    pub events: Vec<E>,
    /// What goes back.
    pub undone: Vec<Facet>,
    /// What the command changed and something else has changed since; it stays as it is.
    pub changed_since: Vec<Facet>,
    /// What cannot be taken back at all.
    pub impossible: Vec<Impossible>,
}

/// What cannot be taken back, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Impossible {
    /// What.
    pub what: Facet,
    /// Why not, for a person.
    pub why: &'static str,
}

/// Who wants something taken back, and what the fold does not know.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Who.
    pub by: UserId,
    /// When the stream began.
    pub began_at: DateTime<Utc>,
}

impl<E> Default for Plan<E> {
    fn default() -> Self {
        Self {
            events: Vec::new(),
            undone: Vec::new(),
            changed_since: Vec::new(),
            impossible: Vec::new(),
        }
    }
}

impl<E> Plan<E> {
    /// Compares one facet in the three states, and asks for the events that take it back.
    ///
    /// Nothing happens when the command did not change it, or when it already is as it was before.
    pub fn facet<T: PartialEq>(
        &mut self,
        facet: Facet,
        states: &States<T>,
        back: impl FnOnce(&T) -> Vec<E>,
    ) {
        let States { before, after, now } = states;
        if before == after || before == now {
            return;
        }
        if after == now {
            self.events.extend(back(before));
            self.undone.push(facet);
        } else {
            self.changed_since.push(facet);
        }
    }
}

/// One thing in three states.
#[derive(Clone, Debug, PartialEq)]
pub struct States<T> {
    /// Before the command.
    pub before: T,
    /// Right after it.
    pub after: T,
    /// As it is.
    pub now: T,
}

impl<T> States<T> {
    /// The same part of each state.
    pub fn map<'a, U>(&'a self, part: impl Fn(&'a T) -> U) -> States<U> {
        States { before: part(&self.before), after: part(&self.after), now: part(&self.now) }
    }
}

impl<E> Plan<E> {
    /// Says that something cannot be taken back.
    pub fn never(&mut self, what: Facet, why: &'static str) {
        self.impossible.push(Impossible { what, why });
    }
}

/// An aggregate whose changes can be taken back.
pub trait Undo: Aggregate + Clone {
    /// What [`crate::access::check`] is asked about before anything goes back; nothing where only the use
    /// case knows it.
    fn object(&self, by: UserId) -> Option<Object>;

    /// What taking back the command between `before` and `after` means now. Pure.
    fn undo(states: &States<Self>, asked: &Asked) -> Plan<Self::Event>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(before: u8, after: u8, now: u8) -> Plan<u8> {
        let mut plan = Plan::default();
        plan.facet("x", &States { before, after, now }, |before| vec![*before]);
        plan
    }

    #[test]
    fn what_is_as_it_was_left_goes_back() {
        assert_eq!(plan(1, 2, 2), Plan { events: vec![1], undone: vec!["x"], ..Plan::default() });
    }

    #[test]
    fn what_changed_since_stays() {
        assert_eq!(plan(1, 2, 3), Plan { changed_since: vec!["x"], ..Plan::default() });
    }

    #[test]
    fn what_is_back_already_needs_nothing() {
        assert_eq!(plan(1, 2, 1), Plan::default());
        assert_eq!(plan(1, 1, 3), Plan::default());
    }
}
