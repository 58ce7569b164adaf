//! Setting and removing the caller's picture.

use std::fmt::Write as _;

use axum::Json;
use axum::extract::State;
use axum::extract::multipart::{Field, Multipart, MultipartError, MultipartRejection};
use axum::http::StatusCode;
use calotype_domain::permission::Permission;
use calotype_domain::user::{ProfileImage, UserCommand};
use calotype_media::blob::{BlobError, BlobKey, StagedBlob};
use calotype_media::kind::{Sniffed, sniff};
use calotype_projections::users::UserRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::IMAGE_BYTES_MAX;
use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;
use crate::users::dto::not_found;

/// The form.
#[derive(ToSchema)]
pub(crate) struct CreateProfileImageDto {
    #[schema(value_type = String, format = Binary)]
    #[expect(dead_code, reason = "names the form's field in the document")]
    file: Vec<u8>,
}

/// The picture that was set.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateProfileImageResponseDto {
    user_id: Uuid,
    profile_changed_at: String,
    profile_image_path: String,
}

/// Sets the caller's picture.
#[utoipa::path(
    post,
    path = "/users/profile-image",
    operation_id = "createProfileImage",
    tag = "Users",
    request_body(content = CreateProfileImageDto, content_type = "multipart/form-data"),
    responses((status = 201, body = CreateProfileImageResponseDto)),
)]
pub(in crate::users) async fn create_profile_image(
    State(api): State<Api>,
    caller: Caller,
    form: Result<Multipart, MultipartRejection>,
) -> Result<(StatusCode, Json<CreateProfileImageResponseDto>), Problem> {
    caller.require(Permission::UserProfileImageUpdate)?;
    let mut form = form.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    let mut staged = None;
    while let Some(field) = form.next_field().await.map_err(|error| bad_form(&error))? {
        if field.name() == Some("file") {
            staged = Some(stage(&api, field).await?);
            break;
        }
    }
    let staged = staged.ok_or_else(|| Problem::bad_request("Field(s) file should not be empty"))?;
    let extension = sniff(staged.head())
        .and_then(extension)
        .ok_or_else(|| Problem::bad_request("Unsupported file type"))?;

    let user_id = caller.user_id();
    let before = api.queries.user(user_id.uuid()).await?.ok_or_else(not_found)?;
    let key = BlobKey::profile(user_id.uuid(), api.commands.ids().v4(), extension);
    let image = ProfileImage {
        key: key.to_string(),
        size_bytes: staged.size_bytes,
        blake3: hex(&staged.blake3),
    };
    staged.commit(&key).await.map_err(|error| store_failed(&error))?;
    let wish = UserCommand::SetProfileImage(image);
    let outcome = api.commands.user(&caller.context(), user_id, wish).await?;
    api.seen(&outcome).await;
    remove_picture(&api, &before).await;

    let row = api.queries.user(user_id.uuid()).await?.ok_or_else(not_found)?;
    let answer = CreateProfileImageResponseDto {
        user_id: row.user_id,
        profile_changed_at: dates::iso(row.profile_changed_at),
        profile_image_path: row.profile_image_key.unwrap_or_default(),
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Removes the caller's picture.
#[utoipa::path(
    delete,
    path = "/users/profile-image",
    operation_id = "deleteProfileImage",
    tag = "Users",
    responses((status = 204)),
)]
pub(in crate::users) async fn delete_profile_image(
    State(api): State<Api>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::UserProfileImageDelete)?;
    let before = api.queries.user(caller.user_id().uuid()).await?.ok_or_else(not_found)?;
    if before.profile_image_key.is_none() {
        return Err(Problem::bad_request("Can't delete a missing profile Image"));
    }
    let wish = UserCommand::RemoveProfileImage;
    let outcome = api.commands.user(&caller.context(), caller.user_id(), wish).await?;
    api.seen(&outcome).await;
    remove_picture(&api, &before).await;
    Ok(StatusCode::NO_CONTENT)
}

async fn stage(api: &Api, mut field: Field<'_>) -> Result<StagedBlob, Problem> {
    let mut writer = api.blobs.begin().await.map_err(|error| store_failed(&error))?;
    let mut size_bytes: u64 = 0;
    while let Some(chunk) = field.chunk().await.map_err(|error| bad_form(&error))? {
        size_bytes = size_bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if size_bytes > IMAGE_BYTES_MAX {
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "File too large"));
        }
        writer.write(&chunk).await.map_err(|error| store_failed(&error))?;
    }
    if size_bytes == 0 {
        return Err(Problem::bad_request("File is empty"));
    }
    writer.finish().await.map_err(|error| store_failed(&error))
}

/// What browsers show as a picture and cannot run as a page, so no SVG.
fn extension(kind: Sniffed) -> Option<&'static str> {
    match kind {
        Sniffed::Jpeg => Some("jpg"),
        Sniffed::Png => Some("png"),
        Sniffed::Gif => Some("gif"),
        Sniffed::Webp => Some("webp"),
        Sniffed::Heic => Some("heic"),
        Sniffed::Avif => Some("avif"),
        _ => None,
    }
}

/// The account no longer names its former picture; a file that stays behind only takes room.
async fn remove_picture(api: &Api, before: &UserRow) {
    let Some(key) = before.profile_image_key.as_deref().and_then(|key| BlobKey::parse(key).ok())
    else {
        return;
    };
    if let Err(error) = api.blobs.remove(&key).await {
        let error: &dyn std::error::Error = &error;
        tracing::warn!(error, "failed to remove a former profile picture");
    }
}

fn bad_form(error: &MultipartError) -> Problem {
    Problem::new(error.status(), error.body_text())
}

fn store_failed(error: &BlobError) -> Problem {
    Problem::internal(error)
}

fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}
