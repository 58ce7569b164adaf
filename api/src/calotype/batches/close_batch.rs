//! `POST /calotype/batches/{id}/close`: lets a batch take nothing more.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::BatchId;
use calotype_domain::permission::Permission;

use super::dto::BatchResponseDto;
use super::get_batches::shown;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Lets a batch take nothing more.
#[utoipa::path(
    post, path = "/calotype/batches/{id}/close", tag = "Calotype", operation_id = "closeBatch",
    params(("id" = Uuid, Path)), responses((status = 200, body = BatchResponseDto))
)]
pub(super) async fn close_batch(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<BatchResponseDto>, Problem> {
    caller.require(Permission::AssetUpload)?;
    let id = path_uuid("id", &id)?;
    let (context, by) = (caller.context(), caller.user_id());
    let outcome = api.commands.close_batch(&context, by, BatchId::new(id)).await?;
    api.made(&outcome).await?;
    shown(&api, &caller, id).await.map(Json)
}
