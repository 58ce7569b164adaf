//! `POST /tags`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::TagId;
use calotype_domain::permission::Permission;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::{TagResponseDto, color, own_one};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// A new tag.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct TagCreateDto {
    color: Option<String>,
    name: String,
    parent_id: Option<Uuid>,
}

/// Makes a tag, under another one or at the top.
#[utoipa::path(
    post, path = "/tags", tag = "Tags", operation_id = "createTag",
    request_body = TagCreateDto, responses((status = 201, body = TagResponseDto))
)]
pub(super) async fn create_tag(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<TagResponseDto>), Problem> {
    caller.require(Permission::TagCreate)?;
    let mut fields = Fields::json(&body)?;
    let name = fields.required_string("name");
    if name.contains('/') {
        fields.issue(json!({
            "code": "custom", "path": ["name"],
            "message": "Tag name cannot contain slash characters (\"/\")"
        }));
    }
    let parent_id = if fields.is_null("parentId") { None } else { fields.uuid("parentId") };
    let color = color(&mut fields).flatten();
    fields.finish()?;
    if let Some(parent_id) = parent_id {
        own_one(&api, &caller, Permission::TagRead, parent_id).await?;
    }
    let parent_id = parent_id.map(TagId::new);
    let (tag_id, outcome) = api
        .commands
        .create_tag(&caller.keyed_context("createTag")?, caller.user_id(), parent_id, &name, color)
        .await?;
    api.made(&outcome).await?;
    let tag = own_one(&api, &caller, Permission::TagRead, tag_id.uuid()).await?;
    Ok((StatusCode::CREATED, Json(tag.into())))
}
