//! Tag `Activities`: comments and likes in albums.

mod create_activity;
mod delete_activity;
mod dto;
mod get_activities;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_activities::get_activities, create_activity::create_activity))
        .routes(routes!(get_activities::get_activity_statistics))
        .routes(routes!(delete_activity::delete_activity))
}
