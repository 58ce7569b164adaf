//! `GET /asset-files`, of release 3.2: the files beside one original, or beside those of the caller's.

use axum::Json;
use axum::extract::{RawQuery, State};
use calotype_domain::permission::Permission;
use uuid::Uuid;

use super::of_asset::{AssetFileResponseDto, FileOf, TYPES, files_of, look_into};
use crate::access::require_asset;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Assets whose files one answer lists where no asset is named, the newest.
const ASSETS_MAX: i64 = 1_000;

/// Lists files of the caller's own assets. What is behind the PIN is listed only for an asset that is named.
#[utoipa::path(
    get, path = "/asset-files", tag = "Asset files", operation_id = "searchAssetFiles",
    params(
        ("assetId" = Option<Uuid>, Query), ("isEdited" = Option<bool>, Query),
        ("isProgressive" = Option<bool>, Query), ("isTransparent" = Option<bool>, Query),
        ("type" = Option<String>, Query)
    ),
    responses((status = 200, body = Vec<AssetFileResponseDto>))
)]
pub(super) async fn search_asset_files(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<AssetFileResponseDto>>, Problem> {
    caller.require(Permission::AssetRead)?;
    let mut fields = Fields::query(query.as_deref());
    let asset_id = fields.uuid("assetId");
    let is_edited = fields.boolean("isEdited");
    let is_progressive = fields.boolean("isProgressive");
    let is_transparent = fields.boolean("isTransparent");
    let kind = fields.option("type", &TYPES);
    fields.finish()?;
    let rows = match asset_id {
        Some(asset_id) => {
            let row = api.queries.asset(asset_id).await?;
            require_asset(&api, &caller, Permission::AssetRead, row.as_ref()).await?;
            caller.require_owned(Permission::AssetRead, row.as_ref().map(|row| row.owner_id))?;
            row.into_iter().collect()
        }
        None => api.queries.newest_assets_of(caller.user_id().uuid(), ASSETS_MAX).await?,
    };
    let ids: Vec<Uuid> = rows.iter().filter(|row| row.is_video).map(|row| row.asset_id).collect();
    let encoded = api.queries.encoded_films(&ids).await?;
    let is_wanted = |file: &FileOf| {
        is_edited.is_none_or(|wanted| wanted == file.is_edited)
            && kind.as_deref().is_none_or(|wanted| wanted == file.kind())
    };
    let mut files: Vec<FileOf> = rows
        .iter()
        .flat_map(|row| files_of(row, encoded.get(&row.asset_id).map(String::as_str)))
        .filter(is_wanted)
        .collect();
    look_into(&api, &mut files).await?;
    files.retain(|file| {
        is_progressive.is_none_or(|wanted| wanted == file.written.is_progressive)
            && is_transparent.is_none_or(|wanted| wanted == file.written.is_transparent)
    });
    Ok(Json(files.into_iter().map(AssetFileResponseDto::from).collect()))
}
