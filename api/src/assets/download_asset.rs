//! `GET /assets/{id}/original`.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use calotype_domain::permission::Permission;

use super::cache::{AssetFiles, allowed_files};
use super::dto::mime;
use crate::caller::Caller;
use crate::files::{Served, serve};
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// The uploaded file.
#[utoipa::path(
    get, path = "/assets/{id}/original", tag = "Assets", operation_id = "downloadAsset",
    params(("id" = uuid::Uuid, Path), ("edited" = Option<bool>, Query)),
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
    original(&api, &*files.map_err(any_is_missing)?, &headers).await
}

/// Immich answers 404 whatever keeps a file from being sent.
pub(super) fn any_is_missing(problem: Problem) -> Problem {
    if problem.status().is_client_error() { missing() } else { problem }
}

fn missing() -> Problem {
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
    };
    serve(&api.blobs, served, headers).await?.ok_or_else(missing)
}
