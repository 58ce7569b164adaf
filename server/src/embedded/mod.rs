//! PostgreSQL and nats-server as supervised children of `calotype`, inside its data folder.
//!
//! Nothing here knows a table or a subject: it hands out addresses that speak.

mod account;
mod error;
mod folder;
mod launcher;
mod leftover;
mod lines;
mod nats;
mod postgres;
mod program;
mod secret;
mod servers;
mod supervisor;
mod tools;

pub use account::owner_elsewhere;
pub use error::EmbeddedError;
pub use folder::DataFolder;
pub use nats::NatsAccess;
pub use postgres::{PostgresAccess, running_postgres};
pub use servers::{Embedded, Needs};
pub use tools::{
    PostgresTools, find_nats_server, find_places, find_postgres, model_folders, onnxruntime_files,
};
