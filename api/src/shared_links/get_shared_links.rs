//! `GET /shared-links` and `GET /shared-links/{id}`: the caller's own.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use calotype_domain::permission::Permission;
use calotype_projections::shared_links::SharedLinkRow;
use uuid::Uuid;

use super::dto::{SharedLinkResponseDto, listed, whole};
use crate::assets::linked::LinkedDetail;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Lists the caller's links, newest first.
#[utoipa::path(
    get, path = "/shared-links", tag = "Shared links", operation_id = "getAllSharedLinks",
    params(("albumId" = Option<Uuid>, Query), ("id" = Option<Uuid>, Query)),
    responses((status = 200, body = Vec<SharedLinkResponseDto>))
)]
pub(super) async fn get_all_shared_links(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<SharedLinkResponseDto>>, Problem> {
    caller.require(Permission::SharedLinkRead)?;
    let mut fields = Fields::query(query.as_deref());
    let (album_id, link_id) = (fields.uuid("albumId"), fields.uuid("id"));
    fields.finish()?;
    let links = api.queries.shared_links_of(caller.user_id().uuid(), album_id, link_id).await?;
    Ok(Json(listed(&api, links).await?))
}

/// One of the caller's links with all that it shows.
#[utoipa::path(
    get, path = "/shared-links/{id}", tag = "Shared links", operation_id = "getSharedLinkById",
    params(("id" = Uuid, Path)), responses((status = 200, body = SharedLinkResponseDto))
)]
pub(super) async fn get_shared_link_by_id(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<SharedLinkResponseDto>, Problem> {
    caller.require(Permission::SharedLinkRead)?;
    let link = own(&api, &caller, path_uuid("id", &id)?).await?;
    Ok(Json(whole(&api, link, LinkedDetail::WithExif).await?))
}

/// One of the caller's links; anybody else's is as good as missing.
///
/// # Errors
/// 400 in Immich's words.
pub(super) async fn own(
    api: &Api,
    caller: &Caller,
    link_id: Uuid,
) -> Result<SharedLinkRow, Problem> {
    api.queries
        .shared_link(link_id)
        .await?
        .filter(|link| link.owner_id == caller.user_id().uuid())
        .ok_or_else(|| Problem::bad_request("Shared link not found"))
}
