//! Films made playable everywhere: what a film is, what administrators want, the plan that follows
//! from both, and the ffmpeg that carries it out with limits.
//!
//! [`Plan::of`] and the arguments are pure, so every policy is tested without a film.

mod arguments;
mod film;
mod filters;
mod hardware;
mod plan;
mod run;
mod settings;
mod software;
mod wish;

pub(crate) use arguments::{CONTAINERS, encode_picture, encode_sound, words};
pub use arguments::{FILM, LOG, MADE, passes, recipe};
pub use film::{AudioStream, Film, VideoStream};
pub(crate) use filters::tone_map;
pub(crate) use hardware::before_input as hardware_before_input;
pub use plan::{Plan, Track};
#[cfg(any(test, feature = "fuzz"))]
pub(crate) use run::read_said;
pub use run::{Run, TranscodeError, Transcoder, pass_folder};
pub use wish::{
    Accel, AudioCodec, Container, CqMode, Policy, ToneMap, TranscodeWish, VideoCodec, bit_rate,
};
