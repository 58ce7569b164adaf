//! Proofs as they are handed out: whoever has one and the log's public key needs nothing else.

use uuid::Uuid;

use super::hash::{Hash, leaf_hash};
use super::note::Note;
use super::tree::{is_consistent, root_of_inclusion};

/// A head that was signed now, or that was there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHead {
    /// The head.
    pub note: Note,
    /// Whether it was signed now; else nothing has happened since.
    pub is_new: bool,
}

/// Proves that an event stands in the log that a head was signed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    /// Place in the log, from 1; the leaf's index is one less.
    pub position: i64,
    /// Which event.
    pub event_id: Uuid,
    /// What is hashed of it: its row as it is stored.
    pub leaf: Vec<u8>,
    /// Hashes from the leaf up.
    pub path: Vec<Hash>,
    /// The head that it leads to.
    pub head: Note,
    /// The public key, as C2SP's signed-note writes it.
    pub key: String,
    /// What leads from the keys that signed before to this one, oldest first.
    pub rotations: Vec<String>,
}

/// Proves that what a head was signed over is the beginning of what a later one was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// The earlier head.
    pub from: Note,
    /// The later one.
    pub to: Note,
    /// Hashes that lead to both.
    pub path: Vec<Hash>,
    /// The public key, as C2SP's signed-note writes it.
    pub key: String,
    /// What leads from the keys that signed before to this one, oldest first.
    pub rotations: Vec<String>,
}

impl InclusionProof {
    /// Whether it leads to its head; the head's signature is not looked at.
    #[must_use]
    pub fn holds(&self) -> bool {
        let index = u64::try_from(self.position - 1).unwrap_or(u64::MAX);
        let head = &self.head.head;
        let root = root_of_inclusion(&leaf_hash(&self.leaf), index, head.size, &self.path);
        root == Some(head.root)
    }
}

impl ConsistencyProof {
    /// Whether it leads to both heads; their signatures are not looked at.
    #[must_use]
    pub fn holds(&self) -> bool {
        let (from, to) = (&self.from.head, &self.to.head);
        from.log_id == to.log_id
            && is_consistent((from.size, &from.root), (to.size, &to.root), &self.path)
    }
}
