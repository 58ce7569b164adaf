//! `POST /calotype/uploads`: begins to send a file in pieces; the first may come with it.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use calotype_commands::incoming::{Begun, NewUpload, UploadLimits, UploadRow};
use calotype_domain::permission::Permission;

use super::append_upload::Piece;
use super::metadata::{Goal, METADATA_BYTES_MAX};
use super::tus::Spoken;
use super::{KEPT_FOR, database, of_caller, tus};
use crate::assets::receive::{UPLOAD_BYTES_MAX, no_space};
use crate::assets::upload_asset::{disk_room, room_for};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Uploads of one person that are on their way at once.
const UPLOADS_OF_OWNER_MAX: i64 = 100;
/// Their lengths together: two of the largest files.
const BYTES_OF_OWNER_MAX: u64 = 2 * UPLOAD_BYTES_MAX;
/// Uploads of everybody that are on their way at once.
const UPLOADS_MAX: i64 = 10_000;
/// When who has too many on their way is asked to come again, in seconds.
const AGAIN_AFTER_S: u32 = 30;

/// Begins to send a file in pieces. With the same `Idempotency-Key` it is the same upload, as long as it is kept.
#[utoipa::path(
    post, path = "/calotype/uploads", tag = "Calotype", operation_id = "createUpload",
    params(
        ("tus-resumable" = String, Header, description = "1.0.0"),
        ("upload-length" = u64, Header, description = "The length of the file in bytes"),
        ("upload-metadata" = Option<String>, Header,
         description = "Of an asset the fields of uploadAsset; of a file of a batch batch, sha1, blake3, extension and mends"),
        ("upload-checksum" = Option<String>, Header, description = "sha1 or sha256, a space, and the digest of the body in base64"),
        ("idempotency-key" = Option<String>, Header, description = "A name for this wish, of the client's choice")
    ),
    request_body(content = Option<Vec<u8>>, content_type = "application/offset+octet-stream"),
    responses((status = 201, description = "It is begun; Location says where further pieces go"))
)]
pub(super) async fn create_upload(
    State(api): State<Api>,
    caller: Caller,
    _: Spoken,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let begun = match caller.require(Permission::AssetUpload) {
        Ok(()) => begin(&api, &caller, &parts.headers).await,
        Err(problem) => Err(problem),
    };
    let (mut row, piece) = match begun {
        Ok(begun) => begun,
        Err(problem) => {
            if !parts.headers.contains_key(header::EXPECT) {
                api.uploads.drain(body);
            }
            return Err(problem);
        }
    };
    match piece {
        // What was begun before has its first piece.
        Some(_) if row.offset_bytes > 0 => api.uploads.drain(body),
        Some(piece) => row = piece.take(body).await?,
        None => {}
    }
    let mut response = tus::told(StatusCode::CREATED, &row);
    let place = format!("/api/calotype/uploads/{}", row.upload_id);
    let place = HeaderValue::from_str(&place).map_err(|error| Problem::internal(&error))?;
    response.headers_mut().insert(header::LOCATION, place);
    Ok(response)
}

async fn begin(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<(UploadRow, Option<Piece>), Problem> {
    if headers.contains_key(tus::DEFER_LENGTH) {
        return Err(Problem::bad_request("Upload-Defer-Length is not supported"));
    }
    let length_bytes = tus::number(headers, &tus::LENGTH)?
        .ok_or_else(|| Problem::bad_request("Upload-Length is required"))?;
    if length_bytes > UPLOAD_BYTES_MAX {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "File too large"));
    }
    let metadata = headers.get(tus::METADATA).map(HeaderValue::to_str).transpose();
    let metadata = metadata.map_err(|_| Problem::bad_request("Invalid upload-metadata"))?;
    let metadata = metadata.unwrap_or_default();
    if metadata.len() > METADATA_BYTES_MAX {
        return Err(Problem::bad_request("Upload-Metadata is too long"));
    }
    let checksum = tus::checksum(headers)?;
    let goal = Goal::check(api, caller, metadata, length_bytes).await?;
    let room_bytes = room_for(api, caller, length_bytes).await?;
    let context = caller.keyed_context("createUpload")?;
    let upload_id = api.commands.new_id(&context, "upload");
    let new = NewUpload {
        upload_id,
        owner_id: caller.user_id(),
        length_bytes: whole(length_bytes),
        metadata: metadata.to_owned(),
        begun_at: context.now,
        expires_at: context.now + KEPT_FOR,
    };
    let limits = UploadLimits {
        uploads_of_owner: UPLOADS_OF_OWNER_MAX,
        bytes_of_owner: whole(
            room_bytes.map_or(BYTES_OF_OWNER_MAX, |it| it.min(BYTES_OF_OWNER_MAX)),
        ),
        uploads: UPLOADS_MAX,
        bytes_to_come: whole(disk_room(api).await?),
    };
    match api.incoming.begin(&new, limits).await.map_err(database)? {
        Begun::Yes => {}
        Begun::TooMany => {
            return Err(Problem::too_many("Too much is on its way already", AGAIN_AFTER_S));
        }
        Begun::NoRoom => return Err(no_space()),
    }
    if let Goal::BatchFile(arriving) = &goal
        && let Some(key) = arriving.key()
    {
        let key = [key.as_str().to_owned()];
        let owner_id = caller.user_id();
        let expected =
            api.incoming.expected(arriving.batch_id(), owner_id, &key, context.now).await;
        expected.map_err(database)?;
    }
    let row = of_caller(api, caller, upload_id).await?;
    let piece = tus::is_piece(headers).then(|| Piece::new(api, caller, upload_id, 0, checksum));
    Ok((row, piece))
}

fn whole(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
