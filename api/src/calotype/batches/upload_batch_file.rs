//! `PUT /calotype/batches/{id}/files/{sha1}`: takes in the bytes of one file, which become an asset when they are
//! committed.
//!
//! The file lies durably under the key that its asset will have when this answers. That key is made of the batch and
//! of the file's digests: the same file sent again is the same file.

use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{StatusCode, header};
use calotype_commands::batches::asset_id_in;
use calotype_domain::BatchId;
use calotype_domain::permission::Permission;
use calotype_media::blob::{BlobError, BlobKey, StagedBlob};

use super::wish::named_file;
use crate::assets::dto::hex;
use crate::assets::pace::Pace;
use crate::assets::receive::{self, UPLOAD_BYTES_MAX};
use crate::assets::upload_asset::{quota_exceeded, room_for};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Takes in the bytes of one file.
#[utoipa::path(
    put, path = "/calotype/batches/{id}/files/{sha1}", tag = "Calotype", operation_id = "uploadBatchFile",
    params(
        ("id" = Uuid, Path),
        ("sha1" = String, Path, description = "SHA-1 of the body in hex"),
        ("blake3" = String, Query, description = "BLAKE3 of the body in hex"),
        ("extension" = String, Query, description = "The extension of the file's name, without a dot")
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204, description = "It is stored, and can be committed"))
)]
pub(super) async fn upload_batch_file(
    State(api): State<Api>,
    caller: Caller,
    Path((id, sha1)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<StatusCode, Problem> {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length_bytes = length.and_then(|it| it.to_str().ok()?.parse().ok()).unwrap_or_default();
    let before = match caller.require(Permission::AssetUpload) {
        Ok(()) => before_reading(&api, &caller, &id, &sha1, query.as_deref(), length_bytes).await,
        Err(problem) => Err(problem),
    };
    let (key, file, room_bytes) = match before {
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
    if (hex(&staged.sha1), hex(&staged.blake3)) != (file.sha1, file.blake3) {
        return Err(Problem::bad_request("The body has other digests"));
    }
    let placed = api.uploads.to_the_end(async move { staged.commit(&key).await }).await?;
    drop(turn);
    match placed {
        // Sent twice: under this key lie these bytes and no others.
        Ok(()) | Err(BlobError::Exists { .. }) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(receive::storage(&error)),
    }
}

async fn before_reading(
    api: &Api,
    caller: &Caller,
    id: &str,
    sha1: &str,
    query: Option<&str>,
    length_bytes: u64,
) -> Result<(BlobKey, super::wish::FileName, Option<u64>), Problem> {
    let batch_id = BatchId::new(path_uuid("id", id)?);
    let mut fields = Fields::query(query);
    let file = named_file(&mut fields, sha1);
    fields.finish()?;
    let by = caller.user_id();
    require_open(api, caller, batch_id).await?;
    if length_bytes > UPLOAD_BYTES_MAX {
        return Err(too_large());
    }
    let room_bytes = room_for(api, caller, length_bytes).await?;
    let asset_id = asset_id_in(batch_id, &file.sha1, &file.blake3);
    let key = BlobKey::original(by.uuid(), asset_id.uuid(), file.extension);
    Ok((key, file, room_bytes))
}

/// Whether the caller may send files of a batch.
///
/// # Errors
/// As [`Caller::require_owned`], and 400 where it takes nothing more.
pub(super) async fn require_open(
    api: &Api,
    caller: &Caller,
    batch_id: BatchId,
) -> Result<(), Problem> {
    // The read model has it in one row; the log is asked when files are committed.
    let row = api.queries.batch(batch_id.uuid()).await?;
    caller.require_owned(Permission::AssetUpload, row.as_ref().map(|row| row.owner_id))?;
    if row.is_none_or(|row| row.closed_at.is_some()) {
        return Err(Problem::bad_request("batch is closed"));
    }
    Ok(())
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
