//! Serving stored bytes: whole, in part, or not again.

mod disposition;
mod range;
mod serve;

pub(crate) use disposition::inline;
pub(crate) use serve::{Served, matches_any, serve};
