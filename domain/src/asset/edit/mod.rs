//! Edits of a photo that leave its file alone: one crop, one turn, and a mirror for each axis.
//!
//! A list of edits is one value: each change of it is one event with the whole list, so that taking a change
//! back is another event with the list before. Edits apply in the order of the list, to the upright picture.

mod geometry;
mod rules;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use geometry::{Geometry, Turn};
pub use rules::{EditRefusal, Editing};

use super::values::{DerivedImage, ProcessorRef};
use crate::id::EditId;

/// Most edits of one photo: a crop, a turn, and a mirror for each axis.
pub const EDITS_MAX: usize = 4;

/// The part of the upright picture that is kept, in pixels of the picture as shown without edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Crop {
    /// Left edge, from 0.
    pub x: u32,
    /// Upper edge, from 0.
    pub y: u32,
    /// Width, at least 1.
    pub width: u32,
    /// Height, at least 1.
    pub height: u32,
}

/// A turn clockwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rotate {
    /// Degrees: 0, 90, 180 or 270.
    pub angle: u16,
}

/// Which sides change places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MirrorAxis {
    /// Left and right.
    Horizontal,
    /// Top and bottom.
    Vertical,
}

/// A mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mirror {
    /// Which sides change places.
    pub axis: MirrorAxis,
}

/// What one edit does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "action", content = "parameters")]
pub enum EditAction {
    /// Keeps a part.
    Crop(Crop),
    /// Turns.
    Rotate(Rotate),
    /// Mirrors.
    Mirror(Mirror),
}

impl EditAction {
    /// The word that clients use.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Crop(_) => "crop",
            Self::Rotate(_) => "rotate",
            Self::Mirror(_) => "mirror",
        }
    }
}

/// One edit of a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssetEdit {
    /// Its id.
    pub edit_id: EditId,
    /// What it does.
    pub does: EditAction,
}

/// A person edited it: this list is in place of the one before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetEdited {
    /// All edits, in order; at least one.
    pub edits: Vec<AssetEdit>,
}

/// Its edits were taken away: it shows as its file has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetEditsRemoved {}

/// The pictures of the edited photo were made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetEditedPicturesRecorded {
    /// Which program made them.
    pub processor: ProcessorRef,
    /// BLAKE3 of the bytes they were made from.
    pub input_blake3: String,
    /// The edits that they show.
    pub edit_ids: Vec<EditId>,
    /// Base64 of the thumbhash.
    pub thumbhash: String,
    /// The small picture.
    pub thumbnail: DerivedImage,
    /// The screen-sized picture.
    pub preview: DerivedImage,
    /// The picture at its full size, which stands in for the original.
    pub full_size: DerivedImage,
}
