//! Of which parts of the tree proofs consist, and checking them: RFC 6962 (2.1) and RFC 9162 (2.1.3, 2.1.4).

use std::ops::Range;

use super::hash::{Hash, empty_root, node_hash};

/// A complete subtree: 2^`level` leaves, from leaf `index` * 2^`level` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subtree {
    /// Levels above the leaves.
    pub level: u8,
    /// Place among the complete subtrees of its level, from 0.
    pub index: u64,
}

/// The complete subtrees that a part of the tree consists of, largest first.
///
/// The part is one that [`inclusion`] or [`consistency`] names, or begins at 0.
#[must_use]
pub fn subtrees(leaves: Range<u64>) -> Vec<Subtree> {
    let mut first = leaves.start;
    let mut found = Vec::new();
    while first < leaves.end {
        let level = (leaves.end - first).ilog2();
        found
            .push(Subtree { level: u8::try_from(level).unwrap_or(u8::MAX), index: first >> level });
        first += 1 << level;
    }
    found
}

/// The hash over complete subtrees that follow each other, largest first.
#[must_use]
pub fn fold(hashes: &[Hash]) -> Hash {
    let Some((last, before)) = hashes.split_last() else { return empty_root() };
    before.iter().rev().fold(*last, |right, left| node_hash(left, &right))
}

/// The parts whose hashes prove that a leaf is in a tree, from the leaf up.
///
/// Nothing where `index` is not below `size`.
#[must_use]
pub fn inclusion(index: u64, size: u64) -> Vec<Range<u64>> {
    let mut parts = Vec::new();
    let (mut first, mut end) = (0, size);
    while index < size && end - first > 1 {
        let middle = first + split(end - first);
        if index < middle {
            parts.push(middle..end);
            end = middle;
        } else {
            parts.push(first..middle);
            first = middle;
        }
    }
    parts.reverse();
    parts
}

/// The parts whose hashes prove that a tree is the beginning of a larger one.
///
/// Nothing where `old` is 0, or not below `new`.
#[must_use]
pub fn consistency(old: u64, new: u64) -> Vec<Range<u64>> {
    let mut parts = Vec::new();
    if old == 0 || old >= new {
        return parts;
    }
    let (mut first, mut end) = (0, new);
    // The old tree's own hash is known to whoever asks.
    let mut is_known = true;
    while old < end {
        let middle = first + split(end - first);
        if old <= middle {
            parts.push(middle..end);
            end = middle;
        } else {
            parts.push(first..middle);
            first = middle;
            is_known = false;
        }
    }
    if !is_known {
        parts.push(first..end);
    }
    parts.reverse();
    parts
}

/// The largest power of two below `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// The root that a path leads to from a leaf; none where its length does not fit.
#[must_use]
pub fn root_of_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for step in path {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(step, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, step);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// Whether a path proves that the tree of `old` leaves is the beginning of the tree of `new` leaves.
#[must_use]
pub fn is_consistent(
    (old, old_root): (u64, &Hash),
    (new, new_root): (u64, &Hash),
    path: &[Hash],
) -> bool {
    if old == new {
        return path.is_empty() && old_root == new_root;
    }
    if old == 0 || old > new {
        return old == 0 && path.is_empty();
    }
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let mut steps = path.iter();
    let first = if old.is_power_of_two() { Some(old_root) } else { steps.next() };
    let Some(first) = first else { return false };
    let (mut from_old, mut from_new) = (*first, *first);
    for step in steps {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            from_old = node_hash(step, &from_old);
            from_new = node_hash(step, &from_new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            from_new = node_hash(&from_new, step);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && from_old == *old_root && from_new == *new_root
}
