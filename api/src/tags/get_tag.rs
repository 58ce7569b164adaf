//! `GET /tags` and `GET /tags/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;

use super::dto::{TagResponseDto, own_one};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// The caller's tags, by path.
#[utoipa::path(
    get, path = "/tags", tag = "Tags", operation_id = "getAllTags",
    responses((status = 200, body = Vec<TagResponseDto>))
)]
pub(super) async fn get_all_tags(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<TagResponseDto>>, Problem> {
    caller.require(Permission::TagRead)?;
    let tags = api.queries.tags_of(caller.user_id().uuid()).await?;
    Ok(Json(tags.into_iter().map(Into::into).collect()))
}

/// One tag.
#[utoipa::path(
    get, path = "/tags/{id}", tag = "Tags", operation_id = "getTagById",
    params(("id" = Uuid, Path)), responses((status = 200, body = TagResponseDto))
)]
pub(super) async fn get_tag_by_id(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<TagResponseDto>, Problem> {
    caller.require(Permission::TagRead)?;
    let tag = own_one(&api, &caller, Permission::TagRead, path_uuid("id", &id)?).await?;
    Ok(Json(tag.into()))
}
