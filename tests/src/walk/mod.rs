//! Random walks of commands over a real PostgreSQL, from a seed.

mod accounts;
mod assets;
mod by_hand;
mod edits;
mod libraries;
mod links;
mod organize;
mod people;
mod server;
mod sharing;
mod step;
mod world;

pub(crate) use by_hand::Sent;
pub use world::World;
pub(crate) use world::key;
