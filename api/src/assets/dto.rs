//! An asset as Immich's REST API shows it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use calotype_media::blob::is_external;
use calotype_media::kind::by_name;
use calotype_projections::asset_extras::AssetExtras;
use calotype_projections::assets::AssetRow;
use calotype_projections::people::PersonRow;
use calotype_projections::users::UserRow;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::dates;
use crate::people::dto::PersonResponseDto;
use crate::tags::dto::TagResponseDto;

/// An asset with everything its page shows. `owner`, `tags` and `stack` are there only when it is asked
/// for by itself, not in the answer to a change.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetResponseDto {
    pub(crate) id: Uuid,
    created_at: String,
    owner_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<OwnerDto>,
    library_id: Option<Uuid>,
    #[serde(rename = "type")]
    kind: &'static str,
    original_path: String,
    original_file_name: String,
    original_mime_type: &'static str,
    thumbhash: Option<String>,
    file_created_at: String,
    file_modified_at: String,
    local_date_time: String,
    updated_at: String,
    is_favorite: bool,
    is_archived: bool,
    is_trashed: bool,
    visibility: String,
    duration: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exif_info: Option<ExifResponseDto>,
    live_photo_video_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<TagResponseDto>>,
    people: Vec<PersonResponseDto>,
    checksum: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<AssetStackResponseDto>)]
    stack: Option<Option<AssetStackResponseDto>>,
    is_offline: bool,
    has_metadata: bool,
    duplicate_id: Option<Uuid>,
    resized: bool,
    width: Option<i32>,
    height: Option<i32>,
    is_edited: bool,
}

/// The stack that an asset is in.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetStackResponseDto {
    id: Uuid,
    primary_asset_id: Uuid,
    asset_count: i64,
}

/// Whose an asset is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UserResponseDto)]
pub(crate) struct OwnerDto {
    id: Uuid,
    email: String,
    name: String,
    profile_image_path: String,
    avatar_color: String,
    profile_changed_at: String,
}

/// What the file says about itself, and what people said over it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExifResponseDto {
    make: Option<String>,
    model: Option<String>,
    exif_image_width: Option<i32>,
    exif_image_height: Option<i32>,
    file_size_in_byte: i64,
    orientation: Option<String>,
    date_time_original: Option<String>,
    modify_date: Option<String>,
    time_zone: Option<String>,
    lens_model: Option<String>,
    #[serde(serialize_with = "number")]
    f_number: Option<f64>,
    #[serde(serialize_with = "number")]
    focal_length: Option<f64>,
    iso: Option<i32>,
    exposure_time: Option<String>,
    #[serde(serialize_with = "number")]
    latitude: Option<f64>,
    #[serde(serialize_with = "number")]
    longitude: Option<f64>,
    city: Option<String>,
    state: Option<String>,
    country: Option<String>,
    description: String,
    projection_type: Option<String>,
    rating: Option<i32>,
}

impl AssetResponseDto {
    /// As `GET /assets/{id}` shows it.
    pub(crate) fn whole(row: AssetRow, owner: &UserRow, extras: AssetExtras) -> Self {
        let tags = extras.tags.0.into_iter().map(TagResponseDto::nested).collect();
        let stack = extras.stack.map(|stack| AssetStackResponseDto {
            id: stack.0.stack_id,
            primary_asset_id: stack.0.primary_asset_id,
            asset_count: stack.0.count,
        });
        Self {
            owner: Some(OwnerDto {
                id: owner.user_id,
                email: owner.email.clone(),
                name: owner.name.clone(),
                profile_image_path: owner.profile_image_key.clone().unwrap_or_default(),
                avatar_color: owner.avatar_color.clone(),
                profile_changed_at: dates::postgres(owner.profile_changed_at),
            }),
            tags: Some(tags),
            stack: Some(stack),
            duplicate_id: extras.duplicate_id,
            ..Self::plain(row).with_people(extras.people.0)
        }
    }

    /// With who is on it, for its owner.
    pub(crate) fn with_people(self, people: Vec<PersonRow>) -> Self {
        Self { people: people.into_iter().map(PersonResponseDto::from).collect(), ..self }
    }

    /// As a list of found assets shows it to its owner.
    pub(crate) fn listed(row: AssetRow, with_exif: bool) -> Self {
        Self::plain(row).with_exif(with_exif)
    }

    /// As a list of found assets shows it to somebody.
    pub(crate) fn found(row: AssetRow, viewer_id: Uuid, with_exif: bool) -> Self {
        let is_own = row.owner_id == viewer_id;
        Self::listed(if is_own { row } else { row.as_seen_by_others() }, with_exif)
    }

    /// With or without what the file says about itself.
    pub(crate) fn with_exif(self, with_exif: bool) -> Self {
        Self { exif_info: self.exif_info.filter(|_| with_exif), ..self }
    }

    /// As `GET /search/explore` shows it.
    pub(crate) fn explored(row: AssetRow) -> Self {
        Self { tags: Some(Vec::new()), ..Self::plain(row) }
    }

    /// As visitors of a shared link see it: not whose it is, and not whether its owner likes it.
    pub(crate) fn to_visitors(row: AssetRow) -> Self {
        let row = row.as_seen_by_others();
        Self { tags: Some(Vec::new()), stack: Some(None), ..Self::plain(row) }
    }

    /// As part of a stack, a memory or a group of duplicates: dates in the database's spelling.
    pub(crate) fn nested(row: AssetRow) -> Self {
        Self {
            created_at: dates::postgres(row.created_at),
            file_created_at: dates::postgres(row.taken_at),
            file_modified_at: dates::postgres(row.file_modified_at),
            local_date_time: dates::postgres(row.local_date_time.and_utc()),
            updated_at: dates::postgres(row.updated_at),
            ..Self::plain(row)
        }
    }

    /// With the group of duplicates it is in.
    pub(crate) fn in_group(mut self, duplicate_id: Uuid) -> Self {
        self.duplicate_id = Some(duplicate_id);
        self
    }

    /// As the answer to a change shows it: without owner, tags and stack.
    pub(crate) fn plain(row: AssetRow) -> Self {
        let (width, height) = shown_size(&row);
        Self {
            id: row.asset_id,
            created_at: dates::iso(row.created_at),
            owner_id: row.owner_id,
            owner: None,
            library_id: row.library_id,
            kind: type_word(row.is_video),
            original_path: shown_path(&row),
            original_mime_type: mime(&row.file_name),
            thumbhash: row.shown_thumbhash(),
            file_created_at: dates::iso(row.taken_at),
            file_modified_at: dates::iso(row.file_modified_at),
            local_date_time: dates::iso_local(row.local_date_time),
            updated_at: dates::iso(row.updated_at),
            is_favorite: row.is_favorite,
            is_archived: row.visibility == "archive",
            is_trashed: row.trashed_at.is_some(),
            visibility: row.visibility.clone(),
            duration: row.duration_ms,
            live_photo_video_id: row.live_photo_video_id,
            tags: None,
            people: Vec::new(),
            checksum: checksum(&row.sha1),
            stack: None,
            is_offline: row.is_offline,
            has_metadata: true,
            duplicate_id: None,
            resized: true,
            width,
            height,
            is_edited: !row.edits().is_empty(),
            original_file_name: row.file_name.clone(),
            exif_info: Some(ExifResponseDto::of(row)),
        }
    }
}

impl ExifResponseDto {
    /// Of a row.
    pub(super) fn of(row: AssetRow) -> Self {
        let read = row.has_metadata;
        Self {
            make: row.make,
            model: row.model,
            exif_image_width: row.width,
            exif_image_height: row.height,
            file_size_in_byte: row.size_bytes,
            orientation: row.orientation.map(|orientation| orientation.to_string()),
            date_time_original: (read || row.date_by_person).then(|| dates::postgres(row.taken_at)),
            modify_date: read.then(|| dates::postgres(row.file_modified_at)),
            time_zone: row.time_zone,
            lens_model: row.lens_model,
            f_number: row.f_number,
            focal_length: row.focal_length_mm,
            iso: row.iso,
            exposure_time: row.exposure_time,
            latitude: row.latitude,
            longitude: row.longitude,
            city: row.city,
            state: row.state,
            country: row.country,
            description: row.description,
            projection_type: row.projection_type,
            rating: row.rating,
        }
    }
}

/// Immich's word for the kind of an asset.
pub(crate) fn type_word(is_video: bool) -> &'static str {
    if is_video { "VIDEO" } else { "IMAGE" }
}

/// The type by extension, as Immich reports it.
pub(crate) fn mime(file_name: &str) -> &'static str {
    by_name(file_name).map_or("application/octet-stream", |it| it.mime)
}

/// Base64 of a SHA-1 that is kept as hex; empty when it is no hex.
pub(crate) fn checksum(sha1: &str) -> String {
    let bytes: Option<Vec<u8>> = (0..sha1.len())
        .step_by(2)
        .map(|at| sha1.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    STANDARD.encode(bytes.unwrap_or_default())
}

/// Lower-case hex of a checksum as clients send it: base64 when it has 28 characters, else hex.
pub(crate) fn sha1_of_checksum(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() == 28 {
        let bytes = STANDARD.decode(text).ok()?;
        return Some(hex(&bytes));
    }
    let is_hex = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| text.to_ascii_lowercase())
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String does not fail.
        if write!(text, "{byte:02x}").is_err() {
            text.clear();
        }
        text
    })
}

/// Where the original lies, as clients are shown it: a file of a library where it is, others under one root.
pub(crate) fn shown_path(row: &AssetRow) -> String {
    if is_external(&row.original_key) {
        row.original_key.clone()
    } else {
        format!("/data/{}", row.original_key)
    }
}

/// Width and height as shown: of the edited photo; else after the pictures were made from them, before that from what the file says.
pub(crate) fn shown_size(row: &AssetRow) -> (Option<i32>, Option<i32>) {
    if let Some(edited) = row.edited_pictures() {
        return (Some(edited.width), Some(edited.height));
    }
    if row.display_width.is_some() {
        return (row.display_width, row.display_height);
    }
    if row.orientation.is_some_and(|orientation| (5..=8).contains(&orientation)) {
        return (row.height, row.width);
    }
    (row.width, row.height)
}

/// Writes whole numbers without a fraction, as JavaScript does.
pub(crate) fn number<S: Serializer>(value: &Option<f64>, out: S) -> Result<S::Ok, S::Error> {
    match value {
        None => out.serialize_none(),
        Some(value) if value.fract() != 0.0 => out.serialize_f64(*value),
        Some(value) => match value.to_string().parse::<i64>() {
            Ok(whole) => out.serialize_i64(whole),
            Err(_) => out.serialize_f64(*value),
        },
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A photo that was processed, like the one behind Immich's recorded answers.
    pub(crate) fn row() -> AssetRow {
        serde_json::from_str(
            r#"{
            "asset_id": "91da1ac8-0dfd-45f4-9efc-16416a8dea30", "revision": 3,
            "owner_id": "78013aee-9bc1-47c8-918f-da50df335899", "is_video": false,
            "original_key": "upload/u/5a/fa/f.jpg", "size_bytes": 51977,
            "sha1": "f485c10cc8e3f4ead06fed58307a6b649819fd44", "blake3": "b", "sidecar_key": null,
            "file_name": "cyclamen_persicum.jpg", "mime_type": "image/jpeg",
            "file_created_at": "2024-01-02T03:04:05Z", "file_modified_at": "2024-01-02T03:04:05Z",
            "taken_at": "2007-12-06T05:33:18Z", "local_date_time": "2007-12-06T14:33:18",
            "time_zone": "UTC+9", "date_by_person": false, "is_favorite": true,
            "visibility": "timeline", "trashed_at": null, "duration_ms": null,
            "live_photo_video_id": null, "width": 512, "height": 848, "display_width": 512,
            "display_height": 848, "orientation": 1, "make": "FUJIFILM", "model": "FinePix S3Pro",
            "lens_model": null, "f_number": 6.7, "focal_length_mm": 90.0, "iso": 100,
            "exposure_time": "1/30", "fps": null, "projection_type": null, "rating": 4,
            "rating_by_person": true, "description": "a description",
            "description_by_person": true, "latitude": null, "longitude": null,
            "position_by_person": false, "city": null, "state": null, "country": null, "thumbhash": "FkgODAY59ohHtouYmJnglGnxRw==",
            "thumbnail_key": "thumbs/u/aa/bb/a-thumbnail.webp",
            "preview_key": "thumbs/u/aa/bb/a-preview.jpg", "has_metadata": true, "failure": null,
            "created_at": "2026-11-22T08:24:13.688Z", "updated_at": "2026-11-22T08:24:28.371Z"
            }"#,
        )
        .unwrap()
    }

    fn owner() -> UserRow {
        UserRow {
            user_id: row().owner_id,
            revision: 0,
            email: "admin@example.com".into(),
            name: "Admin".into(),
            password_hash: None,
            is_admin: true,
            should_change_password: false,
            avatar_color: "gray".into(),
            storage_label: None,
            quota_size_bytes: None,
            preferences: json!({}),
            profile_image_key: None,
            profile_changed_at: "2026-11-22T08:06:56.441025Z".parse().unwrap(),
            is_onboarded: true,
            created_at: row().created_at,
            updated_at: row().created_at,
            deleted_at: None,
            delete_forced: false,
        }
    }

    #[test]
    fn words_of_a_storage_template_are_shown_to_the_owner_alone() {
        let key = "library/anna/Hochzeit/Meer.jpg";
        let templated = || AssetRow { original_key: key.into(), ..row() };
        let path = |shown: AssetResponseDto| shown.original_path;
        let own = AssetResponseDto::found(templated(), row().owner_id, true);
        assert_eq!(path(own), format!("/data/{key}"));
        let wanted = format!("/data/upload/{}.jpg", row().asset_id);
        assert_eq!(path(AssetResponseDto::found(templated(), Uuid::nil(), true)), wanted);
        assert_eq!(path(AssetResponseDto::to_visitors(templated())), wanted);
        let plain = AssetResponseDto::to_visitors(row());
        assert_eq!(path(plain), format!("/data/{}", row().original_key));
    }

    #[test]
    fn answer_to_a_change_is_as_immich_writes_it() {
        let written = serde_json::to_string(&AssetResponseDto::plain(row())).unwrap();
        // Recorded from Immich 3.1.0, but for the path.
        let recorded = concat!(
            r#"{"id":"91da1ac8-0dfd-45f4-9efc-16416a8dea30","createdAt":"2026-11-22T08:24:13.688Z","#,
            r#""ownerId":"78013aee-9bc1-47c8-918f-da50df335899","libraryId":null,"type":"IMAGE","#,
            r#""originalPath":"/data/upload/u/5a/fa/f.jpg","originalFileName":"cyclamen_persicum.jpg","#,
            r#""originalMimeType":"image/jpeg","thumbhash":"FkgODAY59ohHtouYmJnglGnxRw==","#,
            r#""fileCreatedAt":"2007-12-06T05:33:18.000Z","fileModifiedAt":"2024-01-02T03:04:05.000Z","#,
            r#""localDateTime":"2007-12-06T14:33:18.000Z","updatedAt":"2026-11-22T08:24:28.371Z","#,
            r#""isFavorite":true,"isArchived":false,"isTrashed":false,"visibility":"timeline","#,
            r#""duration":null,"exifInfo":{"make":"FUJIFILM","model":"FinePix S3Pro","#,
            r#""exifImageWidth":512,"exifImageHeight":848,"fileSizeInByte":51977,"orientation":"1","#,
            r#""dateTimeOriginal":"2007-12-06T05:33:18+00:00","modifyDate":"2024-01-02T03:04:05+00:00","#,
            r#""timeZone":"UTC+9","lensModel":null,"fNumber":6.7,"focalLength":90,"iso":100,"#,
            r#""exposureTime":"1/30","latitude":null,"longitude":null,"city":null,"state":null,"#,
            r#""country":null,"description":"a description","projectionType":null,"rating":4},"#,
            r#""livePhotoVideoId":null,"people":[],"checksum":"9IXBDMjj9OrQb+1YMHprZJgZ/UQ=","#,
            r#""isOffline":false,"hasMetadata":true,"duplicateId":null,"resized":true,"width":512,"#,
            r#""height":848,"isEdited":false}"#,
        );
        assert_eq!(written, recorded);
    }

    #[test]
    fn whole_asset_has_owner_tags_and_stack() {
        let written =
            serde_json::to_value(AssetResponseDto::whole(row(), &owner(), AssetExtras::default()))
                .unwrap();
        assert_eq!(written["tags"], json!([]));
        assert_eq!(written.get("stack"), Some(&Value::Null));
        assert_eq!(written["owner"]["profileChangedAt"], "2026-11-22T08:06:56.441025+00:00");
        assert_eq!(written["owner"]["profileImagePath"], "");
    }

    #[test]
    fn unread_file_has_no_dates_of_its_own() {
        let unread = AssetRow { has_metadata: false, ..row() };
        let written = serde_json::to_value(AssetResponseDto::plain(unread)).unwrap();
        assert_eq!(written["exifInfo"]["dateTimeOriginal"], Value::Null);
        assert_eq!(written["exifInfo"]["modifyDate"], Value::Null);
    }

    #[test]
    fn turned_picture_shows_turned_before_it_is_made() {
        let turned =
            AssetRow { display_width: None, display_height: None, orientation: Some(6), ..row() };
        assert_eq!(shown_size(&turned), (Some(848), Some(512)));
    }

    #[test]
    fn checksum_is_read_as_base64_and_as_hex() {
        let hex = Some("f485c10cc8e3f4ead06fed58307a6b649819fd44".to_owned());
        assert_eq!(sha1_of_checksum("9IXBDMjj9OrQb+1YMHprZJgZ/UQ="), hex);
        assert_eq!(sha1_of_checksum("F485C10CC8E3F4EAD06FED58307A6B649819FD44"), hex);
        assert_eq!(sha1_of_checksum("short"), None);
        assert_eq!(checksum(hex.as_deref().unwrap()), "9IXBDMjj9OrQb+1YMHprZJgZ/UQ=");
    }
}
