//! Films streamed while they are encoded (HLS, RFC 8216): playlists that are known beforehand, and
//! segments of two seconds that an encoder makes just before they are played.
//!
//! A [`Sessions`] holds who watches what. Each session has at most one encoder, which starts where
//! the player is, waits when it is far ahead, and ends with the session.

mod arguments;
mod encoder;
mod playlist;
mod session;
mod sessions;
mod variant;

pub use playlist::{main_playlist, media_playlist};
pub use session::{Piece, SEGMENTS_KEPT_MAX, StreamError};
pub use sessions::{Sessions, StreamLimits, Streamed};
pub use variant::{Ladder, Variant, variants};

/// Length of a segment, in milliseconds.
pub const SEGMENT_MS: u64 = 2_000;

/// How many segments a film has. What is left over in the last twentieth of a second may hold no
/// picture, and is no segment of its own.
#[must_use]
pub fn segments(duration_ms: u64) -> u64 {
    duration_ms.saturating_sub(50).div_ceil(SEGMENT_MS).max(1)
}
