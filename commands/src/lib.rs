//! The one way to change anything: load, decide, append.
//!
//! A use case is one async function named after the wish.
//! It asks aggregates and obeys them; it holds no rule of its own and reads no `read.*` table.

pub mod activities;
pub mod albums;
pub mod api_keys;
pub mod assets;
pub mod changes;
pub mod config;
pub mod context;
pub mod copies;
pub mod dispatch;
pub mod duplicates;
pub mod error;
pub mod faces;
mod folded;
pub mod memories;
pub mod notifications;
pub mod organize;
pub mod partners;
pub mod password;
pub mod people;
pub mod queues;
pub mod session_uses;
pub mod sessions;
pub mod shared_links;
pub mod stacks;
pub mod sync_acks;
pub mod tags;
pub mod token;
mod turns;
pub mod undo;
pub mod users;

pub use context::CommandContext;
pub use dispatch::{Commands, Outcome, Unit, Written};
pub use error::CommandError;
pub use notifications::NotificationMarks;
pub use session_uses::SessionUses;
pub use sync_acks::SyncAcks;
