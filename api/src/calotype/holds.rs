//! `/calotype/holds`: what must not be deleted for good, for administrators.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use calotype_domain::hold::{Held, REASON_CHARS_MAX};
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// What can be held or erased.
pub(super) const KINDS: [&str; 2] = ["asset", "user"];

/// What is to be held.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct HoldCreateDto {
    /// `asset` or `user`.
    kind: String,
    id: Uuid,
    /// Why, at most 1,000 characters.
    reason: String,
}

/// Something that is held.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HoldDto {
    /// `asset` or `user`.
    kind: &'static str,
    id: Uuid,
    /// Whose it is.
    owner_id: Uuid,
    /// Why; `null` where it cannot be read any more.
    #[schema(required)]
    reason: Option<String>,
}

/// The reason of a release.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes a query that is read field by field")]
pub(crate) struct ReleaseQuery {
    /// Why, at most 1,000 characters.
    reason: Option<String>,
}

/// What a body names.
pub(super) fn named(fields: &mut Fields) -> (String, Uuid) {
    (fields.required_option("kind", &KINDS), fields.required_uuid("id"))
}

/// What a body or a path names, once both parts are right.
///
/// # Errors
/// 400 for another kind.
pub(super) fn held(kind: &str, id: Uuid) -> Result<Held, Problem> {
    Held::named(kind, id).ok_or_else(|| Problem::bad_request("kind must be asset or user"))
}

/// Lists what is under a legal hold.
#[utoipa::path(
    get, path = "/calotype/holds", operation_id = "getHolds", tag = "Calotype",
    responses((status = 200, body = Vec<HoldDto>)),
)]
pub(super) async fn get_holds(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<HoldDto>>, Problem> {
    caller.require_admin(Permission::All)?;
    let holds = api.commands.holds().await?;
    let shown = holds.all().map(|(held, owner_id, reason)| HoldDto {
        kind: held.kind(),
        id: held.id(),
        owner_id: owner_id.uuid(),
        reason: reason.map(str::to_owned),
    });
    Ok(Json(shown.collect()))
}

/// Holds an asset, or an account with all that is in it: it is not deleted for good, whoever wishes it.
#[utoipa::path(
    post, path = "/calotype/holds", operation_id = "placeHold", tag = "Calotype",
    request_body = HoldCreateDto, responses((status = 204)),
)]
pub(super) async fn place_hold(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require_admin(Permission::All)?;
    let mut fields = Fields::json(&body)?;
    let (kind, id) = named(&mut fields);
    let reason = fields.required_string_of("reason", 1);
    fields.finish()?;
    api.commands.place_hold(&caller.context(), held(&kind, id)?, &reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Releases a hold.
#[utoipa::path(
    delete, path = "/calotype/holds/{kind}/{id}", operation_id = "releaseHold", tag = "Calotype",
    params(("kind" = String, Path), ("id" = Uuid, Path), ReleaseQuery), responses((status = 204)),
)]
pub(super) async fn release_hold(
    State(api): State<Api>,
    caller: Caller,
    Path((kind, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    caller.require_admin(Permission::All)?;
    let held = held(&kind, path_uuid("id", &id)?)?;
    let mut fields = Fields::query(query.as_deref());
    let reason = fields.string_up_to("reason", REASON_CHARS_MAX);
    fields.finish()?;
    api.commands.release_hold(&caller.context(), held, reason.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}
