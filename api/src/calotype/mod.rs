//! Tag `Calotype`: what Immich has no routes for. Histories, what was there, projections, what got stuck, proofs, and the reset.

mod as_of;
mod batches;
mod erasures;
mod history;
mod holds;
mod models;
mod parked;
mod projections;
mod proof;
mod reclustering;
mod reject_face;
mod revert;
mod testing;
mod testing_people;
mod undo;
mod uploads;

use axum::Router;
use axum::routing::post;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use erasures::{Erasing, ErasurePreview, NotErased};
pub use history::tell_history;
pub use projections::projection_rebuild;
pub use proof::{
    ConsistencyProofDto, InclusionProofDto, LogFinding, LogHeadVerdict, LogPublicKey, LogReport,
    NoProof, Proofs, RebuiltTree, SignedLogHead, SigningResult, SkippedLogEvent,
};

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(erasures::get_erasures, erasures::erase))
        .routes(routes!(erasures::get_erasure))
        .routes(routes!(holds::get_holds, holds::place_hold))
        .routes(routes!(holds::release_hold))
        .routes(routes!(parked::get_parked))
        .routes(routes!(parked::get_parked_stream, parked::discard_parked_stream))
        .routes(routes!(parked::retry_parked_stream))
        .routes(routes!(proof::get_log_heads, proof::sign_log_head))
        .routes(routes!(proof::get_inclusion_proof))
        .routes(routes!(proof::get_consistency_proof))
        .routes(routes!(proof::get_log_public_key, proof::rotate_log_key))
        .routes(routes!(proof::verify_log))
        .routes(routes!(reject_face::reject_face))
        .routes(routes!(revert::revert))
        .routes(routes!(undo::undo))
        .merge(as_of::routes())
        .merge(batches::routes())
        .merge(history::routes())
        .merge(models::routes())
        .merge(projections::routes())
        .merge(uploads::routes())
        .merge(reclustering::routes())
}

/// Routes for black-box suites; they need no credentials and are there with `--testing` only.
pub(crate) fn testing_routes() -> Router<Api> {
    Router::new()
        .route("/calotype/testing/reset", post(testing::reset))
        .route("/calotype/testing/faces", post(testing_people::faces))
        .route("/calotype/testing/person-thumbnail", post(testing_people::person_thumbnail))
}
