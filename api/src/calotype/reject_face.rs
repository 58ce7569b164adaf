//! `DELETE /calotype/people/{id}/faces/{faceId}`: a face is not this person's. Immich has no such operation: there a
//! face is taken from somebody by giving it to somebody else.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, FaceId, PersonId};

use crate::caller::Caller;
use crate::faces::own_face;
use crate::people::dto::own_person;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Says that a face is not this person's, and never will be by what a model says. It is nobody's until a later run
/// finds somebody else whom it is like, or somebody says whose it is.
#[utoipa::path(
    delete,
    path = "/calotype/people/{id}/faces/{faceId}",
    operation_id = "rejectFace",
    tag = "Calotype",
    params(
        ("id" = Uuid, Path, description = "The person."),
        ("faceId" = Uuid, Path, description = "The face."),
    ),
    responses((status = 204)),
)]
pub(super) async fn reject_face(
    State(api): State<Api>,
    caller: Caller,
    Path((id, face_id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::FaceUpdate)?;
    let person_id = path_uuid("id", &id)?;
    let face_id = path_uuid("faceId", &face_id)?;
    own_person(&api, &caller, Permission::FaceUpdate, person_id).await?;
    let face = own_face(&api, &caller, Permission::FaceUpdate, face_id).await?;
    let outcome = api
        .commands
        .reject_face(
            &caller.context(),
            caller.user_id(),
            AssetId::new(face.asset_id),
            FaceId::new(face_id),
            PersonId::new(person_id),
        )
        .await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}
