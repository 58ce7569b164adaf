//! `GET /assets/{id}/video/playback`: the original, in parts where the player asks for parts.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use calotype_domain::permission::Permission;

use super::cache::allowed_files;
use super::download_asset::{any_is_missing, bare_original, missing, original};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// A film to play. Films are not transcoded yet.
#[utoipa::path(
    get, path = "/assets/{id}/video/playback", tag = "Assets", operation_id = "playAssetVideo",
    params(
        ("id" = uuid::Uuid, Path), ("key" = Option<String>, Query),
        ("slug" = Option<String>, Query)
    ),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>))
)]
pub(crate) async fn play_asset_video(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require_shared(Permission::AssetView)?;
    let id = path_uuid("id", &id)?;
    let files = allowed_files(&api, &caller, Permission::AssetView, id).await;
    let files = files.map_err(any_is_missing)?;
    if !files.is_video {
        return Err(missing());
    }
    if !caller.shows_metadata() {
        return bare_original(&api, id, &files, &headers).await?.ok_or_else(missing);
    }
    original(&api, &files, &headers).await
}
