//! Cross-room tests, benches and soaks: a real server as a program, a client that speaks HTTP to it,
//! and the stories that tests tell in short and soaks tell at length.

pub mod answer;
pub mod binary;
pub mod bucket;
pub mod client;
pub mod crash;
pub mod database;
pub mod document;
pub mod facts;
pub mod ids;
pub mod import;
pub mod jpeg;
pub mod kurrent;
pub mod log;
pub mod media;
pub mod models;
pub mod nats;
pub mod operations;
pub mod phone;
pub mod samples;
pub mod schemas;
pub mod server;
pub mod simulation;
pub mod spec;
pub mod tree;
pub mod waiting;
pub mod walk;

pub use answer::Answer;
pub use client::{Client, Upload};
pub use server::{Options, TestServer, story};
