//! The one way to change anything: load, decide, append.
//!
//! A use case is one async function named after the wish.
//! It asks aggregates and obeys them; it holds no rule of its own and reads no `read.*` table.

pub mod activities;
pub mod admin_views;
pub mod album_news;
pub mod albums;
pub mod api_keys;
pub mod assets;
pub mod batches;
pub mod bulk;
pub mod changes;
pub mod config;
pub mod context;
pub mod copies;
pub mod dispatch;
pub mod duplicates;
pub mod edits;
pub mod embedded;
pub mod encoded;
pub mod erasures;
pub mod error;
pub mod faces;
mod folded;
pub mod followed_faces;
pub mod found_faces;
pub mod holds;
mod in_use;
pub mod incoming;
pub mod integrity;
pub mod keyed;
pub mod libraries;
pub mod live;
pub mod memories;
pub mod moves;
pub mod named_faces;
pub mod notifications;
pub mod organize;
pub mod partners;
pub mod password;
pub mod people;
pub mod queues;
mod reading;
pub mod session_uses;
pub mod sessions;
pub mod shared_links;
mod spoken;
pub mod stacks;
pub mod sync_acks;
pub mod tags;
pub mod text;
pub mod token;
pub mod trials;
pub mod turns;
mod uncommitted;
pub mod undo;
pub mod users;

pub use context::CommandContext;
pub use dispatch::{Commands, Outcome, Unit, Written};
pub use error::CommandError;
pub use incoming::IncomingFiles;
pub use notifications::NotificationMarks;
pub use session_uses::SessionUses;
pub use sync_acks::SyncAcks;
