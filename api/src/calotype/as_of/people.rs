//! `GET /calotype/as-of/people`: who was told apart in the caller's library.

use axum::Json;
use axum::extract::{RawQuery, State};
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::at::{MomentDto, required_at};
use super::turn;
use crate::caller::Caller;
use crate::people::dto::PersonResponseDto;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// The people of a library as they were.
#[derive(Serialize, ToSchema)]
pub(crate) struct PeopleAsOfDto {
    at: MomentDto,
    /// Favorites first, then by name, the nameless last.
    people: Vec<PersonResponseDto>,
}

/// Tells who was told apart in the caller's library at a moment, whatever became of them.
#[utoipa::path(
    get,
    path = "/calotype/as-of/people",
    operation_id = "getPeopleAsOf",
    tag = "Calotype",
    params(
        ("at" = String, Query, description = "An instant (ISO 8601), a day, or a position in the log"),
        ("withHidden" = Option<bool>, Query)
    ),
    responses((status = 200, body = PeopleAsOfDto)),
)]
pub(super) async fn get_people_as_of(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<PeopleAsOfDto>, Problem> {
    caller.require(Permission::PersonRead)?;
    let mut fields = Fields::query(query.as_deref());
    let at = required_at(&mut fields);
    let with_hidden = fields.boolean("withHidden").unwrap_or_default();
    fields.finish()?;
    let at = at.find(&api, &caller).await?;
    let _turn = turn().await?;
    // The library is the caller's own, then and now.
    let people = api.queries.people_then(caller.user_id().uuid(), at.position()).await?;
    let people = people.into_iter().filter(|person| with_hidden || !person.is_hidden);
    Ok(Json(PeopleAsOfDto { at, people: people.map(PersonResponseDto::from).collect() }))
}
