//! `PUT /faces/{id}`: the id in the path is the person's, that in the body the face's.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, FaceId, PersonId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::own::own_face;
use crate::caller::Caller;
use crate::people::dto::{PersonResponseDto, own_person};
use crate::people::required_uuid;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Which face.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct FaceDto {
    id: Uuid,
}

/// Says whose face it is.
#[utoipa::path(
    put, path = "/faces/{id}", tag = "Faces", operation_id = "reassignFacesById",
    params(("id" = Uuid, Path)), request_body = FaceDto,
    responses((status = 200, body = PersonResponseDto))
)]
pub(super) async fn reassign_faces_by_id(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<PersonResponseDto>, Problem> {
    caller.require(Permission::FaceUpdate)?;
    let person_id = path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    let face_id = required_uuid(&mut fields, "id");
    fields.finish()?;
    own_person(&api, &caller, Permission::FaceUpdate, person_id).await?;
    let face = own_face(&api, &caller, Permission::FaceUpdate, face_id).await?;
    let moved = [(AssetId::new(face.asset_id), FaceId::new(face_id))];
    let outcome = api
        .commands
        .confirm_faces(&caller.context(), caller.user_id(), PersonId::new(person_id), &moved)
        .await?;
    api.seen(&outcome).await;
    Ok(Json(own_person(&api, &caller, Permission::FaceUpdate, person_id).await?.into()))
}
