//! Tag `Users`: the caller's own account, and others as far as everybody may see them.

pub(crate) mod avatar;
pub(crate) mod dto;
mod get_user;
pub(crate) mod heatmap;
mod license;
pub(crate) mod licenses;
mod my_user;
mod onboarding;
pub(crate) mod preferences;
mod profile_image;
pub(crate) mod taken;

use axum::extract::DefaultBodyLimit;
use axum::routing::patch;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_user::search_users))
        .routes(routes!(get_user::get_user))
        .routes(routes!(my_user::get_my_user, my_user::update_my_user))
        .route("/users/me", patch(my_user::update_my_user))
        .routes(routes!(
            onboarding::get_user_onboarding,
            onboarding::set_user_onboarding,
            onboarding::delete_user_onboarding
        ))
        .routes(routes!(
            preferences::own::get_my_preferences,
            preferences::own::update_my_preferences
        ))
        .route("/users/me/preferences", patch(preferences::own::update_my_preferences))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(
                    profile_image::change::create_profile_image,
                    profile_image::change::delete_profile_image
                ))
                .layer(DefaultBodyLimit::max(profile_image::BODY_BYTES_MAX)),
        )
        .routes(routes!(heatmap::get_my_calendar_heatmap))
        .routes(routes!(
            license::get_user_license,
            license::set_user_license,
            license::delete_user_license
        ))
        .routes(routes!(profile_image::get::get_profile_image))
}
