//! `PUT /stacks/{id}`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;
use calotype_domain::stack::{StackCommand, StackError};
use calotype_domain::{AssetId, StackId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::{StackResponseDto, learn_owners, own, shown_one};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// What changes about a stack.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct StackUpdateDto {
    primary_asset_id: Option<Uuid>,
}

/// Lets another of its assets stand for a stack.
#[utoipa::path(
    put, path = "/stacks/{id}", tag = "Stacks", operation_id = "updateStack",
    params(("id" = Uuid, Path)), request_body = StackUpdateDto,
    responses((status = 200, body = StackResponseDto))
)]
pub(super) async fn update_stack(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<StackResponseDto>, Problem> {
    caller.require(Permission::StackUpdate)?;
    let id = path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    let primary = fields.uuid("primaryAssetId");
    fields.finish()?;
    learn_owners(&api, &own(&api, &caller, Permission::StackUpdate, &[id]).await?).await?;
    if let Some(asset_id) = primary {
        let by = caller.user_id();
        let command = StackCommand::ChangePrimary { by, asset_id: AssetId::new(asset_id) };
        let outcome =
            api.commands.stack(&caller.context(), StackId::new(id), &command).await.map_err(
                |error| {
                    Problem::command(error, |refusal| match refusal {
                        StackError::NotInStack(_) => {
                            Problem::bad_request("Primary asset must be in the stack")
                        }
                        _ => Problem::no_access(Permission::StackUpdate),
                    })
                },
            )?;
        api.seen(&outcome).await;
    }
    Ok(Json(shown_one(&api, &caller, Permission::StackUpdate, id).await?))
}
