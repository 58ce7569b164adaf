//! `GET /people`.

use axum::Json;
use axum::extract::{RawQuery, State};
use calotype_domain::permission::Permission;
use calotype_projections::people::PeopleFilter;
use serde::Serialize;
use utoipa::ToSchema;

use super::dto::PersonResponseDto;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::users::preferences;
use crate::validate::Fields;

/// People on a page, when the client does not say.
const SIZE_DEFAULT: i64 = 500;
/// People on a page at most.
const SIZE_MAX: i64 = 1_000;
/// The largest whole number that JavaScript can tell from its neighbours.
const SAFE_INTEGER_MAX: i64 = 9_007_199_254_740_991;

/// A page of people.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PeopleResponseDto {
    people: Vec<PersonResponseDto>,
    has_next_page: bool,
    /// People who have a face on the timeline.
    total: i64,
    /// Those of them who are hidden.
    hidden: i64,
}

/// Lists people: favorites first, then who has a name, then who has most faces.
#[utoipa::path(
    get, path = "/people", tag = "People", operation_id = "getAllPeople",
    params(
        ("closestAssetId" = Option<uuid::Uuid>, Query),
        ("closestPersonId" = Option<uuid::Uuid>, Query),
        ("page" = Option<i64>, Query), ("size" = Option<i64>, Query),
        ("withHidden" = Option<bool>, Query)
    ),
    responses((status = 200, body = PeopleResponseDto))
)]
pub(super) async fn get_all_people(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<PeopleResponseDto>, Problem> {
    caller.require(Permission::PersonRead)?;
    let mut fields = Fields::query(query.as_deref());
    // Nearness of faces is not known yet, so these only have to be valid.
    fields.uuid("closestAssetId");
    fields.uuid("closestPersonId");
    let page = fields.integer("page", 1, SAFE_INTEGER_MAX).unwrap_or(1);
    let size = fields.integer("size", 1, SIZE_MAX).unwrap_or(SIZE_DEFAULT);
    let with_hidden = fields.boolean("withHidden").unwrap_or_default();
    fields.finish()?;
    let filter = PeopleFilter {
        owner_id: caller.user_id().uuid(),
        with_hidden,
        faces_min: preferences::minimum_faces(&caller.user().preferences)?,
        size,
        skipped: page.saturating_sub(1).saturating_mul(size),
    };
    let page = api.queries.people_page(filter).await?;
    Ok(Json(PeopleResponseDto {
        people: page.people.into_iter().map(PersonResponseDto::from).collect(),
        has_next_page: page.has_more,
        total: page.total,
        hidden: page.hidden,
    }))
}
