//! The last events that were appended here: where they stand, without asking the database.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::stream::GlobalPosition;

/// How many appends are remembered.
const RECENT_APPENDS_MAX: usize = 16_384;

/// What is known of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sighting {
    /// Appended here, or about to be; not sequenced here yet.
    Expected,
    /// Sequenced here.
    At(GlobalPosition),
}

/// A bounded memory of the last event of each append.
#[derive(Debug, Default)]
pub(super) struct RecentAppends {
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    sightings: HashMap<Uuid, Sighting>,
    /// Oldest first. May name events that were given up.
    order: VecDeque<Uuid>,
}

impl RecentAppends {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Remembers events before they are written, so that the sequencer cannot be first.
    pub(super) fn expect(&self, event_ids: &[Uuid]) {
        let mut memory = self.memory();
        for event_id in event_ids {
            if memory.sightings.contains_key(event_id) {
                continue;
            }
            memory.sightings.insert(*event_id, Sighting::Expected);
            memory.order.push_back(*event_id);
        }
        while memory.order.len() > RECENT_APPENDS_MAX {
            if let Some(oldest) = memory.order.pop_front() {
                memory.sightings.remove(&oldest);
            }
        }
    }

    /// Forgets events that were not written, or maybe not; the database knows.
    pub(super) fn give_up(&self, event_ids: &[Uuid]) {
        let mut memory = self.memory();
        for event_id in event_ids {
            if memory.sightings.get(event_id) == Some(&Sighting::Expected) {
                memory.sightings.remove(event_id);
            }
        }
    }

    /// Notes what the sequencer of this process has done; `event_ids` stand at `first` and after.
    pub(super) fn sequenced(&self, first: GlobalPosition, event_ids: &[Uuid]) {
        let mut memory = self.memory();
        for (position, event_id) in (first.get()..).zip(event_ids) {
            if let Some(sighting) = memory.sightings.get_mut(event_id) {
                *sighting = Sighting::At(GlobalPosition::new(position));
            }
        }
    }

    /// Forgets everything.
    pub(super) fn drop_all(&self) {
        *self.memory() = Memory::default();
    }

    pub(super) fn sighting(&self, event_id: Uuid) -> Option<Sighting> {
        self.memory().sightings.get(&event_id).copied()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expected_event_is_seen_where_the_sequencer_put_it() {
        let recent = RecentAppends::new();
        let [expected, stranger] = [Uuid::from_u128(1), Uuid::from_u128(2)];

        recent.expect(&[expected]);
        assert_eq!(recent.sighting(expected), Some(Sighting::Expected));
        recent.sequenced(GlobalPosition::new(7), &[stranger, expected]);

        assert_eq!(recent.sighting(expected), Some(Sighting::At(GlobalPosition::new(8))));
        assert_eq!(recent.sighting(stranger), None);
    }

    #[test]
    fn the_memory_is_bounded() {
        let recent = RecentAppends::new();
        for i in 0..=RECENT_APPENDS_MAX {
            recent.expect(&[Uuid::from_u128(u128::try_from(i).unwrap())]);
        }

        assert_eq!(recent.sighting(Uuid::from_u128(0)), None);
        assert_eq!(recent.memory().sightings.len(), RECENT_APPENDS_MAX);
        assert_eq!(recent.memory().order.len(), RECENT_APPENDS_MAX);
    }

    #[test]
    fn what_was_given_up_is_asked_of_the_database() {
        let recent = RecentAppends::new();
        recent.expect(&[Uuid::from_u128(1)]);

        recent.give_up(&[Uuid::from_u128(1)]);

        assert_eq!(recent.sighting(Uuid::from_u128(1)), None);
    }
}
