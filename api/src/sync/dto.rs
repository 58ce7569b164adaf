//! Things as the mobile app keeps them.

use calotype_projections::assets::AssetRow;
use calotype_projections::users::UserRow;
use serde::Serialize;
use uuid::Uuid;

use crate::assets::dto::{checksum, number, shown_size, type_word};
use crate::dates;

/// An asset.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncAssetV2 {
    id: Uuid,
    owner_id: Uuid,
    original_file_name: String,
    file_created_at: String,
    file_modified_at: String,
    created_at: String,
    local_date_time: String,
    #[serde(rename = "type")]
    kind: &'static str,
    deleted_at: Option<String>,
    is_favorite: bool,
    visibility: String,
    duration: Option<i64>,
    live_photo_video_id: Option<Uuid>,
    stack_id: Option<Uuid>,
    library_id: Option<Uuid>,
    width: Option<i32>,
    height: Option<i32>,
    is_edited: bool,
    checksum: String,
    thumbhash: Option<String>,
}

impl SyncAssetV2 {
    /// Of a row and the stack it is in, for somebody: the favorite mark is the owner's alone.
    pub(crate) fn of(row: &AssetRow, user_id: Uuid, stack_id: Option<Uuid>) -> Self {
        let (width, height) = shown_size(row);
        Self {
            id: row.asset_id,
            owner_id: row.owner_id,
            original_file_name: row.file_name.clone(),
            file_created_at: dates::iso(row.taken_at),
            file_modified_at: dates::iso(row.file_modified_at),
            created_at: dates::iso(row.created_at),
            local_date_time: dates::iso_local(row.local_date_time),
            kind: type_word(row.is_video),
            deleted_at: row.trashed_at.map(dates::iso),
            is_favorite: row.is_favorite && row.owner_id == user_id,
            visibility: row.visibility.clone(),
            duration: row.duration_ms,
            live_photo_video_id: row.live_photo_video_id,
            stack_id,
            library_id: row.library_id,
            width,
            height,
            is_edited: !row.edits().is_empty(),
            checksum: checksum(&row.sha1),
            thumbhash: row.shown_thumbhash(),
        }
    }
}

/// What the file of an asset says, and what people said over it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncAssetExifV1 {
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

impl SyncAssetExifV1 {
    /// Of a row.
    pub(crate) fn of(row: &AssetRow) -> Self {
        let read = row.has_metadata;
        Self {
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
            city: row.city.clone(),
            state: row.state.clone(),
            country: row.country.clone(),
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
        }
    }
}

/// An account as everybody sees it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncUserV1 {
    id: Uuid,
    name: String,
    email: String,
    avatar_color: String,
    deleted_at: Option<String>,
    profile_changed_at: String,
    has_profile_image: bool,
}

impl SyncUserV1 {
    /// Of a row.
    pub(crate) fn of(row: &UserRow) -> Self {
        Self {
            id: row.user_id,
            name: row.name.clone(),
            email: row.email.clone(),
            avatar_color: row.avatar_color.clone(),
            deleted_at: row.deleted_at.map(dates::iso),
            profile_changed_at: dates::iso(row.profile_changed_at),
            has_profile_image: row.profile_image_key.is_some(),
        }
    }
}

/// An account as its owner sees it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncAuthUserV1 {
    id: Uuid,
    name: String,
    email: String,
    avatar_color: String,
    deleted_at: Option<String>,
    profile_changed_at: String,
    is_admin: bool,
    /// Never sent: the code is the server's to check.
    pin_code: Option<()>,
    oauth_id: &'static str,
    storage_label: Option<String>,
    quota_size_in_bytes: Option<i64>,
    quota_usage_in_bytes: i64,
    has_profile_image: bool,
}

impl SyncAuthUserV1 {
    /// Of a row and how many bytes the account stores.
    pub(crate) fn of(row: &UserRow, usage_bytes: i64) -> Self {
        Self {
            id: row.user_id,
            name: row.name.clone(),
            email: row.email.clone(),
            avatar_color: row.avatar_color.clone(),
            deleted_at: row.deleted_at.map(dates::iso),
            profile_changed_at: dates::iso(row.profile_changed_at),
            is_admin: row.is_admin,
            pin_code: None,
            oauth_id: "",
            storage_label: row.storage_label.clone(),
            quota_size_in_bytes: row.quota_size_bytes,
            quota_usage_in_bytes: usage_bytes,
            has_profile_image: row.profile_image_key.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::dto::tests::row;

    #[test]
    fn asset_is_written_as_recorded() {
        let written =
            serde_json::to_string(&SyncAssetV2::of(&row(), row().owner_id, None)).unwrap();
        assert_eq!(
            written,
            concat!(
                r#"{"id":"91da1ac8-0dfd-45f4-9efc-16416a8dea30","ownerId":"78013aee-9bc1-47c8-918f-da50df335899","#,
                r#""originalFileName":"cyclamen_persicum.jpg","fileCreatedAt":"2007-12-06T05:33:18.000Z","#,
                r#""fileModifiedAt":"2024-01-02T03:04:05.000Z","createdAt":"2026-11-22T08:24:13.688Z","#,
                r#""localDateTime":"2007-12-06T14:33:18.000Z","type":"IMAGE","deletedAt":null,"#,
                r#""isFavorite":true,"visibility":"timeline","duration":null,"livePhotoVideoId":null,"#,
                r#""stackId":null,"libraryId":null,"width":512,"height":848,"isEdited":false,"#,
                r#""checksum":"9IXBDMjj9OrQb+1YMHprZJgZ/UQ=","thumbhash":"FkgODAY59ohHtouYmJnglGnxRw=="}"#,
            )
        );
        let others = SyncAssetV2::of(&row(), Uuid::nil(), None);
        assert!(!others.is_favorite, "the favorite mark is the owner's alone");
    }

    #[test]
    fn exif_is_written_as_recorded() {
        let written = serde_json::to_string(&SyncAssetExifV1::of(&row())).unwrap();
        assert_eq!(
            written,
            concat!(
                r#"{"assetId":"91da1ac8-0dfd-45f4-9efc-16416a8dea30","description":"a description","#,
                r#""exifImageWidth":512,"exifImageHeight":848,"fileSizeInByte":51977,"orientation":"1","#,
                r#""dateTimeOriginal":"2007-12-06T05:33:18.000Z","modifyDate":"2024-01-02T03:04:05.000Z","#,
                r#""timeZone":"UTC+9","latitude":null,"longitude":null,"projectionType":null,"city":null,"#,
                r#""state":null,"country":null,"make":"FUJIFILM","model":"FinePix S3Pro","lensModel":null,"#,
                r#""fNumber":6.7,"focalLength":90,"iso":100,"exposureTime":"1/30","profileDescription":null,"#,
                r#""rating":4,"fps":null}"#,
            )
        );
    }
}
