//! `PUT /albums/{id}/users`, `PUT` and `DELETE /albums/{id}/user/{userId}`: who has which part.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_commands::albums::Invitation;
use calotype_domain::access::AlbumRole;
use calotype_domain::permission::Permission;
use calotype_domain::{AlbumId, UserId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::{AlbumResponseDto, ROLES, require_people};
use crate::access::require_album;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Somebody who gets a part in an album.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AlbumUserAddDto {
    user_id: Uuid,
    role: Option<String>,
}

/// Who gets a part in an album.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AddUsersDto {
    #[schema(min_items = 1)]
    album_users: Vec<AlbumUserAddDto>,
}

/// Somebody's new part in an album.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct UpdateAlbumUserDto {
    role: String,
}

/// Gives people a part in an album.
#[utoipa::path(
    put, path = "/albums/{id}/users", tag = "Albums", operation_id = "addUsersToAlbum",
    params(("id" = Uuid, Path)), request_body = AddUsersDto,
    responses((status = 200, body = AlbumResponseDto))
)]
pub(crate) async fn add_users_to_album(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<AlbumResponseDto>, Problem> {
    caller.require(Permission::AlbumUserCreate)?;
    let id = path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    if !fields.has("albumUsers") {
        fields.missing("array", "albumUsers");
    }
    let users: Vec<(UserId, AlbumRole)> = fields
        .objects("albumUsers", 1, |user| {
            let role = user.option("role", ROLES).and_then(|role| role.parse().ok());
            (UserId::new(user.required_uuid("userId")), role.unwrap_or(AlbumRole::Editor))
        })
        .unwrap_or_default();
    fields.finish()?;
    require_album(&api, &caller, Permission::AlbumShare, id).await?;
    let user_ids: Vec<Uuid> = users.iter().map(|(user_id, _)| user_id.uuid()).collect();
    require_people(&api, &user_ids).await?;
    let name = api.queries.album(id).await?.map(|album| album.name).unwrap_or_default();
    let invitation = Invitation { by: &caller.user().name, album: &name };
    let (context, by) = (caller.context(), caller.user_id());
    let outcome = api
        .commands
        .add_album_users(&context, by, AlbumId::new(id), users, Some(&invitation))
        .await?;
    api.seen(&outcome).await;
    Ok(Json(AlbumResponseDto::changed(&api, &caller, id).await?))
}

/// Gives somebody another part in an album.
#[utoipa::path(
    put, path = "/albums/{id}/user/{userId}", tag = "Albums", operation_id = "updateAlbumUser",
    params(("id" = Uuid, Path), ("userId" = String, Path)), request_body = UpdateAlbumUserDto,
    responses((status = 204))
)]
pub(crate) async fn update_album_user(
    State(api): State<Api>,
    caller: Caller,
    Path((id, user_id)): Path<(String, String)>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::AlbumUserUpdate)?;
    let id = path_uuid("id", &id)?;
    let user_id = who(&caller, &user_id)?;
    let mut fields = Fields::json(&body)?;
    let role = fields.required_option("role", ROLES).parse().unwrap_or(AlbumRole::Viewer);
    fields.finish()?;
    require_album(&api, &caller, Permission::AlbumShare, id).await?;
    let outcome = api
        .commands
        .change_album_role(&caller.context(), caller.user_id(), AlbumId::new(id), user_id, role)
        .await?;
    api.surely_seen(&outcome).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes somebody out of an album; anybody may take out themselves.
#[utoipa::path(
    delete, path = "/albums/{id}/user/{userId}", tag = "Albums",
    operation_id = "removeUserFromAlbum",
    params(("id" = Uuid, Path), ("userId" = String, Path)), responses((status = 204))
)]
pub(crate) async fn remove_user_from_album(
    State(api): State<Api>,
    caller: Caller,
    Path((id, user_id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::AlbumUserDelete)?;
    let id = path_uuid("id", &id)?;
    let user_id = who(&caller, &user_id)?;
    let needed =
        if user_id == caller.user_id() { Permission::AlbumRead } else { Permission::AlbumShare };
    require_album(&api, &caller, needed, id).await?;
    let outcome = api
        .commands
        .remove_album_user(&caller.context(), Some(caller.user_id()), AlbumId::new(id), user_id)
        .await?;
    api.surely_seen(&outcome).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The person of a path, where `me` is the caller.
fn who(caller: &Caller, text: &str) -> Result<UserId, Problem> {
    if text == "me" {
        return Ok(caller.user_id());
    }
    path_uuid("userId", text).map(UserId::new)
}
