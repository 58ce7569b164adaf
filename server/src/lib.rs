//! The binary: wiring, configuration, embedded servers.

pub mod embedded;
