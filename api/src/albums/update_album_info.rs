//! `PATCH /albums/{id}`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::album::{AlbumChange, AlbumOrder};
use calotype_domain::permission::Permission;
use calotype_domain::{AlbumId, AssetId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::{AlbumResponseDto, text_or_null};
use crate::access::require_album;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// What changes about an album.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct UpdateAlbumDto {
    album_name: Option<String>,
    album_thumbnail_asset_id: Option<Uuid>,
    description: Option<String>,
    is_activity_enabled: Option<bool>,
    order: Option<String>,
}

fn parse(body: &Bytes) -> Result<AlbumChange, Problem> {
    let mut fields = Fields::json(body)?;
    let change = AlbumChange {
        name: fields.string("albumName"),
        cover_id: fields.uuid("albumThumbnailAssetId").map(AssetId::new),
        description: text_or_null(&mut fields, "description"),
        is_activity_enabled: fields.boolean("isActivityEnabled"),
        order: fields.option("order", &["asc", "desc"]).map(|order| match order.as_str() {
            "asc" => AlbumOrder::Asc,
            _ => AlbumOrder::Desc,
        }),
    };
    fields.finish()?;
    Ok(change)
}

/// Changes what the owner of an album may change.
#[utoipa::path(
    patch, path = "/albums/{id}", tag = "Albums", operation_id = "updateAlbumInfo",
    params(("id" = Uuid, Path)), request_body = UpdateAlbumDto,
    responses((status = 200, body = AlbumResponseDto))
)]
pub(crate) async fn update_album_info(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<AlbumResponseDto>, Problem> {
    caller.require(Permission::AlbumUpdate)?;
    let id = path_uuid("id", &id)?;
    let change = parse(&body)?;
    require_album(&api, &caller, Permission::AlbumUpdate, id).await?;
    let outcome = api
        .commands
        .change_album(&caller.context(), caller.user_id(), AlbumId::new(id), change)
        .await?;
    api.seen(&outcome).await;
    Ok(Json(AlbumResponseDto::changed(&api, &caller, id).await?))
}
