//! Random walks of commands over a real PostgreSQL, from a seed.

mod links;
mod people;
mod sharing;
mod step;
mod world;

pub use world::World;
