//! `POST /people`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::permission::Permission;
use calotype_domain::person::PersonCreated;
use utoipa::ToSchema;

use super::dto::{PersonResponseDto, own_person};
use super::fields::details;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// A new person.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct PersonCreateDto {
    birth_date: Option<String>,
    color: Option<String>,
    is_favorite: Option<bool>,
    is_hidden: Option<bool>,
    name: Option<String>,
}

/// Tells a person apart, who has no faces yet.
#[utoipa::path(
    post, path = "/people", tag = "People", operation_id = "createPerson",
    request_body = PersonCreateDto, responses((status = 201, body = PersonResponseDto))
)]
pub(super) async fn create_person(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<PersonResponseDto>), Problem> {
    caller.require(Permission::PersonCreate)?;
    let context = caller.keyed_context("createPerson")?;
    let mut fields = Fields::json(&body)?;
    let details = details(&mut fields, context.now.date_naive());
    fields.finish()?;
    let created = PersonCreated {
        owner_id: caller.user_id(),
        name: details.name.unwrap_or_default().into(),
        birth_date: details.birth_date.flatten().into(),
        is_hidden: details.hidden.unwrap_or_default(),
        is_favorite: details.favorite.unwrap_or_default(),
        color: details.color.flatten(),
    };
    let (person_id, outcome) = api.commands.create_person(&context, created).await?;
    api.made(&outcome).await?;
    let row = own_person(&api, &caller, Permission::PersonCreate, person_id.uuid()).await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}
