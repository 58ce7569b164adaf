//! Tag `Users (admin)`: accounts, for administrators.

mod create_user;
mod delete_user;
mod fields;
mod get_user;
mod heatmap;
mod preferences;
mod restore_user;
mod statistics;
mod update_user;

use axum::routing::patch;
use calotype_commands::Outcome;
use calotype_projections::users::UserRow;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::Problem;
use crate::state::Api;
use crate::users::dto::not_found;
use crate::validate::path_uuid;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_user::search_users_admin, create_user::create_user_admin))
        .routes(routes!(
            get_user::get_user_admin,
            update_user::update_user_admin,
            delete_user::delete_user_admin
        ))
        .route("/admin/users/{id}", patch(update_user::update_user_admin))
        .routes(routes!(
            preferences::get_user_preferences_admin,
            preferences::update_user_preferences_admin
        ))
        .route("/admin/users/{id}/preferences", patch(preferences::update_user_preferences_admin))
        .routes(routes!(restore_user::restore_user_admin))
        .routes(routes!(get_user::get_user_sessions_admin))
        .routes(routes!(heatmap::get_user_calendar_heatmap_admin))
        .routes(routes!(statistics::get_user_statistics_admin))
}

/// The account of a path, a deleted one included.
async fn load(api: &Api, id: &str) -> Result<UserRow, Problem> {
    api.queries.user(path_uuid("id", id)?).await?.ok_or_else(not_found)
}

/// The account of a path, unless it is deleted.
///
/// # Errors
/// 400 `User not found`; 503 while the deletion may not show everywhere, so that who repeats one that was
/// answered 503 is waited for again.
async fn load_active(api: &Api, id: &str) -> Result<UserRow, Problem> {
    let row = load(api, id).await?;
    if row.deleted_at.is_some() {
        api.surely_seen(&Outcome::AlreadyTrue).await?;
        return Err(not_found());
    }
    Ok(row)
}
