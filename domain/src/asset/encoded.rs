//! A copy of a film that every player shows, made where the original is not one itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::values::ProcessorRef;

/// A copy that every player shows was made; it takes the place of an older one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetVideoEncoded {
    /// Which program made it.
    pub processor: ProcessorRef,
    /// BLAKE3 of the bytes it was made from.
    pub input_blake3: String,
    /// How it was made: the encoder's arguments, without paths.
    pub recipe: String,
    /// Its key in the blob store.
    pub key: String,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// Its codec of pictures, such as `h264`.
    pub video_codec: String,
    /// Its codec of sound; none for a silent film.
    pub audio_codec: Option<String>,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
    /// Its length in milliseconds.
    pub duration_ms: Option<u64>,
}

/// No copy is wanted: the original plays as it is, or nobody wants copies. An older copy goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssetVideoEncodingSkipped {
    /// Which program looked.
    pub processor: ProcessorRef,
    /// BLAKE3 of the bytes it looked at.
    pub input_blake3: String,
    /// The original's codec of pictures.
    pub video_codec: Option<String>,
    /// The original's codec of sound.
    pub audio_codec: Option<String>,
}

/// Version 2 knows the step of encoding films, version 3 that of looking at what assets show, version 4 that of
/// reading what is written in them and that of looking for faces; what an older one says stays true.
pub(super) fn more_stages(payload: Value) -> Value {
    payload
}
