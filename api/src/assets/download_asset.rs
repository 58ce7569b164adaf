//! `GET /assets/{id}/original`.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use calotype_domain::permission::Permission;
use uuid::Uuid;

use super::cache::{AssetFiles, allowed_files};
use super::dto::mime;
use super::linked::bare_name;
use super::view_asset::written_as;
use crate::caller::Caller;
use crate::files::{Served, serve};
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// The uploaded file.
#[utoipa::path(
    get, path = "/assets/{id}/original", tag = "Assets", operation_id = "downloadAsset",
    params(
        ("id" = uuid::Uuid, Path), ("edited" = Option<bool>, Query),
        ("key" = Option<String>, Query), ("slug" = Option<String>, Query)
    ),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>))
)]
pub(crate) async fn download_asset(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require_shared(Permission::AssetDownload)?;
    let id = path_uuid("id", &id)?;
    let files = allowed_files(&api, &caller, Permission::AssetDownload, id).await;
    let files = files.map_err(any_is_missing)?;
    if caller.shows_metadata() {
        return original(&api, &files, &headers).await;
    }
    match bare_original(&api, id, &files, &headers).await? {
        Some(response) => Ok(response),
        None => preview(&api, id, &files, &headers).await,
    }
}

/// The file without what it says about itself; `None` when that cannot be told apart.
pub(super) async fn bare_original(
    api: &Api,
    id: Uuid,
    files: &AssetFiles,
    headers: &HeaderMap,
) -> Result<Option<Response>, Problem> {
    let served = Served {
        key: &files.original_key,
        mime: mime(&files.file_name),
        file_name: &bare_name(id, &files.file_name),
        modified: None,
        is_bare: true,
    };
    serve(&api.blobs, served, headers).await
}

/// What stands in for a file that cannot be told apart from what it says.
async fn preview(
    api: &Api,
    id: Uuid,
    files: &AssetFiles,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let key = files.preview_key.as_deref().ok_or_else(missing)?;
    let (ending, mime) = written_as(key);
    let file_name = format!("{id}_preview.{ending}");
    let served = Served { key, mime, file_name: &file_name, modified: None, is_bare: false };
    serve(&api.blobs, served, headers).await?.ok_or_else(missing)
}

/// Immich answers 404 whatever keeps a file from being sent.
pub(super) fn any_is_missing(problem: Problem) -> Problem {
    if problem.status().is_client_error() { missing() } else { problem }
}

pub(super) fn missing() -> Problem {
    Problem::not_found("Not Found")
}

/// The file as it was uploaded, under its own name, with the time its maker gave it.
pub(super) async fn original(
    api: &Api,
    files: &AssetFiles,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let served = Served {
        key: &files.original_key,
        mime: mime(&files.file_name),
        file_name: &files.file_name,
        modified: Some(files.modified),
        is_bare: false,
    };
    serve(&api.blobs, served, headers).await?.ok_or_else(missing)
}
