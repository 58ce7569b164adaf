//! The best of what is looked at, as many as are wanted.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use uuid::Uuid;

/// An asset and how near it is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Scored {
    nearness: f64,
    asset_id: Uuid,
}

impl Eq for Scored {}

impl Ord for Scored {
    /// Nearer is more; among equals the smaller id, so that an answer does not depend on the order of looking.
    fn cmp(&self, other: &Self) -> Ordering {
        self.nearness.total_cmp(&other.nearness).then_with(|| other.asset_id.cmp(&self.asset_id))
    }
}

impl PartialOrd for Scored {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The nearest of what was looked at, at most so many.
#[derive(Clone, Debug)]
pub(crate) struct Top {
    count: usize,
    best: BinaryHeap<Reverse<Scored>>,
    /// What is not nearer than this need not be offered.
    bar: f64,
}

impl Top {
    pub(crate) fn new(count: usize) -> Self {
        Self { count, best: BinaryHeap::new(), bar: f64::NEG_INFINITY }
    }

    /// Takes an asset in where it is among the nearest.
    pub(crate) fn offer(&mut self, nearness: f64, asset_id: impl FnOnce() -> Uuid) {
        if nearness < self.bar || self.count == 0 {
            return;
        }
        let scored = Scored { nearness, asset_id: asset_id() };
        if self.best.len() < self.count {
            self.best.push(Reverse(scored));
        } else if let Some(mut worst) = self.best.peek_mut()
            && worst.0 < scored
        {
            *worst = Reverse(scored);
        }
        if self.best.len() == self.count {
            self.bar = self.best.peek().map_or(self.bar, |worst| worst.0.nearness);
        }
    }

    /// The nearest first.
    pub(crate) fn into_ids(self) -> Vec<Uuid> {
        self.best.into_sorted_vec().into_iter().map(|Reverse(scored)| scored.asset_id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_nearest_in_order() {
        let mut top = Top::new(2);
        for (nearness, number) in [(0.1, 1), (0.9, 2), (0.5, 9), (0.5, 3), (-1.0, 4)] {
            top.offer(nearness, || Uuid::from_u128(number));
        }
        assert_eq!(top.into_ids(), [Uuid::from_u128(2), Uuid::from_u128(3)]);
    }

    #[test]
    fn none_are_kept_where_none_are_wanted() {
        let mut top = Top::new(0);
        top.offer(1.0, Uuid::nil);
        assert!(top.into_ids().is_empty());
    }
}
