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
use calotype_commands::CommandContext;
use calotype_commands::assets::Uploaded;
use calotype_domain::access::Grant;
use calotype_domain::asset::{AssetUploaded, Blob, KeyValue, MediaKind, UploadedFile, Visibility};
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, UserId};
use calotype_media::blob::{BlobKey, StagedBlob};
use calotype_media::kind::{Family, FileType};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::{hex, sha1_of_checksum};
use super::receive::{self, Received};
use super::reserve::reserve_bytes;
use super::{VISIBILITIES, metadata, names, visibility};
use crate::access::require_asset;
use crate::caller::Caller;
use crate::integrity::heal;
use crate::links;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, wrong_type};

/// What of a body is boundaries and fields, when its length is held against a quota.
const FORM_BYTES_MAX: u64 = 64 * 1024;
/// The largest whole number that JavaScript is sure of.
const SAFE_INTEGER_MAX: i64 = 9_007_199_254_740_991;

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

enum Answer {
    Created(Uuid),
    Duplicate(Uuid),
}

impl Answer {
    const fn asset_id(&self) -> Uuid {
        match *self {
            Self::Created(id) | Self::Duplicate(id) => id,
        }
    }

    fn response(&self) -> Response {
        match *self {
            Self::Created(id) => {
                let body = AssetMediaResponseDto { id, status: "created" };
                (StatusCode::CREATED, Json(body)).into_response()
            }
            Self::Duplicate(id) => Json(Duplicate { status: "duplicate", id }).into_response(),
        }
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
            return Ok(answer.response());
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
    let wish = Wish::check(&api, &caller, received).await?;
    let (context, owner_id) = (caller.context(), caller.user_id());
    let quota_size_bytes = caller.user().quota_size_bytes;
    let uploads = api.uploads.clone();
    let link = caller.link().cloned();
    let answer = uploads
        .to_the_end(async move {
            let answer = wish.keep(&api, &context, owner_id, quota_size_bytes).await?;
            if let Some(link) = link {
                links::take_upload(&api, &context, &link, answer.asset_id()).await?;
            }
            Ok::<Answer, Problem>(answer)
        })
        .await??;
    drop(turn);
    Ok(answer.response())
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

/// What the quota leaves for a body of so many bytes, where there is a quota.
///
/// # Errors
/// 400 where the quota leaves less, 507 where the disk does.
pub(crate) async fn room_for(
    api: &Api,
    caller: &Caller,
    length_bytes: u64,
) -> Result<Option<u64>, Problem> {
    let space = api.blobs.space().await.map_err(|error| Problem::internal(&error))?;
    let wanted = api.config.min_free_bytes;
    let reserve_bytes = wanted.unwrap_or_else(|| reserve_bytes(space.total_bytes));
    if space.available_bytes < reserve_bytes.saturating_add(length_bytes) {
        return Err(receive::no_space());
    }
    let Some(quota) = caller.user().quota_size_bytes else {
        return Ok(None);
    };
    let used = api.queries.usage_bytes(caller.user_id().uuid()).await?;
    let room_bytes = u64::try_from(quota.saturating_sub(used)).unwrap_or_default();
    if length_bytes > room_bytes.saturating_add(FORM_BYTES_MAX) {
        return Err(quota_exceeded());
    }
    Ok(Some(room_bytes))
}

/// The owner's asset of these bytes. The read models may not have heard yet that it was deleted for good, and
/// then the bytes would be lost with it: the log has the last word.
async fn owned(api: &Api, owner_id: UserId, sha1: String) -> Result<Option<Uuid>, Problem> {
    let found = api.queries.assets_by_sha1(owner_id.uuid(), &[sha1]).await?;
    let asset_ids: Vec<AssetId> = found.iter().map(|(_, id, _)| AssetId::new(*id)).collect();
    if asset_ids.is_empty() {
        return Ok(None);
    }
    let kept = api.commands.kept_of(&asset_ids).await?;
    Ok(asset_ids.into_iter().find(|asset_id| kept.contains(asset_id)).map(AssetId::uuid))
}

pub(crate) fn quota_exceeded() -> Problem {
    Problem::bad_request("Quota has been exceeded!")
}

/// A checked upload, its files not yet in place.
struct Wish {
    original: StagedBlob,
    sidecar: Option<StagedBlob>,
    file_name: String,
    file_type: &'static FileType,
    file_created_at: chrono::DateTime<chrono::Utc>,
    file_modified_at: chrono::DateTime<chrono::Utc>,
    is_favorite: bool,
    visibility: Visibility,
    duration_ms: Option<u64>,
    live_photo_video_id: Option<AssetId>,
    key_values: Vec<KeyValue>,
}

impl Wish {
    async fn check(api: &Api, caller: &Caller, received: Received) -> Result<Self, Problem> {
        let mut fields = Fields::form(received.fields);
        let duration = fields.integer("duration", 0, SAFE_INTEGER_MAX);
        let created = fields.required_datetime("fileCreatedAt");
        let modified = fields.required_datetime("fileModifiedAt");
        let told_name = fields.string("filename").filter(|name| !name.is_empty());
        let is_favorite = fields.boolean("isFavorite").unwrap_or_default();
        let film = fields.uuid("livePhotoVideoId");
        let key_values = key_values(&mut fields);
        let place = fields.option("visibility", VISIBILITIES);
        fields.finish()?;
        let (Some(created), Some(modified)) = (created, modified) else {
            return Err(Problem::bad_request("Validation failed"));
        };
        let original = received.original.ok_or_else(|| Problem::bad_request("File is required"))?;
        if original.size_bytes == 0 {
            return Err(Problem::bad_request("File is empty"));
        }
        let told_name = told_name.map(|name| names::clean(&name));
        let file_name = told_name.filter(|name| !name.is_empty()).unwrap_or(received.part_name);
        let file_type = names::file_type(&file_name)
            .filter(|it| it.family != Family::Sidecar)
            .ok_or_else(|| Problem::bad_request(format!("Unsupported file type {file_name}")))?;
        let is_visitor = caller.link().is_some();
        // Where an asset shows and what its owner likes is not for visitors to say.
        let place = place.filter(|_| !is_visitor);
        let visibility = place.as_deref().map(visibility).transpose()?.unwrap_or_default();
        if let Some(film) = film {
            check_film(api, caller, film).await?;
        }
        Ok(Self {
            original,
            sidecar: received.sidecar,
            file_name,
            file_type,
            file_created_at: created.to_utc(),
            file_modified_at: modified.to_utc(),
            is_favorite: is_favorite && !is_visitor,
            visibility,
            duration_ms: duration.and_then(|duration| u64::try_from(duration).ok()),
            live_photo_video_id: film.map(AssetId::new),
            // A visitor's program has nothing to keep with what is somebody else's.
            key_values: if is_visitor { Vec::new() } else { key_values },
        })
    }

    /// Puts the files in place and records the upload; takes the files away again when it was not recorded.
    async fn keep(
        self,
        api: &Api,
        context: &CommandContext,
        owner_id: UserId,
        quota_size_bytes: Option<i64>,
    ) -> Result<Answer, Problem> {
        let sha1 = hex(&self.original.sha1);
        if let Some(asset_id) = owned(api, owner_id, sha1).await? {
            heal::heal(api, context, owner_id, asset_id, self.original).await?;
            return Ok(Answer::Duplicate(asset_id));
        }
        // Uploads of one account that end at the same instant are counted one after the other.
        let mut alone = None;
        if let Some(quota) = quota_size_bytes {
            alone = Some(api.queries.alone_with(owner_id.uuid()).await?);
            let used = api.queries.usage_bytes(owner_id.uuid()).await?;
            let size = i64::try_from(self.original.size_bytes).unwrap_or(i64::MAX);
            if used.saturating_add(size) > quota {
                return Err(quota_exceeded());
            }
        }
        let asset_id = api.commands.ids().v4();
        let key = BlobKey::original(owner_id.uuid(), asset_id, self.file_type.extension);
        let sidecar_key = key.sidecar();
        let original = described(&self.original, &key);
        let sidecar = self.sidecar.as_ref().map(|staged| described(staged, &sidecar_key));
        let kind = match self.file_type.family {
            Family::Video => MediaKind::Video,
            Family::Image | Family::Sidecar => MediaKind::Image,
        };
        let uploaded = AssetUploaded {
            owner_id,
            kind,
            original,
            sidecar,
            file: UploadedFile { original_file_name: self.file_name }.into(),
            file_created_at: self.file_created_at,
            file_modified_at: self.file_modified_at,
            is_favorite: self.is_favorite,
            visibility: self.visibility,
            duration_ms: self.duration_ms,
            live_photo_video_id: self.live_photo_video_id,
        };
        let placed = place(self.original, &key, self.sidecar, &sidecar_key).await;
        if let Err(problem) = placed {
            clear(api, &[&key, &sidecar_key]).await;
            return Err(problem);
        }
        let kept = api
            .commands
            .upload_asset(context, AssetId::new(asset_id), uploaded, self.key_values)
            .await;
        match kept {
            Ok(Uploaded::Created(outcome)) => {
                api.seen(&outcome).await;
                drop(alone);
                Ok(Answer::Created(asset_id))
            }
            Ok(Uploaded::Duplicate(first)) => {
                clear(api, &[&key, &sidecar_key]).await;
                Ok(Answer::Duplicate(first.uuid()))
            }
            Err(error) => {
                // When the answer was lost the event may stand: then its files must stay.
                if error.is_certainly_unwritten() {
                    clear(api, &[&key, &sidecar_key]).await;
                } else {
                    tracing::error!(asset.id = %asset_id, "an upload may have been recorded, its file is kept");
                }
                Err(error.into())
            }
        }
    }
}

fn described(staged: &StagedBlob, key: &BlobKey) -> Blob {
    Blob {
        key: key.as_str().to_owned(),
        size_bytes: staged.size_bytes,
        sha1: hex(&staged.sha1),
        blake3: hex(&staged.blake3),
    }
}

async fn place(
    original: StagedBlob,
    key: &BlobKey,
    sidecar: Option<StagedBlob>,
    sidecar_key: &BlobKey,
) -> Result<(), Problem> {
    original.commit(key).await.map_err(|error| receive::storage(&error))?;
    if let Some(sidecar) = sidecar {
        sidecar.commit(sidecar_key).await.map_err(|error| receive::storage(&error))?;
    }
    Ok(())
}

/// Removes files that no event refers to.
async fn clear(api: &Api, keys: &[&BlobKey; 2]) {
    for key in keys {
        if let Err(error) = api.blobs.remove(key).await {
            tracing::error!(error = &error as &dyn std::error::Error, "a file is left over");
        }
    }
}

/// What the program keeps with the asset: `metadata` is JSON text, a list of keys with values.
fn key_values(fields: &mut Fields) -> Vec<KeyValue> {
    const NAME: &str = "metadata";
    let Some(text) = fields.string(NAME) else { return Vec::new() };
    let Ok(list @ Value::Array(_)) = serde_json::from_str(&text) else {
        fields.issue(wrong_type("array", Some(&Value::String(text)), &[NAME]));
        return Vec::new();
    };
    let mut inner = Fields::object(Map::from_iter([("items".to_owned(), list)]));
    let entries = metadata::items(&mut inner, metadata::key_value);
    for mut issue in inner.into_issues() {
        if let Some(Value::Array(path)) = issue.get_mut("path")
            && let Some(list) = path.first_mut()
        {
            *list = json!(NAME);
        }
        fields.issue(issue);
    }
    entries
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
