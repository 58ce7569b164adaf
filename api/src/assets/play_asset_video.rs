//! `GET /assets/{id}/video/playback`: the copy that every player shows, or else the original, in parts where
//! the player asks for parts.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use calotype_domain::asset::Stage;
use calotype_domain::permission::Permission;
use uuid::Uuid;

use super::again::make_again;
use super::cache::{AssetFiles, allowed_files};
use super::download_asset::{any_is_missing, bare_original, missing, original};
use crate::caller::Caller;
use crate::files::{Served, serve};
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// A film to play.
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
    // The copy says nothing about itself.
    if let Some(key) = files.encoded_key.as_deref() {
        if let Some(response) = encoded(&api, &caller, id, key, &files, &headers).await? {
            return Ok(response);
        }
        make_again(&api, id, Stage::Video, &files.original_key).await;
    }
    if !caller.shows_metadata() {
        return bare_original(&api, id, &files, &headers).await?.ok_or_else(missing);
    }
    original(&api, &files, &headers).await
}

/// The copy, under the original's name; none when its file is missing: then the original is played meanwhile.
async fn encoded(
    api: &Api,
    caller: &Caller,
    id: Uuid,
    key: &str,
    files: &AssetFiles,
    headers: &HeaderMap,
) -> Result<Option<Response>, Problem> {
    let own = files.file_name.rsplit_once('.').map_or(files.file_name.as_str(), |(stem, _)| stem);
    let stem = if caller.shows_metadata() { own.to_owned() } else { id.to_string() };
    let file_name = format!("{stem}.mp4");
    let mime = "video/mp4";
    let served = Served { key, mime, file_name: &file_name, modified: None, bare: None };
    serve(&api.blobs, served, headers).await
}
