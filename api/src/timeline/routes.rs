//! The routes of this tag.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{get_time_bucket, get_time_buckets};
use crate::state::Api;

/// The routes of this tag.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_time_buckets::get_time_buckets))
        .routes(routes!(get_time_bucket::get_time_bucket))
}
