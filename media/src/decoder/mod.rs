//! Decoders are a room with a lock: foreign bytes are opened only in child processes.
//!
//! [`decoder_main`] is the child: limits first (memory, time, files), then a seccomp filter (no
//! network, no new programs, no writing of files), then one job after another over stdin and
//! stdout. [`DecoderPool`] is the parent: it starts children when there is work, ends them when
//! there is none, and turns a crash into an error for the one file that caused it.
//!
//! Films are opened by ffmpeg, which the parent starts through `decoder --exec`: the same limits
//! and no network, then another program. A raw frame of it goes to a child for the pictures.

mod child;
mod error;
mod job;
mod outside;
mod pool;
mod protocol;
mod sandbox;
mod serve;

pub use child::MALLOC_TUNABLES;
pub use error::DecodeError;
pub use job::{Job, Report, Want, process};
pub(crate) use outside::{Outside, OutsideError};
pub use pool::{DecoderPool, PoolConfig};
pub use serve::decoder_main;
