//! Immich's HTTP surface, version 3.1.0: translates requests into commands and queries, and answers back.
//!
//! Holds no SQL and no rule. Who may do what is decided by `calotype_domain::access::check`.
//! One folder per tag of Immich's document, one file per operation.

mod access;
mod admin_views;
mod asset_files;
mod assets;
mod bulk;
pub mod caches;
pub mod caller;
pub mod clients;
pub mod dates;
mod document;
mod download;
mod files;
mod finished;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod json;
mod layers;
mod libraries;
mod links;
mod logins;
mod map;
mod peer;
pub mod problem;
pub mod ready;
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
mod config_views;
mod duplicates;
mod faces;
mod integrity;
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

pub use assets::reserve::reserve_bytes;
pub use assets::uploads::Uploads;
pub use caches::Caches;
pub use calotype::{
    ConsistencyProofDto, InclusionProofDto, LogFinding, LogHeadVerdict, LogPublicKey, LogReport,
    NoProof, Proofs, RebuiltTree, SignedLogHead, SigningResult, SkippedLogEvent,
};
pub use calotype::{Erasing, ErasurePreview, NotErased};
pub use calotype::{projection_rebuild, tell_history};
pub use problem::Problem;
pub use ready::{Part, PartState, Readiness, Ready, watched};
pub use router::{openapi, router};
pub use search::texts::{EmbedTextError, TextEmbedder};
pub use state::{Api, ApiConfig, FaceModels, InFlight, MetricsText, Models, Parts, Reset};
pub use system_config::wanted_but_missing;
