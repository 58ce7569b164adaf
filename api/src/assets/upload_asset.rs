//! `POST /assets`: takes in a file.
//!
//! Who may, and what is known to be refused, is decided before the body is read. The file is durable
//! before it becomes an event, and once the whole body is here a client that hangs up stops nothing.
//! Processing is not waited for.

use axum::Json;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use calotype_domain::access::Grant;
use calotype_domain::permission::Permission;
use calotype_projections::ProjectionError;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::sha1_of_checksum;
use super::pressure;
use super::receive::{self, Received};
use super::reserve::reserve_bytes;
use super::wish::{Answer, Wish, owned};
use crate::access::require_asset;
use crate::caller::Caller;
use crate::integrity::heal;
use crate::links;
use crate::problem::Problem;
use crate::state::Api;

/// What of a body is boundaries and fields, when its length is held against a quota.
const FORM_BYTES_MAX: u64 = 64 * 1024;

/// The form of an upload.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a form that is read part by part")]
pub(crate) struct AssetMediaCreateDto {
    #[schema(format = Binary)]
    asset_data: String,
    #[schema(format = Binary)]
    sidecar_data: Option<String>,
    duration: Option<i64>,
    #[schema(format = DateTime)]
    file_created_at: String,
    #[schema(format = DateTime)]
    file_modified_at: String,
    filename: Option<String>,
    is_favorite: Option<bool>,
    live_photo_video_id: Option<Uuid>,
    metadata: Option<String>,
    visibility: Option<String>,
}

/// What became of an upload.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssetMediaResponseDto {
    id: Uuid,
    status: &'static str,
}

/// The same in the order in which Immich writes it for a duplicate.
#[derive(Serialize)]
struct Duplicate {
    status: &'static str,
    id: Uuid,
}

fn response(answer: Answer) -> Response {
    match answer {
        Answer::Created(id) => {
            let body = AssetMediaResponseDto { id, status: "created" };
            (StatusCode::CREATED, Json(body)).into_response()
        }
        Answer::Duplicate(id) => Json(Duplicate { status: "duplicate", id }).into_response(),
    }
}

/// Takes in a photo or film.
#[utoipa::path(
    post, path = "/assets", tag = "Assets", operation_id = "uploadAsset",
    request_body(content = AssetMediaCreateDto, content_type = "multipart/form-data"),
    params(
        ("x-immich-checksum" = Option<String>, Header, description = "SHA-1 in hex or base64"),
        ("key" = Option<String>, Query), ("slug" = Option<String>, Query)
    ),
    responses(
        (status = 201, body = AssetMediaResponseDto, description = "It is new"),
        (status = 200, body = AssetMediaResponseDto, description = "The owner has these bytes already"),
    )
)]
pub(crate) async fn upload_asset(
    State(api): State<Api>,
    caller: Caller,
    mut request: Request,
) -> Result<Response, Problem> {
    let waits_for_go = request.headers().contains_key(header::EXPECT);
    let keep_reading = |body: Body| {
        // A client that waits for `100 Continue` has sent nothing and hears the answer first.
        if !waits_for_go {
            api.uploads.drain(body);
        }
    };
    let before = match before_reading(&api, &caller, request.headers()).await {
        Ok(before) => before,
        Err(problem) => {
            keep_reading(request.into_body());
            return Err(problem);
        }
    };
    let room_bytes = match before {
        Before::Known(answer) => {
            keep_reading(request.into_body());
            return Ok(response(answer));
        }
        Before::Read { room_bytes } => room_bytes,
    };
    let turn = api.uploads.turn().await?;
    // The size is held against limits of its own while it is read.
    DefaultBodyLimit::disable().apply(&mut request);
    let mut parts = Multipart::from_request(request, &api)
        .await
        .map_err(|_| Problem::bad_request("File is required"))?;
    let received = match receive::receive(&api, &mut parts, room_bytes).await {
        Ok(received) => received,
        Err(problem) => {
            api.uploads.drain_parts(parts);
            return Err(problem);
        }
    };
    let Received { original, part_name, sidecar, fields } = received;
    let size_bytes = original.as_ref().map(|original| original.size_bytes);
    let wish = Wish::check(&api, &caller, fields, part_name, size_bytes).await?;
    let original = original.ok_or_else(|| Problem::bad_request("File is required"))?;
    let context = caller.context();
    let owner = (caller.user_id(), caller.user().quota_size_bytes);
    let uploads = api.uploads.clone();
    let link = caller.link().cloned();
    let answer = uploads
        .to_the_end(async move {
            let answer = wish.keep(&api, &context, owner, (original, sidecar)).await?;
            if let Some(link) = link {
                links::take_upload(&api, &context, &link, answer.asset_id()).await?;
            }
            Ok::<Answer, Problem>(answer)
        })
        .await??;
    drop(turn);
    Ok(response(answer))
}

enum Before {
    Known(Answer),
    Read { room_bytes: Option<u64> },
}

/// Everything that can be said without the body: permission, the checksum header, quota, free space.
async fn before_reading(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<Before, Problem> {
    caller.require_shared(Permission::AssetUpload)?;
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // A visitor of a link hears nothing about the owner's files from a checksum alone.
    if caller.link().is_none()
        && let Some(sha1) = text("x-immich-checksum").and_then(sha1_of_checksum)
        && let Some(asset_id) = owned(api, caller.user_id(), sha1).await?
        && !heal::is_wanted(api, asset_id).await?
    {
        return Ok(Before::Known(Answer::Duplicate(asset_id)));
    }
    let length_bytes: u64 =
        text("content-length").and_then(|text| text.parse().ok()).unwrap_or_default();
    let room_bytes = room_for(api, caller, length_bytes).await?;
    Ok(Before::Read { room_bytes })
}

/// What uploads may still take of the disk, in bytes.
///
/// # Errors
/// When the disk does not say.
pub(crate) async fn disk_room(api: &Api) -> Result<u64, Problem> {
    let space = api.blobs.space().await.map_err(|error| Problem::internal(&error))?;
    let wanted = api.config.min_free_bytes;
    let reserve_bytes = wanted.unwrap_or_else(|| reserve_bytes(space.total_bytes));
    Ok(space.available_bytes.saturating_sub(reserve_bytes))
}

/// What the quota leaves for a body of so many bytes, where there is a quota.
///
/// # Errors
/// 400 where the quota leaves less, 507 where the disk does, 503 while the read models are far behind.
pub(crate) async fn room_for(
    api: &Api,
    caller: &Caller,
    length_bytes: u64,
) -> Result<Option<u64>, Problem> {
    pressure::require_calm(api).await?;
    // What is left must be more than nothing, also for a body whose length nobody told.
    if disk_room(api).await? < length_bytes.max(1) {
        return Err(receive::no_space());
    }
    let Some(quota) = caller.user().quota_size_bytes else {
        return Ok(None);
    };
    let used = api.queries.usage_bytes(caller.user_id().uuid()).await?;
    // Files of batches have been sent, and are nobody's assets until they are committed.
    let waiting = api.incoming.uncommitted_bytes(caller.user_id()).await;
    let waiting = waiting.map_err(|error| Problem::from(ProjectionError::from(error)))?;
    let left = quota.saturating_sub(used).saturating_sub(waiting);
    let room_bytes = u64::try_from(left).unwrap_or_default();
    if length_bytes > room_bytes.saturating_add(FORM_BYTES_MAX) {
        return Err(quota_exceeded());
    }
    Ok(Some(room_bytes))
}

pub(crate) fn quota_exceeded() -> Problem {
    Problem::bad_request("Quota has been exceeded!")
}

/// Whether a film may belong to a still of the caller's.
///
/// # Errors
/// 400 for what is no film of theirs.
pub(super) async fn check_film(api: &Api, caller: &Caller, film: Uuid) -> Result<(), Problem> {
    let film = api
        .queries
        .asset(film)
        .await?
        .ok_or_else(|| Problem::bad_request("Live photo video not found"))?;
    if let Grant::SharedLink { link_id, .. } = caller.viewer().grant {
        // It leaves the timeline, which is for visitors to do with their own uploads only.
        let events = api.queries.history("asset", film.asset_id).await?;
        let uploaded_by = events.first().map(|event| &event.recorded.envelope.actor);
        if uploaded_by.is_none_or(|actor| actor.id != link_id.to_string()) {
            return Err(Problem::bad_request("Live photo video not found"));
        }
    }
    if film.owner_id != caller.user_id().uuid() {
        return Err(Problem::bad_request("Live photo video does not belong to the user"));
    }
    if !film.is_video {
        return Err(Problem::bad_request("Live photo video must be a video"));
    }
    if caller.link().is_some() {
        return Ok(());
    }
    // It becomes hidden, so what is locked opens: that takes what changing it takes.
    require_asset(
        api,
        &caller.granted(Permission::AssetUpdate),
        Permission::AssetUpdate,
        Some(&film),
    )
    .await
}
