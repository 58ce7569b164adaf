//! `DELETE /albums/{id}`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::AlbumId;
use calotype_domain::permission::Permission;

use crate::access::require_album;
use crate::caller::Caller;
use crate::links;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Deletes an album; its assets stay.
#[utoipa::path(
    delete, path = "/albums/{id}", tag = "Albums", operation_id = "deleteAlbum",
    params(("id" = Uuid, Path)), responses((status = 204))
)]
pub(crate) async fn delete_album(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::AlbumDelete)?;
    let id = path_uuid("id", &id)?;
    require_album(&api, &caller, Permission::AlbumDelete, id).await?;
    links::revoke_of_album(&api, &caller, id).await?;
    let inside = api.queries.album(id).await?.map_or(0, |album| album.asset_count);
    let inside = usize::try_from(inside).unwrap_or_default();
    let by = Some(caller.user_id());
    let outcome = api.commands.delete_album(&caller.context(), by, AlbumId::new(id)).await?;
    api.surely_seen_of(&outcome, inside).await?;
    Ok(StatusCode::NO_CONTENT)
}
