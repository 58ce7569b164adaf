//! Checks of the stored files that wait to be done, and what they compare files with.

mod apply;
mod query;
mod untracked;

pub use apply::IntegrityProjection;
pub use query::{CheckDue, MadeFiles, StoredFile};
