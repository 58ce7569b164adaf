//! `GET /search/person`.

use axum::Json;
use axum::extract::{RawQuery, State};
use calotype_domain::permission::Permission;

use super::dto::PersonResponseDto;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Finds people by the beginning of any word of their names.
#[utoipa::path(
    get, path = "/search/person", tag = "Search", operation_id = "searchPerson",
    params(("name" = String, Query), ("withHidden" = Option<bool>, Query)),
    responses((status = 200, body = Vec<PersonResponseDto>))
)]
pub(super) async fn search_person(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<PersonResponseDto>>, Problem> {
    caller.require(Permission::PersonRead)?;
    let mut fields = Fields::query(query.as_deref());
    let name = fields.required_string("name");
    let with_hidden = fields.boolean("withHidden").unwrap_or_default();
    fields.finish()?;
    let owner_id = caller.user_id().uuid();
    let people = api.queries.people_by_name(owner_id, &name, with_hidden).await?;
    Ok(Json(people.into_iter().map(PersonResponseDto::from).collect()))
}
