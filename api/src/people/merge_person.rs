//! `POST /people/{id}/merge`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_commands::{CommandError, Outcome};
use calotype_domain::PersonId;
use calotype_domain::permission::Permission;
use calotype_domain::person::PersonError;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::{DoneDto, own_person};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Who is the same.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct MergePersonDto {
    ids: Vec<Uuid>,
}

/// Makes people one, each by itself; who stays keeps their name, or takes one over.
#[utoipa::path(
    post, path = "/people/{id}/merge", tag = "People", operation_id = "mergePerson",
    params(("id" = Uuid, Path)), request_body = MergePersonDto,
    responses((status = 200, body = Vec<DoneDto>))
)]
pub(super) async fn merge_person(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Vec<DoneDto>>), Problem> {
    caller.require(Permission::PersonMerge)?;
    let into_id = path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    if !fields.has("ids") {
        fields.missing("array", "ids");
    }
    let ids = fields.uuids("ids").unwrap_or_default();
    fields.finish()?;
    if ids.contains(&into_id) {
        return Err(CommandError::Refused(PersonError::MergedWithThemselves).into());
    }
    own_person(&api, &caller, Permission::PersonMerge, into_id).await?;
    Ok((StatusCode::OK, Json(merge_each(&api, &caller, into_id, ids).await?)))
}

/// Merges people into one, each by itself; says of each what became of it.
///
/// # Errors
/// What the commands say, but for refusals.
pub(super) async fn merge_each(
    api: &Api,
    caller: &Caller,
    into_id: Uuid,
    ids: Vec<Uuid>,
) -> Result<Vec<DoneDto>, Problem> {
    let mut last = Outcome::AlreadyTrue;
    let mut done = Vec::with_capacity(ids.len());
    for id in ids {
        let context = caller.next_context(api);
        let (into_id, person_id) = (PersonId::new(into_id), PersonId::new(id));
        let by = caller.user_id();
        match api.commands.merge_person(&context, by, into_id, person_id).await {
            Ok(outcome) => {
                last = outcome;
                done.push(DoneDto::done(id));
            }
            Err(CommandError::Refused(PersonError::NotFound | PersonError::NotOwner { .. })) => {
                done.push(DoneDto::failed(id, "no_permission"));
            }
            Err(CommandError::Refused(_)) => done.push(DoneDto::failed(id, "unknown")),
            Err(error) => return Err(error.into()),
        }
    }
    api.seen(&last).await;
    Ok(done)
}
