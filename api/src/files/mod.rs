//! Serving stored bytes: whole, in part, or not again.

mod bare;
mod disposition;
mod pump;
mod range;
mod serve;

pub(crate) use bare::{Bare, open_bare, open_file};
pub(crate) use disposition::inline;
pub(crate) use pump::{Pump, pumped};
pub(crate) use serve::{Served, matches_any, serve};
