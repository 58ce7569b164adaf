//! The binary: configuration, wiring, embedded servers, operator commands.

pub mod clock;
pub mod config;
pub mod doctor;
pub mod embedded;
mod external;
pub mod lifecycle;
mod log_level;
pub mod operator;
pub mod parked;
pub mod places;
pub mod reset;
pub mod serve;
pub mod telemetry;
pub mod wiring;
