//! Tamper evidence: a Merkle tree over the log, and heads of it that are signed (docs/adr/0023).
//!
//! Arithmetic alone, without a database: `tree.rs` says of which parts proofs consist, `tile.rs` how hashes are
//! stored, `frontier.rs` computes roots from one end to the other, `leaf.rs` writes down what is hashed of an
//! event, `note.rs` writes and reads signed heads, `key.rs` signs, `rotation.rs` has one key follow another. The database's part is in `postgres/proof/`.

mod answer;
mod error;
mod frontier;
mod hash;
mod key;
mod leaf;
mod note;
mod report;
mod rotation;
pub(crate) mod tile;
mod tree;

pub use answer::{ConsistencyProof, InclusionProof, SignedHead};
pub use error::ProofError;
pub use frontier::Frontier;
pub use hash::{HASH_BYTES, Hash, leaf_hash, node_hash};
pub use key::{ProofKey, PublicKey};
pub use leaf::{Leaf, gap};
pub use note::{Head, Note, is_receipt, sign_receipt};
pub use report::{Finding, FindingKind, HeadVerdict, Rebuilt, Report, SkippedEvent};
pub use rotation::{Rotation, TrustedKeys};
pub use tile::{TILE_HASHES, TileId};
pub use tree::{Subtree, consistency, fold, inclusion, subtrees};
pub use tree::{is_consistent, root_of_inclusion};
