//! From the log to read models, and the queries that answer from them.
//!
//! This room owns every `read.*` table, both writing and reading.
//! A projection pulls events in order and keeps its checkpoint in the same transaction as its rows.
//! It has no side effects: dropping its tables and replaying the log gives the same rows.

pub mod activities;
pub mod albums;
pub mod alone;
pub mod api_keys;
pub mod as_of;
pub mod asset_extras;
pub mod assets;
pub mod batches;
mod careful;
pub mod config;
pub mod embeddings;
pub mod error;
pub mod event;
pub mod face_vectors;
pub mod films;
mod fold;
pub mod follower;
pub mod heatmap;
mod held_up;
pub mod history;
pub mod integrity;
pub mod jobs;
pub mod libraries;
pub mod licenses;
pub mod link_views;
mod listeners;
pub mod live_photos;
pub mod memories;
pub mod models;
pub mod nodes;
pub mod notifications;
pub mod parked;
pub mod partners;
pub mod people;
pub mod pins;
pub mod projection;
pub mod query;
pub mod queue_requests;
pub mod rebuild;
pub mod runner;
pub mod search;
pub mod sessions;
pub mod shared_links;
pub mod sidecars;
pub mod stacks;
pub mod standing;
pub mod statistics;
pub mod sync;
pub mod tags;
pub mod texts;
pub mod timeline;
pub mod users;
pub mod wait;

pub use calotype_eventstore::GlobalPosition;
pub use error::ProjectionError;
pub use event::{Event, because};
pub use follower::Follower;
pub use listeners::Applied;
pub use nodes::Node;
pub use projection::{Projection, all};
pub use query::Queries;
pub use runner::Runner;
pub use wait::Progress;
