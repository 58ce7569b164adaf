//! `PUT /people/{id}/reassign`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, FaceId, PersonId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::{PersonResponseDto, own_person};
use super::fields::{objects, required_uuid};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Whose faces, and on which photos.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetFaceUpdateDto {
    data: Vec<AssetFaceUpdateItem>,
}

/// Somebody's faces on one photo.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetFaceUpdateItem {
    asset_id: Uuid,
    person_id: Uuid,
}

/// Says that other people's faces are this person's. Answers with the person once for each face.
#[utoipa::path(
    put, path = "/people/{id}/reassign", tag = "People", operation_id = "reassignFaces",
    params(("id" = Uuid, Path)), request_body = AssetFaceUpdateDto,
    responses((status = 200, body = Vec<PersonResponseDto>))
)]
pub(super) async fn reassign_faces(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Vec<PersonResponseDto>>, Problem> {
    caller.require(Permission::PersonReassign)?;
    let person_id = path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    let pairs = objects(&mut fields, "data", |item| {
        let asset_id = required_uuid(item, "assetId");
        (required_uuid(item, "personId"), asset_id)
    });
    fields.finish()?;
    own_person(&api, &caller, Permission::PersonReassign, person_id).await?;
    let faces = api.queries.faces_of_people_on(&pairs).await?;
    for face in &faces {
        caller.require_owned(Permission::PersonReassign, Some(face.owner_id))?;
    }
    let moved: Vec<(AssetId, FaceId)> =
        faces.iter().map(|face| (AssetId::new(face.asset_id), FaceId::new(face.face_id))).collect();
    let outcome = api
        .commands
        .confirm_faces(&caller.context(), caller.user_id(), PersonId::new(person_id), &moved)
        .await?;
    api.seen(&outcome).await;
    let person: PersonResponseDto =
        own_person(&api, &caller, Permission::PersonReassign, person_id).await?.into();
    Ok(Json(vec![person; moved.len()]))
}
