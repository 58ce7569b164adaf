//! The Merkle tree over the log: its arithmetic, and what it proves of a real log.

mod heads;
mod keys;
mod offline;
mod support;
mod tampering;
mod tree;
