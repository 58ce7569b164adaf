//! Tag `Shared links`: links by which anybody sees an album or some assets.

mod create_shared_link;
mod dto;
mod fields;
mod get_my_shared_link;
mod get_shared_links;
mod link_assets;
mod remove_shared_link;
mod shared_link_login;
mod update_shared_link;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::router::PUBLIC_BODY_BYTES_MAX;
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(shared_link_login::shared_link_login))
        .layer(DefaultBodyLimit::max(PUBLIC_BODY_BYTES_MAX))
        .routes(routes!(
            get_shared_links::get_all_shared_links,
            create_shared_link::create_shared_link
        ))
        .routes(routes!(get_my_shared_link::get_my_shared_link))
        .routes(routes!(
            get_shared_links::get_shared_link_by_id,
            update_shared_link::update_shared_link,
            remove_shared_link::remove_shared_link
        ))
        .routes(routes!(
            link_assets::add_shared_link_assets,
            link_assets::remove_shared_link_assets
        ))
}
