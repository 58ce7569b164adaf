//! Names of places: what city, state and country a position lies in, in which zone its clocks run, and
//! where a place of a given name is.
//!
//! All of it comes from one file that is made at set-up from GeoNames and Natural Earth (see [`build`]).
//! Little of the file is held in memory: an index of a degree by a degree, and the bounds of countries.
//! The rest is read where it is wanted, so that an idle server carries some hundred kilobytes.

pub mod build;
mod country;
mod error;
mod file;
mod fold;
mod format;
mod names;
mod near;

pub use error::GazetteerError;
pub use file::{Gazetteer, Located};
pub use fold::fold;
pub use names::Found;
