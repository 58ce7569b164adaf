//! Tag `Tags`: a person's hierarchy of words, and which assets carry them.

mod bulk_tag_assets;
mod create_tag;
mod delete_tag;
pub(crate) mod dto;
mod get_tag;
mod tag_assets;
mod update_tag;
mod upsert_tags;

use axum::routing::patch;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_tag::get_all_tags, create_tag::create_tag, upsert_tags::upsert_tags))
        .routes(routes!(bulk_tag_assets::bulk_tag_assets))
        .routes(routes!(get_tag::get_tag_by_id, update_tag::update_tag, delete_tag::delete_tag))
        .route("/tags/{id}", patch(update_tag::update_tag))
        .routes(routes!(tag_assets::tag_assets, tag_assets::untag_assets))
}
