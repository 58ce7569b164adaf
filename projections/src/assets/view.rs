//! A row of `assets_v1`.

use calotype_domain::asset::{AssetEdit, Geometry, TEMPLATED_ROOT};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

/// One photo or film.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow)]
pub struct AssetRow {
    /// Its id.
    pub asset_id: Uuid,
    /// The last revision applied.
    pub revision: i64,
    /// Whose it is.
    pub owner_id: Uuid,
    /// Whether it is a film.
    pub is_video: bool,
    /// Key of the original's blob, or the absolute path of a file of an external library.
    pub original_key: String,
    /// Size of the original.
    pub size_bytes: i64,
    /// SHA-1 of the original, lower-case hex.
    pub sha1: String,
    /// BLAKE3 of the original, lower-case hex.
    pub blake3: String,
    /// Key of the XMP file that came with it.
    pub sidecar_key: Option<String>,
    /// The client's name for it; empty when forgotten.
    pub file_name: String,
    /// The type by content once it was read.
    pub mime_type: Option<String>,
    /// When the client says the file was made.
    pub file_created_at: DateTime<Utc>,
    /// When the client says the file was last changed.
    pub file_modified_at: DateTime<Utc>,
    /// When it was taken: by a person's word, the file's, or else the client's.
    pub taken_at: DateTime<Utc>,
    /// The photographer's wall clock then.
    pub local_date_time: NaiveDateTime,
    /// The zone, where known.
    pub time_zone: Option<String>,
    /// Whether a person said when it was taken.
    pub date_by_person: bool,
    /// The favorite mark.
    pub is_favorite: bool,
    /// Immich's word for where it shows.
    pub visibility: String,
    /// Since when it is in the trash.
    pub trashed_at: Option<DateTime<Utc>>,
    /// Length of a film.
    pub duration_ms: Option<i64>,
    /// The film that belongs to this still.
    pub live_photo_video_id: Option<Uuid>,
    /// Stored width in pixels.
    pub width: Option<i32>,
    /// Stored height in pixels.
    pub height: Option<i32>,
    /// Width as shown.
    pub display_width: Option<i32>,
    /// Height as shown.
    pub display_height: Option<i32>,
    /// EXIF orientation.
    pub orientation: Option<i32>,
    /// Maker of the camera.
    pub make: Option<String>,
    /// Model of the camera.
    pub model: Option<String>,
    /// Model of the lens.
    pub lens_model: Option<String>,
    /// Aperture.
    pub f_number: Option<f64>,
    /// Focal length in millimetres.
    pub focal_length_mm: Option<f64>,
    /// ISO speed.
    pub iso: Option<i32>,
    /// Exposure time as text.
    pub exposure_time: Option<String>,
    /// Frames a second.
    pub fps: Option<f64>,
    /// Projection of a 360 degree picture.
    pub projection_type: Option<String>,
    /// Stars.
    pub rating: Option<i32>,
    /// Whether a person gave or took the stars.
    pub rating_by_person: bool,
    /// The caption.
    pub description: String,
    /// Whether a person wrote the caption.
    pub description_by_person: bool,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// Whether a person said where it was taken.
    pub position_by_person: bool,
    /// The nearest city, town or village to the position.
    pub city: Option<String>,
    /// Its state or province.
    pub state: Option<String>,
    /// The country of the position.
    pub country: Option<String>,
    /// Base64 of the thumbhash.
    pub thumbhash: Option<String>,
    /// Key of the thumbnail's blob.
    pub thumbnail_key: Option<String>,
    /// Key of the preview's blob.
    pub preview_key: Option<String>,
    /// Whether metadata was read.
    pub has_metadata: bool,
    /// Why a step failed last, for a person.
    pub failure: Option<String>,
    /// When it was uploaded.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Its edits and the pictures that show it so; nothing while it has none.
    pub edited: Option<Json<Edited>>,
    /// Key of the picture at full size, of a file that browsers do not show.
    pub full_size_key: Option<String>,
    /// The external library whose file it is; then `original_key` is the file's absolute path.
    #[serde(default)]
    pub library_id: Option<Uuid>,
    /// Whether that file is missing.
    #[serde(default)]
    pub is_offline: bool,
}

/// How a photo is edited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edited {
    /// Its edits, in order.
    pub edits: Vec<AssetEdit>,
    /// The pictures that show it so; until they are made, those of the edits before.
    pub pictures: Option<EditedPictures>,
}

/// The pictures of an edited photo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditedPictures {
    /// Base64 of the thumbhash.
    pub thumbhash: String,
    /// Key of the thumbnail's blob.
    pub thumbnail_key: String,
    /// Key of the preview's blob.
    pub preview_key: String,
    /// Key of the blob that stands in for the original.
    pub full_size_key: String,
    /// Width in pixels.
    pub width: i32,
    /// Height in pixels.
    pub height: i32,
}

impl AssetRow {
    /// What others see of it: favorites are the owner's alone, and so are the words that a storage template made
    /// its key of. The key that is here instead is one to show, not one to open.
    #[must_use]
    pub fn as_seen_by_others(self) -> Self {
        let original_key = self.key_shown_to_others();
        Self { is_favorite: false, original_key, ..self }
    }

    /// The key of the original; of one that a template named, a key made of the asset's id.
    fn key_shown_to_others(&self) -> String {
        if !self.original_key.starts_with(TEMPLATED_ROOT) {
            return self.original_key.clone();
        }
        let name = self.original_key.rsplit('/').next().unwrap_or_default();
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let dot = if ending.is_empty() { "" } else { "." };
        format!("upload/{}{dot}{ending}", self.asset_id)
    }

    /// Its edits, in order.
    #[must_use]
    pub fn edits(&self) -> &[AssetEdit] {
        self.edited.as_ref().map_or(&[], |edited| &edited.edits)
    }

    /// The pictures of the edited photo, where there are any.
    #[must_use]
    pub fn edited_pictures(&self) -> Option<&EditedPictures> {
        self.edited.as_ref()?.pictures.as_ref()
    }

    /// What its edits make of it; nothing while it has none, or no size.
    #[must_use]
    pub fn geometry(&self) -> Option<Geometry> {
        let shown = self.display_width.zip(self.display_height);
        let swaps = self.orientation.is_some_and(|orientation| (5..=8).contains(&orientation));
        let stored = self.width.zip(self.height);
        let stored =
            stored.map(|(width, height)| if swaps { (height, width) } else { (width, height) });
        let (width, height) = shown.or(stored).filter(|_| !self.edits().is_empty())?;
        let side = |pixels: i32| u32::try_from(pixels).ok();
        Some(Geometry::of(self.edits(), (side(width)?, side(height)?)))
    }

    /// Base64 of the thumbhash of the photo as it shows.
    #[must_use]
    pub fn shown_thumbhash(&self) -> Option<String> {
        let edited = self.edited_pictures().map(|made| made.thumbhash.clone());
        edited.or_else(|| self.thumbhash.clone())
    }
}

/// What dividing a download into archives needs of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Downloadable {
    /// Its id.
    pub asset_id: Uuid,
    /// Size of the original.
    pub size_bytes: i64,
    /// The film that belongs to this still.
    pub live_photo_video_id: Option<Uuid>,
}

impl Downloadable {
    /// Of a whole row.
    #[must_use]
    pub const fn of(row: &AssetRow) -> Self {
        Self {
            asset_id: row.asset_id,
            size_bytes: row.size_bytes,
            live_photo_video_id: row.live_photo_video_id,
        }
    }
}
