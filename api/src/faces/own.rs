//! A face in the caller's library.

use calotype_domain::permission::Permission;
use calotype_projections::people::FaceRow;
use uuid::Uuid;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// A face on one of the caller's photos.
///
/// # Errors
/// 400 `Not found or no … access`.
pub(crate) async fn own_face(
    api: &Api,
    caller: &Caller,
    permission: Permission,
    face_id: Uuid,
) -> Result<FaceRow, Problem> {
    let row = api.queries.face(face_id).await?;
    caller.require_owned(permission, row.as_ref().map(|row| row.owner_id))?;
    row.ok_or_else(|| Problem::no_access(permission))
}
