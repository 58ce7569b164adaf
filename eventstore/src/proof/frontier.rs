//! The root of a tree while its leaves pass by, with a memory of one hash for each level.

use super::hash::{Hash, node_hash};
use super::tree::fold;

/// The complete subtrees of the leaves so far, largest first.
#[derive(Clone, Debug, Default)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Hash>,
}

impl Frontier {
    /// How many leaves it has seen.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.push_subtree(0, leaf);
    }

    /// Takes a complete subtree of 2^`level` leaves; the size before must be a multiple of that.
    pub fn push_subtree(&mut self, level: u8, hash: Hash) {
        let mut hash = hash;
        let mut left = self.size >> level;
        while left & 1 == 1 {
            if let Some(before) = self.hashes.pop() {
                hash = node_hash(&before, &hash);
            }
            left >>= 1;
        }
        self.hashes.push(hash);
        self.size += 1 << level;
    }

    /// The root over all leaves so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold(&self.hashes)
    }
}
