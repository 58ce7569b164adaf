//! Immich's HTTP surface, version 3.1.0: translates requests into commands and queries, and answers back.
//!
//! Holds no SQL and no rule. Who may do what is decided by `calotype_domain::access::check`.
//! One folder per tag of Immich's document, one file per operation.

mod access;
mod assets;
mod bulk;
pub mod caches;
pub mod caller;
pub mod clients;
pub mod dates;
mod document;
mod download;
mod files;
mod json;
mod layers;
mod links;
mod logins;
mod map;
mod peer;
pub mod problem;
pub mod realtime;
mod router;
mod sharing;
pub mod state;
mod timeline;
mod trace;
mod trash;
pub mod validate;
mod visit;
mod web;

mod activities;
mod albums;
mod api_keys;
mod auth;
mod calotype;
mod duplicates;
mod faces;
mod jobs;
mod memories;
mod notifications;
mod notifications_admin;
mod partners;
mod people;
mod queues;
mod search;
mod server;
mod sessions;
mod shared_links;
mod stacks;
mod sync;
mod system_config;
mod system_metadata;
mod tags;
mod users;
mod users_admin;
mod views;

pub use assets::uploads::Uploads;
pub use caches::Caches;
pub use problem::Problem;
pub use router::{openapi, router};
pub use state::{Api, ApiConfig, InFlight, Parts, Reset};
