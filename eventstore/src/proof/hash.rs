//! Hashes as RFC 6962 (2.1) makes them: SHA-256, with a byte before it that tells leaves from nodes.

use sha2::{Digest as _, Sha256};

/// Bytes of a hash.
pub const HASH_BYTES: usize = 32;

/// SHA-256 of a leaf or a node.
pub type Hash = [u8; HASH_BYTES];

const LEAF: [u8; 1] = [0];
const NODE: u8 = 1;

/// The hash of a leaf with this data.
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(LEAF);
    hasher.update(data);
    hasher.finalize().into()
}

/// The hash of a node over two others.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [0_u8; 1 + 2 * HASH_BYTES];
    bytes[0] = NODE;
    bytes[1..=HASH_BYTES].copy_from_slice(left);
    bytes[1 + HASH_BYTES..].copy_from_slice(right);
    Sha256::digest(bytes).into()
}

/// The root of the tree without leaves.
pub(super) fn empty_root() -> Hash {
    Sha256::digest(b"").into()
}
