//! `GET` and `PUT /users/me/preferences`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use calotype_domain::permission::Permission;

use super::{Changes, UserPreferencesResponseDto, UserPreferencesUpdateDto, change, load};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// The caller's preferences.
#[utoipa::path(
    get,
    path = "/users/me/preferences",
    operation_id = "getMyPreferences",
    tag = "Users",
    responses((status = 200, body = UserPreferencesResponseDto)),
)]
pub(in crate::users) async fn get_my_preferences(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<UserPreferencesResponseDto>, Problem> {
    caller.require(Permission::UserPreferenceRead)?;
    Ok(Json(load(&api, caller.user_id()).await?))
}

/// Changes the caller's preferences.
#[utoipa::path(
    put,
    path = "/users/me/preferences",
    operation_id = "updateMyPreferences",
    tag = "Users",
    request_body = UserPreferencesUpdateDto,
    responses((status = 200, body = UserPreferencesResponseDto)),
)]
pub(in crate::users) async fn update_my_preferences(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<UserPreferencesResponseDto>, Problem> {
    caller.require(Permission::UserPreferenceUpdate)?;
    let changes = Changes::parse(&body)?;
    Ok(Json(change(&api, &caller, caller.user_id(), changes).await?))
}
