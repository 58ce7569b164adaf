//! `/calotype/erasures`: forgetting somebody or something for good, with a receipt, for administrators.
//!
//! What is done is the server's (`Erasing`): it works on tables of all rooms.

use std::collections::BTreeMap;

use async_trait::async_trait;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use calotype_commands::CommandContext;
use calotype_domain::erasure::ErasureDone;
use calotype_domain::hold::Held;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::holds::{held, named};
use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Forgets for good.
#[async_trait]
pub trait Erasing: Send + Sync {
    /// What an erasure would destroy; nothing is changed.
    ///
    /// # Errors
    /// There is no such thing, or it is held.
    async fn preview(&self, erased: Held) -> Result<ErasurePreview, NotErased>;

    /// Destroys it, scrubs what is left of it, and signs a receipt. Begun anew where it was cut off.
    ///
    /// # Errors
    /// There never was such a thing, it is held, or it is not done yet: to be asked for again.
    async fn erase(&self, context: &CommandContext, erased: Held)
    -> Result<ErasureDone, NotErased>;
}

/// Why nothing was erased, or not all.
#[derive(Debug, thiserror::Error)]
pub enum NotErased {
    /// There never was such a thing.
    #[error("there is no such asset or user")]
    NotFound,
    /// It is under a legal hold.
    #[error("under a legal hold of the {} {}", .0.kind(), .0.id())]
    Held(Held),
    /// Something keeps it from being done now; asked for again it goes on.
    #[error("not done yet: {0}")]
    NotYet(String),
    /// The database or a file could not be used.
    #[error("failed to erase")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<NotErased> for Problem {
    fn from(error: NotErased) -> Self {
        match error {
            NotErased::NotFound => Self::not_found("There is no such asset or user"),
            NotErased::Held(held) => Self::held(held),
            NotErased::NotYet(why) => Self::new(
                StatusCode::CONFLICT,
                format!("Not done yet: {why}. Ask again: it goes on where it stopped"),
            ),
            NotErased::Failed(error) => Self::internal(&*error),
        }
    }
}

/// What is to be erased.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct ErasureCreateDto {
    /// `asset` or `user`.
    kind: String,
    id: Uuid,
    /// Only says what would be destroyed.
    preview: Option<bool>,
}

/// What an erasure would destroy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErasurePreview {
    /// Photos and films.
    pub assets: i64,
    /// The length of their originals, in bytes.
    pub original_bytes: i64,
    /// Albums that nobody else owns: they go, whoever put photos into them.
    pub albums: i64,
    /// Rows of the read models that are of it, by table.
    pub rows: BTreeMap<String, i64>,
}

/// The answer to a preview.
#[derive(Serialize, ToSchema)]
struct PreviewDto {
    preview: ErasurePreview,
}

/// An erasure that was done.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErasureDto {
    id: Uuid,
    /// `asset` or `user`.
    kind: &'static str,
    /// What was erased.
    object_id: Uuid,
    done_at: String,
    /// What was destroyed and what is kept, as text signed by the log's key (C2SP signed-note, Ed25519).
    receipt: String,
}

impl From<ErasureDone> for ErasureDto {
    fn from(done: ErasureDone) -> Self {
        Self {
            id: done.erasure_id.uuid(),
            kind: done.erased.kind(),
            object_id: done.erased.id(),
            done_at: dates::iso(done.done_at),
            receipt: done.receipt,
        }
    }
}

/// Erases somebody or something, or says what that would destroy. It takes as long as the tables are large, and
/// those wait meanwhile that are rewritten.
#[utoipa::path(
    post, path = "/calotype/erasures", operation_id = "erase", tag = "Calotype",
    request_body = ErasureCreateDto, responses((status = 200, body = ErasureDto)),
)]
pub(super) async fn erase(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Response, Problem> {
    caller.require_admin(Permission::All)?;
    let mut fields = Fields::json(&body)?;
    let (kind, id) = named(&mut fields);
    let is_preview = fields.boolean("preview").unwrap_or_default();
    fields.finish()?;
    let erased = held(&kind, id)?;
    if erased == Held::User(caller.user_id()) {
        return Err(Problem::forbidden("Another administrator has to erase your account"));
    }
    if is_preview {
        let preview = api.erasing.preview(erased).await?;
        return Ok(Json(PreviewDto { preview }).into_response());
    }
    let (uploads, api, context) = (api.uploads.clone(), api.clone(), caller.context());
    // To the end, also where nobody waits for the answer any more.
    let done = uploads.to_the_end(async move { api.erasing.erase(&context, erased).await }).await?;
    Ok(Json(ErasureDto::from(done?)).into_response())
}

/// Lists every erasure, oldest first.
#[utoipa::path(
    get, path = "/calotype/erasures", operation_id = "getErasures", tag = "Calotype",
    responses((status = 200, body = Vec<ErasureDto>)),
)]
pub(super) async fn get_erasures(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<ErasureDto>>, Problem> {
    caller.require_admin(Permission::All)?;
    Ok(Json(all(&api).await?.into_iter().map(ErasureDto::from).collect()))
}

/// One erasure with its receipt.
#[utoipa::path(
    get, path = "/calotype/erasures/{id}", operation_id = "getErasure", tag = "Calotype",
    params(("id" = Uuid, Path)), responses((status = 200, body = ErasureDto)),
)]
pub(super) async fn get_erasure(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<ErasureDto>, Problem> {
    caller.require_admin(Permission::All)?;
    let id = path_uuid("id", &id)?;
    let found = all(&api).await?.into_iter().find(|done| done.erasure_id.uuid() == id);
    found
        .map(|done| Json(done.into()))
        .ok_or_else(|| Problem::not_found("There is no such erasure"))
}

async fn all(api: &Api) -> Result<Vec<ErasureDone>, Problem> {
    let all = api.commands.erasures().await;
    all.map_err(|error| Problem::command(error, |refusal| match refusal {}))
}
