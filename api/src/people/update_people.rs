//! `PUT /people`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use calotype_domain::permission::Permission;
use utoipa::ToSchema;
use uuid::Uuid;

use super::change::change;
use super::dto::DoneDto;
use super::fields::{objects, required_uuid, wish};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// What changes about several people.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct PeopleUpdateDto {
    people: Vec<PeopleUpdateItem>,
}

/// What changes about one of them.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct PeopleUpdateItem {
    id: Uuid,
    birth_date: Option<String>,
    color: Option<String>,
    feature_face_asset_id: Option<Uuid>,
    is_favorite: Option<bool>,
    is_hidden: Option<bool>,
    name: Option<String>,
}

/// Changes people, each by itself.
#[utoipa::path(
    put, path = "/people", tag = "People", operation_id = "updatePeople",
    request_body = PeopleUpdateDto, responses((status = 200, body = Vec<DoneDto>))
)]
pub(super) async fn update_people(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<Vec<DoneDto>>, Problem> {
    caller.require(Permission::PersonUpdate)?;
    let today = caller.context().now.date_naive();
    let mut fields = Fields::json(&body)?;
    let wishes =
        objects(&mut fields, "people", |person| (required_uuid(person, "id"), wish(person, today)));
    fields.finish()?;
    let ids: Vec<Uuid> = wishes.iter().map(|(id, _)| *id).collect();
    let refusals = change(&api, &caller, wishes).await?;
    let done = ids.into_iter().zip(refusals).map(|(id, refusal)| match refusal {
        None => DoneDto::done(id),
        // Immich does not tell one refusal from another here.
        Some(_) => DoneDto::failed(id, "unknown"),
    });
    Ok(Json(done.collect()))
}
