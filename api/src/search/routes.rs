//! The routes of this tag.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{
    explore, get_assets_by_city, get_search_suggestions, search_asset_statistics, search_assets,
    search_large_assets, search_places, search_random, search_smart,
};
use crate::state::Api;

/// The routes of this tag.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(explore::get_explore_data))
        .routes(routes!(get_assets_by_city::get_assets_by_city))
        .routes(routes!(get_search_suggestions::get_search_suggestions))
        .routes(routes!(search_asset_statistics::search_asset_statistics))
        .routes(routes!(search_assets::search_assets))
        .routes(routes!(search_large_assets::search_large_assets))
        .routes(routes!(search_places::search_places))
        .routes(routes!(search_random::search_random))
        .routes(routes!(search_smart::search_smart))
}
