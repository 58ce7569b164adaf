//! An asset as the mobile app's sync wants it, sent when an upload is ready.

use calotype_projections::assets::AssetRow;
use serde::Serialize;
use uuid::Uuid;

use crate::assets::dto::{checksum, number, shown_size, type_word};
use crate::dates;

/// What `AssetUploadReadyV2` carries.
#[derive(Clone, Debug, Serialize)]
pub(super) struct AssetUploadReady {
    asset: SyncAssetV2,
    exif: SyncAssetExifV1,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SyncAssetV2 {
    id: Uuid,
    owner_id: Uuid,
    original_file_name: String,
    thumbhash: Option<String>,
    checksum: String,
    file_created_at: String,
    file_modified_at: String,
    created_at: String,
    local_date_time: String,
    duration: Option<i64>,
    #[serde(rename = "type")]
    kind: &'static str,
    deleted_at: Option<String>,
    is_favorite: bool,
    visibility: String,
    live_photo_video_id: Option<Uuid>,
    stack_id: Option<Uuid>,
    library_id: Option<Uuid>,
    width: Option<i32>,
    height: Option<i32>,
    is_edited: bool,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SyncAssetExifV1 {
    asset_id: Uuid,
    description: String,
    exif_image_width: Option<i32>,
    exif_image_height: Option<i32>,
    file_size_in_byte: i64,
    orientation: Option<String>,
    date_time_original: Option<String>,
    modify_date: Option<String>,
    time_zone: Option<String>,
    #[serde(serialize_with = "number")]
    latitude: Option<f64>,
    #[serde(serialize_with = "number")]
    longitude: Option<f64>,
    projection_type: Option<String>,
    city: Option<String>,
    state: Option<String>,
    country: Option<String>,
    make: Option<String>,
    model: Option<String>,
    lens_model: Option<String>,
    #[serde(serialize_with = "number")]
    f_number: Option<f64>,
    #[serde(serialize_with = "number")]
    focal_length: Option<f64>,
    iso: Option<i32>,
    exposure_time: Option<String>,
    profile_description: Option<String>,
    rating: Option<i32>,
    #[serde(serialize_with = "number")]
    fps: Option<f64>,
}

impl AssetUploadReady {
    /// Of a row.
    pub(super) fn of(row: &AssetRow) -> Self {
        let (width, height) = shown_size(row);
        let read = row.has_metadata;
        Self {
            asset: SyncAssetV2 {
                id: row.asset_id,
                owner_id: row.owner_id,
                original_file_name: row.file_name.clone(),
                thumbhash: row.thumbhash.clone(),
                checksum: checksum(&row.sha1),
                file_created_at: dates::iso(row.taken_at),
                file_modified_at: dates::iso(row.file_modified_at),
                created_at: dates::iso(row.created_at),
                local_date_time: dates::iso_local(row.local_date_time),
                duration: row.duration_ms,
                kind: type_word(row.is_video),
                deleted_at: row.trashed_at.map(dates::iso),
                is_favorite: row.is_favorite,
                visibility: row.visibility.clone(),
                live_photo_video_id: row.live_photo_video_id,
                stack_id: None,
                library_id: None,
                width,
                height,
                is_edited: false,
            },
            exif: SyncAssetExifV1 {
                asset_id: row.asset_id,
                description: row.description.clone(),
                exif_image_width: row.width,
                exif_image_height: row.height,
                file_size_in_byte: row.size_bytes,
                orientation: row.orientation.map(|orientation| orientation.to_string()),
                date_time_original: (read || row.date_by_person).then(|| dates::iso(row.taken_at)),
                modify_date: read.then(|| dates::iso(row.file_modified_at)),
                time_zone: row.time_zone.clone(),
                latitude: row.latitude,
                longitude: row.longitude,
                projection_type: row.projection_type.clone(),
                city: None,
                state: None,
                country: None,
                make: row.make.clone(),
                model: row.model.clone(),
                lens_model: row.lens_model.clone(),
                f_number: row.f_number,
                focal_length: row.focal_length_mm,
                iso: row.iso,
                exposure_time: row.exposure_time.clone(),
                profile_description: None,
                rating: row.rating,
                fps: row.fps,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::assets::dto::tests::row;

    #[test]
    fn fields_are_those_of_immich() {
        let sent = serde_json::to_value(AssetUploadReady::of(&row())).unwrap();
        let fields = |name: &str| -> BTreeSet<String> {
            sent[name].as_object().unwrap().keys().cloned().collect()
        };
        let wanted = |names: &str| -> BTreeSet<String> {
            names.split_whitespace().map(str::to_owned).collect()
        };
        assert_eq!(
            fields("asset"),
            wanted(
                "checksum createdAt deletedAt duration fileCreatedAt fileModifiedAt height id isEdited \
                 isFavorite libraryId livePhotoVideoId localDateTime originalFileName ownerId stackId \
                 thumbhash type visibility width"
            )
        );
        assert_eq!(
            fields("exif"),
            wanted(
                "assetId city country dateTimeOriginal description exifImageHeight exifImageWidth \
                 exposureTime fNumber fileSizeInByte focalLength fps iso latitude lensModel longitude \
                 make model modifyDate orientation profileDescription projectionType rating state \
                 timeZone"
            )
        );
    }
}
