//! `POST /calotype/batches`: opens a batch.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::permission::Permission;

use super::dto::BatchResponseDto;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Opens a batch. With the same `Idempotency-Key` it is the same batch again.
#[utoipa::path(
    post, path = "/calotype/batches", tag = "Calotype", operation_id = "openBatch",
    params(("idempotency-key" = Option<String>, Header, description = "A name for this wish, of the client's choice")),
    responses((status = 201, body = BatchResponseDto))
)]
pub(super) async fn open_batch(
    State(api): State<Api>,
    caller: Caller,
) -> Result<(StatusCode, Json<BatchResponseDto>), Problem> {
    caller.require(Permission::AssetUpload)?;
    let context = caller.keyed_context("openBatch")?;
    let (batch_id, outcome) = api.commands.open_batch(&context, caller.user_id()).await?;
    api.made(&outcome).await?;
    let row = api.queries.batch(batch_id.uuid()).await?;
    let row = row.ok_or_else(|| Problem::no_access(Permission::AssetUpload))?;
    Ok((StatusCode::CREATED, Json(row.into())))
}
