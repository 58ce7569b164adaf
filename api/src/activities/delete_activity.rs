//! `DELETE /activities/{id}`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::access::{AlbumRole, Object, check};
use calotype_domain::permission::Permission;
use calotype_domain::{ActivityId, UserId};

use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// Removes a comment or a like: one's own, or any in an album of one's own.
#[utoipa::path(
    delete, path = "/activities/{id}", tag = "Activities", operation_id = "deleteActivity",
    params(("id" = Uuid, Path)), responses((status = 204))
)]
pub(super) async fn delete_activity(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    const NEEDED: Permission = Permission::ActivityDelete;
    caller.require(NEEDED)?;
    let id = path_uuid("id", &id)?;
    let activity = api.queries.activity(id).await?.ok_or_else(|| Problem::no_access(NEEDED))?;
    let me = caller.user_id();
    let part = api.queries.album_parts(me.uuid(), &[activity.album_id]).await?.pop();
    let role: Option<AlbumRole> = part.and_then(|part| part.role.parse().ok());
    let author_id = Some(UserId::new(activity.user_id));
    let object = Object::Activity { author_id, role, is_enabled: true };
    check(caller.person(), NEEDED, object).map_err(|denied| Problem::denied(denied, NEEDED))?;
    let owns_album = role == Some(AlbumRole::Owner);
    let outcome = api
        .commands
        .delete_activity(&caller.context(), me, owns_album, ActivityId::new(id))
        .await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}
