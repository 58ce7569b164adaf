//! `GET /asset-files/{id}/download`, of release 3.2.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use calotype_domain::asset::DerivedFile;
use calotype_domain::permission::Permission;

use super::of_asset::allowed_file;
use crate::assets::written_as;
use crate::caller::Caller;
use crate::files::{Served, serve};
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// The bytes of a file beside an original, under the original's name.
#[utoipa::path(
    get, path = "/asset-files/{id}/download", tag = "Asset files",
    operation_id = "downloadAssetFile", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>))
)]
pub(super) async fn download_asset_file(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require(Permission::AssetDownload)?;
    let id = path_uuid("id", &id)?;
    let (file, row) = allowed_file(&api, &caller, Permission::AssetDownload, id).await?;
    let (ending, mime) = match file.file {
        DerivedFile::FullSize | DerivedFile::Preview | DerivedFile::Thumbnail => {
            written_as(&file.key)
        }
        DerivedFile::Sidecar => ("xmp", "application/rdf+xml"),
        DerivedFile::EncodedVideo => ("mp4", "video/mp4"),
    };
    let stem = row.file_name.rsplit_once('.').map_or(row.file_name.as_str(), |(stem, _)| stem);
    let file_name = format!("{stem}_{}.{ending}", file.kind());
    let served = Served { key: &file.key, mime, file_name: &file_name, modified: None, bare: None };
    let missing = || Problem::not_found("Asset file not found");
    serve(&api.blobs, served, &headers).await?.ok_or_else(missing)
}
