//! `DELETE /calotype/uploads/{id}`: ends an upload; what it became stays.

use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::tus::Spoken;
use super::{forget, in_hand, own};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Ends an upload, and forgets what came of it. An asset that it became stays.
#[utoipa::path(
    delete, path = "/calotype/uploads/{id}", tag = "Calotype", operation_id = "removeUpload",
    params(("id" = Uuid, Path), ("tus-resumable" = String, Header, description = "1.0.0")),
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn remove_upload(
    State(api): State<Api>,
    caller: Caller,
    _: Spoken,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    remove(&api, &caller, &id).await
}

/// The same, whatever the method was called.
pub(super) async fn remove(api: &Api, caller: &Caller, id: &str) -> Result<StatusCode, Problem> {
    let row = own(api, caller, id).await?;
    let incoming = in_hand(api, row.upload_id).await?;
    forget(api, row.upload_id, incoming).await?;
    Ok(StatusCode::NO_CONTENT)
}
