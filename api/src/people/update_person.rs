//! `PUT /people/{id}`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;
use utoipa::ToSchema;
use uuid::Uuid;

use super::change::change;
use super::dto::{PersonResponseDto, own_person};
use super::fields::wish;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// What changes about a person.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct PersonUpdateDto {
    birth_date: Option<String>,
    color: Option<String>,
    feature_face_asset_id: Option<Uuid>,
    is_favorite: Option<bool>,
    is_hidden: Option<bool>,
    name: Option<String>,
}

/// Changes a person.
#[utoipa::path(
    put, path = "/people/{id}", tag = "People", operation_id = "updatePerson",
    params(("id" = Uuid, Path)), request_body = PersonUpdateDto,
    responses((status = 200, body = PersonResponseDto))
)]
pub(super) async fn update_person(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<PersonResponseDto>, Problem> {
    caller.require(Permission::PersonUpdate)?;
    let person_id = path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    let wish = wish(&mut fields, caller.context().now.date_naive());
    fields.finish()?;
    own_person(&api, &caller, Permission::PersonUpdate, person_id).await?;
    let refusals = change(&api, &caller, vec![(person_id, wish)]).await?;
    if let Some(refusal) = refusals.into_iter().flatten().next() {
        return Err(refusal.into());
    }
    Ok(Json(own_person(&api, &caller, Permission::PersonUpdate, person_id).await?.into()))
}
