//! `DELETE /people` and `DELETE /people/{id}`.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::PersonId;
use calotype_domain::permission::Permission;
use calotype_media::blob::BlobKey;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Which people.
#[derive(ToSchema)]
#[schema(as = BulkIdsDto)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct PeopleIdsDto {
    ids: Vec<Uuid>,
}

/// Deletes a person; their faces are nobody's then.
#[utoipa::path(
    delete, path = "/people/{id}", tag = "People", operation_id = "deletePerson",
    params(("id" = Uuid, Path)), responses((status = 204))
)]
pub(super) async fn delete_person(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::PersonDelete)?;
    delete(&api, &caller, vec![path_uuid("id", &id)?]).await
}

/// Deletes people, all or none of them.
#[utoipa::path(
    delete, path = "/people", tag = "People", operation_id = "deletePeople",
    request_body = PeopleIdsDto, responses((status = 204))
)]
pub(super) async fn delete_people(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::PersonDelete)?;
    let mut fields = Fields::json(&body)?;
    if !fields.has("ids") {
        fields.missing("array", "ids");
    }
    let ids = fields.uuids("ids").unwrap_or_default();
    fields.finish()?;
    delete(&api, &caller, ids).await
}

async fn delete(api: &Api, caller: &Caller, mut ids: Vec<Uuid>) -> Result<StatusCode, Problem> {
    ids.sort_unstable();
    ids.dedup();
    let people = api.queries.people(&ids).await?;
    if people.len() < ids.len() {
        return Err(Problem::no_access(Permission::PersonDelete));
    }
    for person in &people {
        caller.require_owned(Permission::PersonDelete, Some(person.owner_id))?;
    }
    let ids: Vec<PersonId> = ids.into_iter().map(PersonId::new).collect();
    let outcome = api.commands.delete_people(&caller.context(), caller.user_id(), &ids).await?;
    api.seen(&outcome).await;
    for key in people.into_iter().filter_map(|person| person.thumbnail_key) {
        // A file that stays behind only takes room.
        if let Ok(key) = BlobKey::parse(&key)
            && let Err(error) = api.blobs.remove(&key).await
        {
            tracing::warn!(%error, "the picture of a deleted person is left over");
        }
    }
    Ok(StatusCode::NO_CONTENT)
}
