//! People and faces as the mobile app keeps them.

use calotype_projections::people::{FaceRow, PersonRow};
use chrono::NaiveTime;
use serde::Serialize;
use uuid::Uuid;

use crate::dates;
use crate::faces::{pixels, source_type};

/// A person.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SyncPersonV1 {
    id: Uuid,
    created_at: String,
    updated_at: String,
    owner_id: Uuid,
    name: String,
    birth_date: Option<String>,
    is_hidden: bool,
    is_favorite: bool,
    color: Option<String>,
    face_asset_id: Option<Uuid>,
}

impl SyncPersonV1 {
    /// Of a row.
    pub(super) fn of(row: &PersonRow) -> Self {
        Self {
            id: row.person_id,
            created_at: dates::iso(row.created_at),
            updated_at: dates::iso(row.updated_at),
            owner_id: row.owner_id,
            name: row.name.clone(),
            birth_date: row.birth_date.map(|date| dates::iso_local(date.and_time(NaiveTime::MIN))),
            is_hidden: row.is_hidden,
            is_favorite: row.is_favorite,
            color: row.color.clone(),
            face_asset_id: row.feature_face_id.or(row.thumbnail_face_id),
        }
    }
}

/// A face on a photo.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SyncAssetFaceV2 {
    id: Uuid,
    asset_id: Uuid,
    person_id: Option<Uuid>,
    image_width: i64,
    image_height: i64,
    bounding_box_x1: i64,
    bounding_box_y1: i64,
    bounding_box_x2: i64,
    bounding_box_y2: i64,
    source_type: &'static str,
    /// Always `null`: a removed one is told as gone.
    deleted_at: Option<()>,
    is_visible: bool,
}

impl SyncAssetFaceV2 {
    /// Of a row, and whether the photo as it shows still has it.
    pub(super) fn of(row: &FaceRow, is_visible: bool) -> Self {
        Self {
            id: row.face_id,
            asset_id: row.asset_id,
            person_id: row.person_id,
            image_width: row.image_width,
            image_height: row.image_height,
            bounding_box_x1: pixels(row.x1, row.image_width),
            bounding_box_y1: pixels(row.y1, row.image_height),
            bounding_box_x2: pixels(row.x2, row.image_width),
            bounding_box_y2: pixels(row.y2, row.image_height),
            source_type: source_type(row),
            deleted_at: None,
            is_visible,
        }
    }
}
