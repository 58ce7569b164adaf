//! Random walks of commands over a real PostgreSQL, from a seed.

mod by_hand;
mod links;
mod organize;
mod people;
mod sharing;
mod step;
mod world;

pub use world::World;
