//! `GET`, `POST /partners` and `POST`, `PUT`, `DELETE /partners/{id}`.

use std::collections::HashMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use calotype_domain::UserId;
use calotype_domain::permission::Permission;
use calotype_projections::users::UserRow;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::PartnerResponseDto;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::sharing::partners_of;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Who is to see the caller's timeline.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct PartnerCreateDto {
    shared_with_id: Uuid,
}

/// Whether a partner's assets show on the caller's timeline.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct PartnerUpdateDto {
    in_timeline: bool,
}

/// Lists those who see the caller's timeline, or those whose timelines the caller sees.
#[utoipa::path(
    get, path = "/partners", tag = "Partners", operation_id = "getPartners",
    params(("direction" = String, Query)),
    responses((status = 200, body = Vec<PartnerResponseDto>))
)]
pub(super) async fn get_partners(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<PartnerResponseDto>>, Problem> {
    caller.require(Permission::PartnerRead)?;
    let mut fields = Fields::query(query.as_deref());
    let direction = fields.required_option("direction", &["shared-by", "shared-with"]);
    fields.finish()?;
    let me = caller.user_id().uuid();
    let others: Vec<(Uuid, bool)> = partners_of(&api, me)
        .await?
        .iter()
        .filter_map(|pair| match direction.as_str() {
            "shared-by" if pair.shared_by_id == me => Some((pair.shared_with_id, pair.in_timeline)),
            "shared-with" if pair.shared_with_id == me => {
                Some((pair.shared_by_id, pair.in_timeline))
            }
            _ => None,
        })
        .collect();
    let ids: Vec<Uuid> = others.iter().map(|(user_id, _)| *user_id).collect();
    let mut people: HashMap<Uuid, UserRow> =
        api.queries.accounts(&ids).await?.into_iter().map(|row| (row.user_id, row)).collect();
    let answer = others.into_iter().filter_map(|(user_id, in_timeline)| {
        Some(PartnerResponseDto::new(people.remove(&user_id)?, in_timeline))
    });
    Ok(Json(answer.collect()))
}

/// Shares the caller's timeline with somebody.
#[utoipa::path(
    post, path = "/partners", tag = "Partners", operation_id = "createPartner",
    request_body = PartnerCreateDto, responses((status = 201, body = PartnerResponseDto))
)]
pub(super) async fn create_partner(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<PartnerResponseDto>), Problem> {
    caller.require(Permission::PartnerCreate)?;
    let mut fields = Fields::json(&body)?;
    let shared_with_id = fields.required_uuid("sharedWithId");
    fields.finish()?;
    create(&api, &caller, shared_with_id).await
}

/// Shares the caller's timeline with somebody, as older clients ask for it.
#[utoipa::path(
    post, path = "/partners/{id}", tag = "Partners", operation_id = "createPartnerDeprecated",
    params(("id" = Uuid, Path)), responses((status = 201, body = PartnerResponseDto))
)]
pub(super) async fn create_partner_deprecated(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<PartnerResponseDto>), Problem> {
    caller.require(Permission::PartnerCreate)?;
    create(&api, &caller, path_uuid("id", &id)?).await
}

async fn create(
    api: &Api,
    caller: &Caller,
    shared_with_id: Uuid,
) -> Result<(StatusCode, Json<PartnerResponseDto>), Problem> {
    let other = person(api, shared_with_id).await?;
    let outcome = api
        .commands
        .add_partner(&caller.context(), caller.user_id(), UserId::new(shared_with_id))
        .await?;
    api.seen(&outcome).await;
    Ok((StatusCode::CREATED, Json(PartnerResponseDto::new(other, false))))
}

/// Shows what somebody shares on the caller's timeline, or not.
#[utoipa::path(
    put, path = "/partners/{id}", tag = "Partners", operation_id = "updatePartner",
    params(("id" = Uuid, Path)), request_body = PartnerUpdateDto,
    responses((status = 200, body = PartnerResponseDto))
)]
pub(super) async fn update_partner(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<PartnerResponseDto>, Problem> {
    caller.require(Permission::PartnerUpdate)?;
    let id = path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    let in_timeline = fields.required_boolean("inTimeline");
    fields.finish()?;
    let me = caller.user_id();
    let pairs = partners_of(&api, me.uuid()).await?;
    if !pairs.iter().any(|pair| pair.shared_by_id == id && pair.shared_with_id == me.uuid()) {
        return Err(Problem::no_access(Permission::PartnerUpdate));
    }
    let other = person(&api, id).await?;
    let outcome = api
        .commands
        .show_partner_in_timeline(&caller.context(), UserId::new(id), me, in_timeline)
        .await?;
    api.surely_seen(&outcome).await?;
    Ok(Json(PartnerResponseDto::new(other, in_timeline)))
}

/// Ends the sharing of the caller's timeline with somebody.
#[utoipa::path(
    delete, path = "/partners/{id}", tag = "Partners", operation_id = "removePartner",
    params(("id" = Uuid, Path)), responses((status = 204))
)]
pub(super) async fn remove_partner(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::PartnerDelete)?;
    let id = UserId::new(path_uuid("id", &id)?);
    let me = caller.user_id();
    let outcome = api.commands.remove_partner(&caller.context(), Some(me), me, id).await?;
    api.surely_seen(&outcome).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn person(api: &Api, user_id: Uuid) -> Result<UserRow, Problem> {
    let row = api.queries.accounts(&[user_id]).await?.pop();
    row.ok_or_else(|| Problem::bad_request("User not found"))
}
