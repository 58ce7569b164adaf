//! The small values that events of an asset are made of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an asset is, by its file's extension, as Immich decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A still picture.
    Image,
    /// A film.
    Video,
}

/// Where an asset shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// On the main timeline.
    #[default]
    Timeline,
    /// Off the main timeline, still in albums and search.
    Archive,
    /// Nowhere by itself: the film of a live photo.
    Hidden,
    /// In the folder behind the PIN.
    Locked,
}

impl Visibility {
    /// The word Immich's API uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeline => "timeline",
            Self::Archive => "archive",
            Self::Hidden => "hidden",
            Self::Locked => "locked",
        }
    }
}

/// A stored file, named by its key in the blob store and by its digests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Blob {
    /// Its key in the blob store; made of ids, never of a client's words.
    pub key: String,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// SHA-1, lower-case hex, 40 characters: the digest Immich's clients speak.
    pub sha1: String,
    /// BLAKE3, lower-case hex, 64 characters.
    pub blake3: String,
}

/// What the client called the file; personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UploadedFile {
    /// The file's name without any folder.
    pub original_file_name: String,
}

/// A point on the earth, WGS 84.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Position {
    /// Degrees north, -90 to 90.
    pub latitude: f64,
    /// Degrees east, -180 to 180.
    pub longitude: f64,
}

/// What a point lies in; personal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The point that was looked up.
    pub position: Position,
    /// The nearest city, town or village.
    pub city: Option<String>,
    /// Its state or province.
    pub state: Option<String>,
    /// The country.
    pub country: Option<String>,
}

/// Which data set told something, and in which version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DatasetRef {
    /// The data set's name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What a file says about itself that tells of a person; sealed as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonalMetadata {
    /// The caption.
    pub description: Option<String>,
    /// Where it was taken.
    pub position: Option<Position>,
}

/// Which program derived something, and in which version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessorRef {
    /// The processor's name, for instance `metadata`.
    pub name: String,
    /// Its version; rises when its results change.
    pub version: u32,
}

/// A picture made from an asset. Its bytes can be made again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DerivedImage {
    /// Its key in the blob store.
    pub key: String,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
}

/// A step of processing that an asset goes through.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Reading what the file says about itself.
    Metadata,
    /// Making thumbnail, preview and thumbhash.
    Thumbnails,
    /// Making the pictures of an edited photo.
    Edits,
    /// Making a copy of a film that every player shows.
    Video,
    /// Letting a model look at what it shows.
    Embedding,
    /// Letting a model read what is written in it.
    Text,
    /// Letting a model look for faces.
    Faces,
}

impl Stage {
    /// Every step.
    pub const ALL: [Self; 7] = [
        Self::Metadata,
        Self::Thumbnails,
        Self::Edits,
        Self::Video,
        Self::Embedding,
        Self::Text,
        Self::Faces,
    ];
    /// The steps of a new asset, in the order in which it goes through them.
    pub const OF_UPLOADS: [Self; 2] = [Self::Metadata, Self::Thumbnails];

    /// The word used in storage and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Thumbnails => "thumbnails",
            Self::Edits => "edits",
            Self::Video => "video",
            Self::Embedding => "embedding",
            Self::Text => "text",
            Self::Faces => "faces",
        }
    }
}
