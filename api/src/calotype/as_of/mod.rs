//! `GET /calotype/as-of/…`: what was there at a moment, to a caller who may see it now and might have seen it then.
//!
//! Immich's own routes know nothing of it: their answers are cached, and their clients send no such wish.

mod albums;
mod asset;
mod at;
mod links;
mod people;
mod seen;
mod timeline;

use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use at::{At, MomentDto, required_at};

use crate::problem::Problem;
use crate::state::Api;

/// Answers about whole libraries that are made at once: each holds what it is made of in memory. Others wait.
const AT_ONCE_MAX: usize = 2;
/// How long one waits for its turn.
const TURN_WAIT_MAX: std::time::Duration = std::time::Duration::from_secs(30);

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE_MAX);

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(albums::get_albums_as_of))
        .routes(routes!(albums::get_album_as_of))
        .routes(routes!(asset::get_asset_as_of))
        .routes(routes!(links::get_links_as_of))
        .routes(routes!(people::get_people_as_of))
        .routes(routes!(timeline::get_timeline_as_of))
}

/// Waits until an answer about a library may be made.
async fn turn() -> Result<SemaphorePermit<'static>, Problem> {
    tokio::time::timeout(TURN_WAIT_MAX, TURNS.acquire())
        .await
        .map_err(|_elapsed| Problem::unavailable())?
        .map_err(|error| Problem::internal(&error))
}
