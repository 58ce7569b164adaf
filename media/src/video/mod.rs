//! Films: facts by ffprobe, one frame by ffmpeg, both limited and without network.

mod facts;
mod frame;
mod inner;
mod probe;

pub(crate) use frame::frame;
pub(crate) use inner::complete;
pub(crate) use probe::probe;
