//! The routes of this tag, and the answer they share.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{empty_trash, restore_assets, restore_trash};
use crate::state::Api;

/// How many assets that was.
#[derive(Serialize, ToSchema)]
pub(super) struct TrashResponseDto {
    pub(super) count: usize,
}

/// The routes of this tag.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(empty_trash::empty_trash))
        .routes(routes!(restore_trash::restore_trash))
        .routes(routes!(restore_assets::restore_assets))
}
