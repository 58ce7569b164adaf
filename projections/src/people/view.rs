//! Rows of `people_v1` and `faces_v1`, and what a processor needs to make a picture.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct PersonRow {
    /// Their id.
    pub person_id: Uuid,
    /// The last revision applied.
    pub revision: i64,
    /// In whose library.
    pub owner_id: Uuid,
    /// What they are called; empty when nobody knows.
    pub name: String,
    /// When they were born.
    pub birth_date: Option<NaiveDate>,
    /// Whether they are left out of lists.
    pub is_hidden: bool,
    /// Whether they come first in lists.
    pub is_favorite: bool,
    /// Their colour.
    pub color: Option<String>,
    /// The face that a person chose to stand for them.
    pub feature_face_id: Option<Uuid>,
    /// Key of the picture's blob.
    pub thumbnail_key: Option<String>,
    /// The face that the picture shows.
    pub thumbnail_face_id: Option<Uuid>,
    /// The face that no picture could be made of.
    pub failed_face_id: Option<Uuid>,
    /// When they were told apart.
    pub created_at: DateTime<Utc>,
    /// When something about them changed last, their picture included.
    pub updated_at: DateTime<Utc>,
}

/// One face on a photo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow)]
pub struct FaceRow {
    /// Its id.
    pub face_id: Uuid,
    /// On which photo.
    pub asset_id: Uuid,
    /// In whose library.
    pub owner_id: Uuid,
    /// Whose it was said to be.
    pub said_person_id: Option<Uuid>,
    /// Who that is by now.
    pub person_id: Option<Uuid>,
    /// Whether a person drew it.
    pub is_drawn: bool,
    /// Whether a person said whose it is.
    pub is_confirmed: bool,
    /// Left edge as a fraction of the width; all four are missing for a face without a place.
    pub x1: Option<f64>,
    /// Upper edge.
    pub y1: Option<f64>,
    /// Right edge.
    pub x2: Option<f64>,
    /// Lower edge.
    pub y2: Option<f64>,
    /// Width in pixels of the picture it was seen or drawn on; 0 without a place.
    pub image_width: i64,
    /// Its height.
    pub image_height: i64,
    /// Whether the photo is on the timeline and not in the trash.
    pub is_shown: bool,
    /// Whether the photo has a preview to cut it out of.
    pub has_preview: bool,
    /// When it was found or drawn.
    pub created_at: DateTime<Utc>,
}

/// A person whose picture has to be made, and of which face.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct PersonDue {
    /// Who.
    pub person_id: Uuid,
    /// In whose library.
    pub owner_id: Uuid,
    /// Which face.
    pub face_id: Uuid,
    /// Left edge as a fraction of the width.
    pub x1: f64,
    /// Upper edge.
    pub y1: f64,
    /// Right edge.
    pub x2: f64,
    /// Lower edge.
    pub y2: f64,
    /// Key of the picture there is.
    pub thumbnail_key: Option<String>,
    /// Key of the preview to cut it out of.
    pub preview_key: String,
    /// BLAKE3 of the photo's original, lower-case hex.
    pub blake3: String,
}
