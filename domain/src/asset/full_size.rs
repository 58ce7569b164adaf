//! The picture at full size that is made of files which browsers do not show.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{DerivedImage, ProcessorRef};

/// A picture at full size was made, or it is to be without one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetFullSizeRecorded {
    /// Which program made it.
    pub processor: ProcessorRef,
    /// BLAKE3 of the bytes it was made from.
    pub input_blake3: String,
    /// The picture; nothing when there is none any more.
    pub image: Option<DerivedImage>,
}
