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

/// Reads a range; what is given lies in the file. For [`crate::fuzz`].
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn read_range(header: &str, size_bytes: u64) {
    if let range::Wanted::Part { first, last } = range::parse(header, size_bytes) {
        assert!(first <= last && last < size_bytes, "a range lies in its file");
    }
}
