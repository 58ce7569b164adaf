//! `PUT /tags/{id}`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::TagId;
use calotype_domain::permission::Permission;
use utoipa::ToSchema;

use super::dto::{TagResponseDto, color, own_one};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// What changes about a tag.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct TagUpdateDto {
    color: Option<String>,
}

/// Shows one of the caller's tags in another colour.
#[utoipa::path(
    put, path = "/tags/{id}", tag = "Tags", operation_id = "updateTag",
    params(("id" = Uuid, Path)), request_body = TagUpdateDto,
    responses((status = 200, body = TagResponseDto))
)]
pub(super) async fn update_tag(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<TagResponseDto>, Problem> {
    caller.require(Permission::TagUpdate)?;
    let id = path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    let color = color(&mut fields);
    fields.finish()?;
    own_one(&api, &caller, Permission::TagUpdate, id).await?;
    if let Some(color) = color {
        let context = caller.context();
        let by = caller.user_id();
        let outcome = api.commands.change_tag_color(&context, by, TagId::new(id), color).await?;
        api.seen(&outcome).await;
    }
    Ok(Json(own_one(&api, &caller, Permission::TagUpdate, id).await?.into()))
}
