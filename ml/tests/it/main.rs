//! The real models over real pictures, against the reference; what goes wrong; other machines.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod clip;
mod faces;
mod memory;
mod others;
mod refusals;
mod remote;
mod support;
mod words;
