//! `POST /stacks`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::permission::Permission;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::{StackResponseDto, shown_one};
use crate::access::require_assets;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Fewer assets are no stack.
const ASSETS_MIN: usize = 2;

/// Which assets; the first stands for them.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct StackCreateDto {
    #[schema(min_items = 2)]
    asset_ids: Vec<Uuid>,
}

/// Stacks assets. Stacks that one of them stands for come along whole.
#[utoipa::path(
    post, path = "/stacks", tag = "Stacks", operation_id = "createStack",
    request_body = StackCreateDto, responses((status = 201, body = StackResponseDto))
)]
pub(super) async fn create_stack(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<StackResponseDto>), Problem> {
    caller.require(Permission::StackCreate)?;
    let mut fields = Fields::json(&body)?;
    let asset_ids = fields.required_uuids("assetIds");
    let asked = fields.take("assetIds").and_then(|ids| ids.as_array().map(Vec::len));
    if asked.is_some_and(|count| count < ASSETS_MIN) {
        fields.issue(json!({
            "origin": "array", "code": "too_small", "minimum": ASSETS_MIN, "inclusive": true,
            "path": ["assetIds"],
            "message": format!("Too small: expected array to have >={ASSETS_MIN} items")
        }));
    }
    fields.finish()?;
    let assets = require_assets(&api, &caller, Permission::AssetUpdate, &asset_ids).await?;
    api.caches.owners.learn(&assets);
    let (stack_id, outcome) =
        api.commands.create_stack(&caller.context(), caller.user_id(), &asset_ids).await?;
    api.made(&outcome).await?;
    let stack = shown_one(&api, &caller, Permission::StackRead, stack_id.uuid()).await?;
    Ok((StatusCode::CREATED, Json(stack)))
}
