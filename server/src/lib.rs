//! The binary: configuration, wiring, embedded servers, operator commands.

mod catch_up;
pub mod clock;
pub mod config;
mod confinement;
pub mod doctor;
pub mod embedded;
mod external;
mod gauges;
pub mod lifecycle;
mod listener;
mod log_level;
pub mod ml_role;
pub mod models;
mod nats;
pub mod operator;
pub mod parked;
pub mod places;
pub mod proofs;
mod ready;
pub mod reset;
pub mod seeing;
pub mod serve;
pub mod settings_file;
pub mod size;
pub mod storage;
pub mod telemetry;
pub mod wiring;
