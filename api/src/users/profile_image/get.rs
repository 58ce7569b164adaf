//! Reading a person's picture.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use calotype_domain::permission::Permission;
use calotype_media::blob::{BlobError, BlobKey};
use calotype_media::kind::by_name;
use tokio_util::io::ReaderStream;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::users::dto::not_found;
use crate::validate::path_uuid;

/// A person's picture.
#[utoipa::path(
    get,
    path = "/users/{id}/profile-image",
    operation_id = "getProfileImage",
    tag = "Users",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")),
)]
pub(in crate::users) async fn get_profile_image(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Permission::UserProfileImageRead)?;
    let row = api.queries.user(path_uuid("id", &id)?).await?.ok_or_else(not_found)?;
    let none = || Problem::not_found("User does not have a profile image");
    let key = row.profile_image_key.as_deref().ok_or_else(none)?;
    let key = BlobKey::parse(key).map_err(|error| Problem::internal(&error))?;
    let missing = || Problem::not_found("Not Found");
    let failed =
        |error: BlobError| if error.is_away() { Problem::internal(&error) } else { missing() };
    let stat = api.blobs.stat(&key).await.map_err(failed)?.ok_or_else(missing)?;
    // Every picture has a key of its own, so the key tells pictures apart.
    let name = key.as_str().rsplit('/').next().unwrap_or_default().to_owned();
    let tag = format!("W/\"{name}\"");
    let caching = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, "private, no-cache, no-transform".to_owned()),
    ];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|held| held.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    let file = api.blobs.open_blob(&key).await.map_err(failed)?.ok_or_else(missing)?;
    let media_type = by_name(&name).map_or("application/octet-stream", |kind| kind.mime);
    let about = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_LENGTH, stat.size_bytes.to_string()),
        (header::CONTENT_DISPOSITION, format!("inline; filename*=UTF-8''{name}")),
    ];
    Ok((caching, about, Body::from_stream(ReaderStream::new(file))).into_response())
}
