//! `PUT /calotype/batches/{id}/files/{sha1}`: takes in the bytes of one file, which become an asset when they are
//! committed.
//!
//! A client that has not read the file itself, because it passes it on, does not say its BLAKE3, and is told it.
//!
//! The file lies durably under the key that its asset will have when this answers. That key is made of the batch and
//! of the file's digests: the same file sent again is the same file.

use axum::Json;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use calotype_domain::permission::Permission;
use calotype_media::blob::StagedBlob;
use serde::Serialize;
use utoipa::ToSchema;

use super::arriving::Arriving;
use crate::assets::pace::Pace;
use crate::assets::receive::{self, UPLOAD_BYTES_MAX};
use crate::assets::upload_asset::{quota_exceeded, room_for};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// A file that was stored.
#[derive(Serialize, ToSchema)]
pub(super) struct UploadedBatchFileDto {
    /// BLAKE3 of the body in hex.
    blake3: String,
}

/// Takes in the bytes of one file.
#[utoipa::path(
    put, path = "/calotype/batches/{id}/files/{sha1}", tag = "Calotype", operation_id = "uploadBatchFile",
    params(
        ("id" = Uuid, Path),
        ("sha1" = String, Path, description = "SHA-1 of the body in hex"),
        ("blake3" = Option<String>, Query, description = "BLAKE3 of the body in hex, where the client knows it"),
        ("extension" = String, Query, description = "The extension of the file's name, without a dot"),
        ("mends" = Option<bool>, Query,
         description = "For a file that is told as damaged: the bytes take the place of those that are lost")
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, body = UploadedBatchFileDto, description = "The same, where the client did not say its BLAKE3"),
        (status = 204, description = "It is stored, and can be committed")
    )
)]
pub(super) async fn upload_batch_file(
    State(api): State<Api>,
    caller: Caller,
    Path((id, sha1)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Problem> {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length_bytes = length.and_then(|it| it.to_str().ok()?.parse().ok()).unwrap_or_default();
    let before = match caller.require(Permission::AssetUpload) {
        Ok(()) => before_reading(&api, &caller, &id, &sha1, query.as_deref(), length_bytes).await,
        Err(problem) => Err(problem),
    };
    let (arriving, room_bytes) = match before {
        Ok(before) => before,
        Err(problem) => {
            // A client that waits for `100 Continue` has sent nothing and hears the answer first.
            if !request.headers().contains_key(header::EXPECT) {
                api.uploads.drain(request.into_body());
            }
            return Err(problem);
        }
    };
    let turn = api.uploads.turn().await?;
    let staged = store(&api, request, room_bytes).await?;
    let (uploads, context) = (api.uploads.clone(), caller.context());
    let is_named = arriving.has_blake3();
    let kept = uploads.to_the_end(async move { arriving.keep(&api, &context, staged).await });
    let blake3 = kept.await??;
    drop(turn);
    Ok(if is_named {
        StatusCode::NO_CONTENT.into_response()
    } else {
        Json(UploadedBatchFileDto { blake3 }).into_response()
    })
}

async fn before_reading(
    api: &Api,
    caller: &Caller,
    id: &str,
    sha1: &str,
    query: Option<&str>,
    length_bytes: u64,
) -> Result<(Arriving, Option<u64>), Problem> {
    let batch_id = path_uuid("id", id)?;
    let arriving = Arriving::expect(api, caller, batch_id, sha1, Fields::query(query)).await?;
    if length_bytes > UPLOAD_BYTES_MAX {
        return Err(too_large());
    }
    let room_bytes = room_for(api, caller, length_bytes).await?;
    Ok((arriving, room_bytes))
}

async fn store(
    api: &Api,
    request: Request,
    room_bytes: Option<u64>,
) -> Result<StagedBlob, Problem> {
    let mut body = request.into_body().into_data_stream();
    let (mut pace, mut size_bytes) = (Pace::default(), 0_u64);
    let mut writer = api.blobs.begin().await.map_err(|error| receive::storage(&error))?;
    while let Some(chunk) = pace.body_chunk(&mut body).await? {
        size_bytes = size_bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if size_bytes > UPLOAD_BYTES_MAX {
            return Err(too_large());
        }
        if room_bytes.is_some_and(|room| size_bytes > room) {
            return Err(quota_exceeded());
        }
        writer.write(&chunk).await.map_err(|error| receive::storage(&error))?;
    }
    if size_bytes == 0 {
        return Err(Problem::bad_request("File is empty"));
    }
    writer.finish().await.map_err(|error| receive::storage(&error))
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "File too large")
}
