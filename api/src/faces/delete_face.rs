//! `DELETE /faces/{id}`.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, FaceId};
use utoipa::ToSchema;

use super::own::own_face;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// How a face is removed. `force` makes no difference here: what a person removed never comes back by
/// itself, and nothing of it is kept but that it was removed.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetFaceDeleteDto {
    force: bool,
}

/// Says that there is no face.
#[utoipa::path(
    delete, path = "/faces/{id}", tag = "Faces", operation_id = "deleteFace",
    params(("id" = Uuid, Path)), request_body = AssetFaceDeleteDto, responses((status = 204))
)]
pub(super) async fn delete_face(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::FaceDelete)?;
    let face_id = path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    fields.required_boolean("force");
    fields.finish()?;
    let face = own_face(&api, &caller, Permission::FaceDelete, face_id).await?;
    let (asset_id, face_id) = (AssetId::new(face.asset_id), FaceId::new(face_id));
    let outcome =
        api.commands.remove_face(&caller.context(), caller.user_id(), asset_id, face_id).await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}
