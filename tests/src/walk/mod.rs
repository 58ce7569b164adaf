//! Random walks of commands over a real PostgreSQL, from a seed.

mod sips;
mod step;
mod world;

pub use world::World;
