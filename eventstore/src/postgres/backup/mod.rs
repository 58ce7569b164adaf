//! Copies of the log for backups, and loading them into an empty database.
//!
//! `copy.rs` copies tables, `read.rs` the log, `write.rs` loads it, `attachment.rs` seals and opens attachments.

mod attachment;
mod copy;
mod read;
mod write;

pub use copy::{copy_in, copy_out};
pub use read::{LogIs, begin_moment, log_is, read_log};
pub use write::{Loaded, finish_load, is_empty, require_opens, write_log};
