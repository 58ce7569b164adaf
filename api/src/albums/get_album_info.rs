//! `GET /albums/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;

use super::dto::AlbumResponseDto;
use crate::access::require_album;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// One album. Its assets are on the timeline, asked for by album.
#[utoipa::path(
    get, path = "/albums/{id}", tag = "Albums", operation_id = "getAlbumInfo",
    params(("id" = Uuid, Path), ("key" = Option<String>, Query), ("slug" = Option<String>, Query)),
    responses((status = 200, body = AlbumResponseDto))
)]
pub(crate) async fn get_album_info(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<AlbumResponseDto>, Problem> {
    caller.require_shared(Permission::AlbumRead)?;
    let id = path_uuid("id", &id)?;
    require_album(&api, &caller, Permission::AlbumRead, id).await?;
    Ok(Json(AlbumResponseDto::page(&api, &caller, id).await?))
}
