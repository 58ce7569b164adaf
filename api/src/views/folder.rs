//! `GET /view/folder` and `GET /view/folder/unique-paths`.
//!
//! The path of an original is where it lies in the data folder, `/data/library/<user>/aa/bb/<id>.jpg`, as
//! Immich shows it without a storage template.

use axum::Json;
use axum::extract::{RawQuery, State};
use calotype_domain::permission::Permission;

use crate::assets::dto::AssetResponseDto;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// The caller's assets whose originals lie in a folder.
#[utoipa::path(
    get, path = "/view/folder", tag = "Views", operation_id = "getAssetsByOriginalPath",
    params(("path" = String, Query)), responses((status = 200, body = Vec<AssetResponseDto>))
)]
pub(super) async fn get_assets_by_original_path(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<AssetResponseDto>>, Problem> {
    caller.require(Permission::FolderRead)?;
    let mut fields = Fields::query(query.as_deref());
    let path = fields.required_string("path");
    fields.finish()?;
    let folder = path.strip_suffix('/').unwrap_or(&path);
    let assets = api.queries.assets_in_folder(caller.user_id().uuid(), folder).await?;
    Ok(Json(assets.into_iter().map(AssetResponseDto::plain).collect()))
}

/// The folders that the caller's originals lie in.
#[utoipa::path(
    get, path = "/view/folder/unique-paths", tag = "Views",
    operation_id = "getUniqueOriginalPaths",
    responses((status = 200, body = Vec<String>))
)]
pub(super) async fn get_unique_original_paths(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<String>>, Problem> {
    caller.require(Permission::FolderRead)?;
    Ok(Json(api.queries.folders_of(caller.user_id().uuid()).await?))
}
