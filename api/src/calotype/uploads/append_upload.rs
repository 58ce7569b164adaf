//! `PATCH /calotype/uploads/{id}`: takes in the next piece of a file.
//!
//! What has come is durable before an answer says so, and also where none could be given: a line that breaks off
//! leaves what came over it. Of a piece with a digest all counts or nothing.

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use calotype_commands::incoming::UploadRow;
use calotype_media::blob::Incoming;
use uuid::Uuid;

use super::finish::finish;
use super::tus::{Checksum, Spoken};
use super::{KEPT_FOR, bytes, database, forget, gone, in_hand, of_caller, own, tus};
use crate::assets::pace::Pace;
use crate::assets::receive;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// What a killed server loses at most of a piece without a digest, in bytes.
const SYNC_EVERY_BYTES: u64 = 16 << 20;

/// Takes in the next piece of a file. The last one makes it an asset, or a file of its batch.
#[utoipa::path(
    patch, path = "/calotype/uploads/{id}", tag = "Calotype", operation_id = "appendUpload",
    params(
        ("id" = Uuid, Path),
        ("tus-resumable" = String, Header, description = "1.0.0"),
        ("upload-offset" = u64, Header, description = "Bytes that came before"),
        ("upload-checksum" = Option<String>, Header, description = "sha1 or sha256, a space, and the digest of the body in base64")
    ),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses(
        (status = 204, description = "It is durable; Upload-Offset says how much is there"),
        (status = 409, description = "Another offset"),
        (status = 423, description = "Another request is working on it"),
        (status = 460, description = "Another digest")
    )
)]
pub(super) async fn append_upload(
    State(api): State<Api>,
    caller: Caller,
    _: Spoken,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    append(&api, &caller, &id, request).await
}

/// The same, whatever the method was called.
pub(super) async fn append(
    api: &Api,
    caller: &Caller,
    id: &str,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let before = async {
        let row = own(api, caller, id).await?;
        if !tus::is_piece(&parts.headers) {
            return Err(tus::no_piece());
        }
        let offset = tus::number(&parts.headers, &tus::OFFSET)?
            .ok_or_else(|| Problem::bad_request("Upload-Offset is required"))?;
        require_at(&row, offset)?;
        let told_bytes = tus::number(&parts.headers, &header::CONTENT_LENGTH)?.unwrap_or_default();
        if offset.saturating_add(told_bytes) > bytes(row.length_bytes) {
            return Err(too_much());
        }
        let checksum = tus::checksum(&parts.headers)?;
        Ok((Piece::new(api, caller, row.upload_id, offset, checksum), row))
    };
    let (piece, row) = match before.await {
        Ok(before) => before,
        Err(problem) => {
            if !parts.headers.contains_key(header::EXPECT) {
                api.uploads.drain(body);
            }
            return Err(problem);
        }
    };
    // An empty piece behind the end of what is done says nothing new.
    let row = if row.finished_at.is_some() { row } else { piece.take(body).await? };
    Ok(tus::told(StatusCode::NO_CONTENT, &row))
}

/// A piece that is about to come.
pub(super) struct Piece {
    api: Api,
    caller: Caller,
    upload_id: Uuid,
    offset: u64,
    checksum: Option<Checksum>,
}

impl Piece {
    pub(super) fn new(
        api: &Api,
        caller: &Caller,
        upload_id: Uuid,
        offset: u64,
        checksum: Option<Checksum>,
    ) -> Self {
        Self { api: api.clone(), caller: caller.clone(), upload_id, offset, checksum }
    }

    /// Takes it in, also when the client hangs up on the way.
    ///
    /// # Errors
    /// 408 for a client that is too slow, 409 for another offset, 413 for more than was said, 423 while another
    /// request is at it, 460 for another digest, 500, 503 and 507 when it cannot be kept; and why the whole file
    /// cannot be taken in.
    pub(super) async fn take(self, body: Body) -> Result<UploadRow, Problem> {
        let uploads = self.api.uploads.clone();
        let turn = uploads.turn().await?;
        let taken = uploads.to_the_end(async move { Box::pin(self.run(body)).await }).await?;
        drop(turn);
        taken
    }

    async fn run(mut self, body: Body) -> Result<UploadRow, Problem> {
        let mut incoming = in_hand(&self.api, self.upload_id).await?;
        // Somebody may have been at it until it was in hand.
        let mut row = match of_caller(&self.api, &self.caller, self.upload_id).await {
            Ok(row) => row,
            Err(problem) => {
                incoming.remove().await.map_err(|error| receive::storage(&error))?;
                return Err(problem);
            }
        };
        require_at(&row, self.offset)?;
        if row.finished_at.is_some() {
            incoming.remove().await.map_err(|error| receive::storage(&error))?;
            return Ok(row);
        }
        let known = self.api.uploads.digests.get(&self.upload_id);
        let expected = self.checksum.take();
        let (digest, expected) = match expected {
            Some(Checksum { digest, expected }) => (Some(digest), Some(expected)),
            None => (None, None),
        };
        let is_there = incoming.go_on_from(self.offset, known, digest).await;
        if !is_there.map_err(|error| receive::storage(&error))? {
            tracing::error!(upload.id = %self.upload_id, "what had come of an upload is lost");
            forget(&self.api, self.upload_id, incoming).await?;
            return Err(gone());
        }
        let read = self.read(body, &mut row, &mut incoming, expected.is_some()).await;
        match (&read, expected) {
            // Of more than the file has nothing is known to be right.
            (Err(problem), _) if problem.status() == StatusCode::PAYLOAD_TOO_LARGE => {}
            (Err(_), Some(_)) => {}
            (Ok(()), Some(expected)) => {
                let digest = incoming.piece_digest().await;
                if digest.map_err(|error| receive::storage(&error))? != Some(expected) {
                    return Err(tus::mismatch());
                }
                self.settle(&mut row, &mut incoming).await?;
            }
            (_, None) => self.settle(&mut row, &mut incoming).await?,
        }
        read?;
        self.api.uploads.digests.insert(self.upload_id, incoming.digesting());
        if row.offset_bytes < row.length_bytes {
            return Ok(row);
        }
        finish(&self.api, &self.caller, row, incoming).await
    }

    async fn read(
        &self,
        body: Body,
        row: &mut UploadRow,
        incoming: &mut Incoming,
        is_all_or_nothing: bool,
    ) -> Result<(), Problem> {
        let (mut data, mut pace) = (body.into_data_stream(), Pace::default());
        let mut come = self.offset;
        while let Some(chunk) = pace.body_chunk(&mut data).await? {
            come = come.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            if come > bytes(row.length_bytes) {
                return Err(too_much());
            }
            incoming.write(&chunk).await.map_err(|error| receive::storage(&error))?;
            if !is_all_or_nothing && come - bytes(row.offset_bytes) >= SYNC_EVERY_BYTES {
                self.settle(row, incoming).await?;
            }
        }
        Ok(())
    }

    /// Makes durable what has come, and notes that it is.
    async fn settle(&self, row: &mut UploadRow, incoming: &mut Incoming) -> Result<(), Problem> {
        let durable = incoming.sync().await.map_err(|error| receive::storage(&error))?;
        row.offset_bytes = i64::try_from(durable).unwrap_or(i64::MAX);
        row.expires_at = self.api.commands.clock().now() + KEPT_FOR;
        let noted =
            self.api.incoming.advance(row.upload_id, row.offset_bytes, row.expires_at).await;
        noted.map_err(database)
    }
}

fn require_at(row: &UploadRow, offset: u64) -> Result<(), Problem> {
    if bytes(row.offset_bytes) == offset {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::CONFLICT,
        format!("The upload goes on at {}, not at {offset}", row.offset_bytes),
    ))
}

fn too_much() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The upload is longer than it was said to be")
}
