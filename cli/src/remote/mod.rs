//! Another Immich or Calotype server as a source: what belongs to the owner of a key there, asked over the endpoints
//! that every such server has. Bytes are passed on, and lie on no disk on the way.

mod details;
mod file;
mod listing;
mod source;

pub(crate) use listing::scan;
