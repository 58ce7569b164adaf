//! Films: facts by ffprobe, one frame by ffmpeg, both limited and without network.

mod facts;
mod frame;
mod probe;

pub(crate) use frame::frame;
pub(crate) use probe::{probe, probe_size};
