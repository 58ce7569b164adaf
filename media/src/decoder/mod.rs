//! Decoders are a room with a lock: foreign bytes are opened only in child processes.
//!
//! [`decoder_main`] is the child: limits first (memory, time, files), then Landlock (no file but
//! those it is handed) and a seccomp filter (no network, no new programs, no writing of files),
//! then one job after another over stdin and stdout. [`DecoderPool`] is the parent: it starts
//! children when there is work, ends them when there is none, and turns a crash into an error for
//! the one file that caused it.
//!
//! Films are opened by ffmpeg, which the parent starts through `decoder --exec`: the same limits,
//! no network and no files but its own, then another program. A raw frame of it goes to a child
//! for the pictures. [`examine`] tells whether all of this holds on a machine.

mod child;
mod error;
mod examine;
mod handed;
mod job;
mod outside;
mod pool;
mod protocol;
mod sandbox;
mod serve;
mod walls;

pub use child::MALLOC_TUNABLES;
pub use error::DecodeError;
pub use examine::{Attempt, Confinement, examine};
pub use job::{Job, Report, Want, process};
pub(crate) use outside::{Outside, OutsideError};
pub use pool::{DecoderPool, PoolConfig};
pub use serve::decoder_main;
pub use walls::Walls;

/// A child's answer as the parent reads it, for [`crate::fuzz`].
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn read_answer(bytes: &[u8]) {
    let Some((header, rest)) = bytes.split_first_chunk() else { return };
    let Ok((json_bytes, _)) = protocol::lengths(*header) else { return };
    let (json, blob) = rest.split_at(json_bytes.min(rest.len()));
    if let Ok(protocol::Answer::Report { images: Some(Ok(pictures)), .. }) =
        serde_json::from_slice(json)
    {
        std::hint::black_box(protocol::unpack(pictures, blob.to_vec()));
    }
}
