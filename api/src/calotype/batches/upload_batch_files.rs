//! `PUT /calotype/batches/{id}/files`: takes in many small files at once, and waits for the disk once for all of them.
//!
//! The body is one file after the other: a line of JSON that names it, and then its bytes.

use axum::Json;
use axum::body::{BodyDataStream, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use bytes::{Buf as _, BytesMut};
use calotype_commands::batches::asset_id_in;
use calotype_domain::BatchId;
use calotype_domain::permission::Permission;
use calotype_media::blob::{BlobKey, StagedBlob};
use calotype_projections::ProjectionError;
use serde::Serialize;
use utoipa::ToSchema;

use super::arriving::require_open;
use super::wish::{FileName, file_name, too_many};
use crate::assets::dto::hex;
use crate::assets::pace::Pace;
use crate::assets::receive;
use crate::assets::upload_asset::{quota_exceeded, room_for};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Files of one request.
const FILES_MAX: usize = 100;
/// Bytes of one request.
const BODY_BYTES_MAX: u64 = 64 << 20;
/// Bytes of a line that names a file.
const LINE_BYTES_MAX: usize = 1_024;

/// A file that came.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UploadedFileDto {
    sha1: String,
    /// `uploaded`: it is stored, and can be committed; `refused`: its bytes have other digests.
    status: &'static str,
}

/// The files that came, in their order.
#[derive(Serialize, ToSchema)]
pub(super) struct UploadBatchFilesResponseDto {
    files: Vec<UploadedFileDto>,
}

/// Takes in many small files.
#[utoipa::path(
    put, path = "/calotype/batches/{id}/files", tag = "Calotype", operation_id = "uploadBatchFiles",
    params(("id" = Uuid, Path)),
    request_body(
        content = Vec<u8>, content_type = "application/octet-stream",
        description = "At most 100 files and 64 MiB, one after the other: a line of JSON with `sha1`, `blake3`, \
                       `extension` and `sizeBytes`, which ends with a line feed, and then so many bytes"
    ),
    responses((status = 200, body = UploadBatchFilesResponseDto))
)]
pub(super) async fn upload_batch_files(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<UploadBatchFilesResponseDto>, Problem> {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length_bytes = length.and_then(|it| it.to_str().ok()?.parse().ok()).unwrap_or_default();
    let before = match caller.require(Permission::AssetUpload) {
        Ok(()) => before_reading(&api, &caller, &id, length_bytes).await,
        Err(problem) => Err(problem),
    };
    let (batch_id, room_bytes) = match before {
        Ok(before) => before,
        Err(problem) => {
            if !request.headers().contains_key(header::EXPECT) {
                api.uploads.drain(request.into_body());
            }
            return Err(problem);
        }
    };
    let turn = (api.uploads.turn_of_pack().await?, api.commands.importing().begin());
    let (mut pack, mut told, mut staged) =
        (Pack::new(request, room_bytes), Vec::new(), Vec::<(StagedBlob, BlobKey)>::new());
    let mut sizes = Vec::new();
    while let Some((file, size_bytes)) = pack.next_file().await? {
        if told.len() == FILES_MAX {
            return Err(too_many(FILES_MAX));
        }
        let blob = pack.store(&api, size_bytes).await?;
        let blake3 = hex(&blob.blake3);
        let is_right =
            hex(&blob.sha1) == file.sha1 && file.blake3.as_ref().is_none_or(|said| *said == blake3);
        if is_right {
            let asset_id = asset_id_in(batch_id, &file.sha1, &blake3);
            let owner_id = caller.user_id().uuid();
            let key = BlobKey::original(owner_id, asset_id.uuid(), file.extension);
            if room_bytes.is_some() {
                let size_bytes = i64::try_from(blob.size_bytes).unwrap_or(i64::MAX);
                sizes.push((key.as_str().to_owned(), size_bytes));
            }
            staged.push((blob, key));
        }
        let status = if is_right { "uploaded" } else { "refused" };
        told.push(UploadedFileDto { sha1: file.sha1, status });
    }
    let blobs = api.blobs.clone();
    let placed = api.uploads.to_the_end(async move { blobs.commit_together(staged).await }).await?;
    drop(turn);
    placed.map_err(|error| receive::storage(&error))?;
    let now = caller.context().now;
    let noted = api.incoming.arrived(batch_id, caller.user_id(), &sizes, now).await;
    noted.map_err(|error| Problem::from(ProjectionError::from(error)))?;
    Ok(Json(UploadBatchFilesResponseDto { files: told }))
}

async fn before_reading(
    api: &Api,
    caller: &Caller,
    id: &str,
    length_bytes: u64,
) -> Result<(BatchId, Option<u64>), Problem> {
    let batch_id = BatchId::new(path_uuid("id", id)?);
    require_open(api, caller, batch_id).await?;
    if length_bytes > BODY_BYTES_MAX {
        return Err(too_large());
    }
    Ok((batch_id, room_for(api, caller, length_bytes).await?))
}

/// The body, as far as it was read.
struct Pack {
    body: BodyDataStream,
    pace: Pace,
    /// What came and belongs to no file yet.
    rest: Bytes,
    came_bytes: u64,
    room_bytes: Option<u64>,
}

impl Pack {
    fn new(request: Request, room_bytes: Option<u64>) -> Self {
        let body = request.into_body().into_data_stream();
        Self { body, pace: Pace::default(), rest: Bytes::new(), came_bytes: 0, room_bytes }
    }

    /// Whether there is more, which is in `rest` then.
    async fn more(&mut self) -> Result<bool, Problem> {
        while self.rest.is_empty() {
            let Some(chunk) = self.pace.body_chunk(&mut self.body).await? else { return Ok(false) };
            self.came_bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            if self.came_bytes > BODY_BYTES_MAX {
                return Err(too_large());
            }
            if self.room_bytes.is_some_and(|room| self.came_bytes > room) {
                return Err(quota_exceeded());
            }
            self.rest = chunk;
        }
        Ok(true)
    }

    /// Reads the line that names the next file; nothing at the end.
    async fn next_file(&mut self) -> Result<Option<(FileName, u64)>, Problem> {
        let mut line = BytesMut::new();
        while self.more().await? {
            let end = self.rest.iter().position(|byte| *byte == b'\n');
            line.extend_from_slice(&self.rest.split_to(end.unwrap_or(self.rest.len())));
            if line.len() > LINE_BYTES_MAX {
                return Err(Problem::bad_request("The line that names a file is too long"));
            }
            if end.is_some() {
                self.rest.advance(1);
                let mut fields = Fields::json(&line.freeze())?;
                let file = file_name(&mut fields);
                drop(fields.required_string("blake3"));
                let most = i64::try_from(BODY_BYTES_MAX).unwrap_or(i64::MAX);
                let size_bytes = fields.integer("sizeBytes", 1, most);
                if size_bytes.is_none() {
                    fields.missing("number", "sizeBytes");
                }
                fields.finish()?;
                return Ok(Some((
                    file,
                    u64::try_from(size_bytes.unwrap_or_default()).unwrap_or_default(),
                )));
            }
        }
        if line.is_empty() { Ok(None) } else { Err(broke_off()) }
    }

    /// Writes the bytes of a file where they are not visible yet.
    async fn store(&mut self, api: &Api, size_bytes: u64) -> Result<StagedBlob, Problem> {
        let storage = |error| receive::storage(&error);
        let (mut writer, mut left) = (api.blobs.begin().await.map_err(storage)?, size_bytes);
        while left > 0 {
            if !self.more().await? {
                return Err(broke_off());
            }
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(self.rest.len());
            writer.write(&self.rest.split_to(length)).await.map_err(storage)?;
            left -= u64::try_from(length).unwrap_or_default();
        }
        writer.finish().await.map_err(storage)
    }
}

fn broke_off() -> Problem {
    Problem::bad_request("The body broke off")
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "Too many bytes for one request")
}
