//! `GET /people/{id}` and `GET /people/{id}/statistics`.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::dto::{PersonResponseDto, own_person};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// On how many assets of the timeline somebody is.
#[derive(Serialize, ToSchema)]
pub(crate) struct PersonStatisticsResponseDto {
    assets: i64,
}

/// One person.
#[utoipa::path(
    get, path = "/people/{id}", tag = "People", operation_id = "getPerson",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = PersonResponseDto))
)]
pub(super) async fn get_person(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<PersonResponseDto>, Problem> {
    caller.require(Permission::PersonRead)?;
    let person_id = path_uuid("id", &id)?;
    Ok(Json(own_person(&api, &caller, Permission::PersonRead, person_id).await?.into()))
}

/// How much there is of a person.
#[utoipa::path(
    get, path = "/people/{id}/statistics", tag = "People", operation_id = "getPersonStatistics",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = PersonStatisticsResponseDto))
)]
pub(super) async fn get_person_statistics(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<PersonStatisticsResponseDto>, Problem> {
    caller.require(Permission::PersonStatistics)?;
    let person_id = path_uuid("id", &id)?;
    own_person(&api, &caller, Permission::PersonStatistics, person_id).await?;
    let assets = api.queries.person_assets(person_id).await?;
    Ok(Json(PersonStatisticsResponseDto { assets }))
}
