//! `HEAD` and `GET /calotype/uploads/{id}`: how much of a file has come, and what became of it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use calotype_commands::incoming::UploadRow;

use super::dto::UploadResponseDto;
use super::finish::finish;
use super::tus::Spoken;
use super::{bytes, gone, in_hand, of_caller, own, tus};
use crate::assets::receive;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Says in headers how much of a file has come.
#[utoipa::path(
    head, path = "/calotype/uploads/{id}", tag = "Calotype", operation_id = "headUpload",
    params(("id" = Uuid, Path), ("tus-resumable" = String, Header, description = "1.0.0")),
    responses((status = 200, description = "Upload-Offset says how much is there"))
)]
pub(super) async fn head_upload(
    State(api): State<Api>,
    caller: Caller,
    _: Spoken,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    head(&api, &caller, &id).await
}

/// The same, whatever the method was called.
pub(super) async fn head(api: &Api, caller: &Caller, id: &str) -> Result<Response, Problem> {
    let row = settled(api, caller, id).await?;
    let mut response = tus::told(StatusCode::OK, &row);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(tus::LENGTH, row.length_bytes.into());
    if !row.metadata.is_empty()
        && let Ok(metadata) = HeaderValue::from_str(&row.metadata)
    {
        headers.insert(tus::METADATA, metadata);
    }
    Ok(response)
}

/// Says how much of a file has come, and what became of it.
#[utoipa::path(
    get, path = "/calotype/uploads/{id}", tag = "Calotype", operation_id = "getUpload",
    params(("id" = Uuid, Path)), responses((status = 200, body = UploadResponseDto))
)]
pub(super) async fn get_upload(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<UploadResponseDto>, Problem> {
    Ok(Json(settled(&api, &caller, &id).await?.into()))
}

/// An upload. Where everything of it has come and the server was stopped before it was done, it is done now: clients
/// believe that a file is theirs no more when all of it is there.
async fn settled(api: &Api, caller: &Caller, id: &str) -> Result<UploadRow, Problem> {
    let row = own(api, caller, id).await?;
    if row.finished_at.is_some() || row.offset_bytes < row.length_bytes {
        return Ok(row);
    }
    let (uploads, api, caller) = (api.uploads.clone(), api.clone(), caller.clone());
    uploads.to_the_end(async move { Box::pin(go_on(&api, &caller, row)).await }).await?
}

async fn go_on(api: &Api, caller: &Caller, row: UploadRow) -> Result<UploadRow, Problem> {
    let mut incoming = in_hand(api, row.upload_id).await?;
    let row = of_caller(api, caller, row.upload_id).await?;
    if row.finished_at.is_some() {
        incoming.remove().await.map_err(|error| receive::storage(&error))?;
        return Ok(row);
    }
    let known = api.uploads.digests.get(&row.upload_id);
    let is_there = incoming.go_on_from(bytes(row.length_bytes), known, None).await;
    if !is_there.map_err(|error| receive::storage(&error))? {
        super::forget(api, row.upload_id, incoming).await?;
        return Err(gone());
    }
    finish(api, caller, row, incoming).await
}
