//! Files that come in pieces: tus 1.0 (<https://tus.io/protocols/resumable-upload>) with its extensions `creation`,
//! `creation-with-upload`, `checksum`, `termination` and `expiration` (docs/adr/0032).
//!
//! A row says how much of a file has come and is durable, and the data folder's `tmp/uploads/` has the bytes. The last
//! piece makes the file what the metadata of its beginning say: an asset, or a file of a batch.
//! Whoever came by a shared link cannot use them.

mod append_upload;
mod create_upload;
mod dto;
mod finish;
mod look_at_upload;
mod metadata;
mod override_method;
mod remove_upload;
mod tus;
mod tus_options;

use std::time::Duration;

use axum::http::StatusCode;
use axum::middleware::from_fn;
use calotype_commands::incoming::UploadRow;
use calotype_domain::permission::Permission;
use calotype_media::blob::{Incoming, Taken};
use calotype_projections::ProjectionError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::assets::receive;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// How long an upload is kept while nothing more of it comes; also how long it is told what became of it.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3_600);

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(tus_options::tus_options, create_upload::create_upload))
        .routes(routes!(
            look_at_upload::head_upload,
            look_at_upload::get_upload,
            append_upload::append_upload,
            override_method::override_upload_method,
            remove_upload::remove_upload
        ))
        .layer(from_fn(tus::speak))
}

/// An upload of the caller's.
///
/// # Errors
/// 403 without the permission, 404 for one that is not there, somebody else's or over.
async fn own(api: &Api, caller: &Caller, id: &str) -> Result<UploadRow, Problem> {
    caller.require(Permission::AssetUpload)?;
    of_caller(api, caller, path_uuid("id", id)?).await
}

async fn of_caller(api: &Api, caller: &Caller, upload_id: Uuid) -> Result<UploadRow, Problem> {
    let row = api.incoming.upload(upload_id).await.map_err(database)?;
    let row = row.filter(|row| row.expires_at > caller.context().now);
    let owner_id = row.as_ref().map(|row| row.owner_id);
    // Clients of tus begin anew where they hear that there is nothing.
    caller.require_owned(Permission::AssetUpload, owner_id).map_err(|_| gone())?;
    row.ok_or_else(gone)
}

fn gone() -> Problem {
    Problem::not_found("There is no such upload")
}

/// Takes the bytes of an upload in hand.
///
/// # Errors
/// 423 while another request has them, 500 and 507 when the disk refuses.
async fn in_hand(api: &Api, upload_id: Uuid) -> Result<Incoming, Problem> {
    match api.blobs.take_incoming(upload_id).await.map_err(|error| receive::storage(&error))? {
        Taken::InHand(incoming) => Ok(*incoming),
        Taken::ByOthers => {
            Err(Problem::new(StatusCode::LOCKED, "Another request is working on this upload"))
        }
    }
}

/// Forgets an upload whose bytes are in hand.
async fn forget(api: &Api, upload_id: Uuid, incoming: Incoming) -> Result<(), Problem> {
    api.incoming.forget(upload_id, None).await.map_err(database)?;
    api.uploads.digests.invalidate(&upload_id);
    incoming.remove().await.map_err(|error| receive::storage(&error))
}

/// 503: the same request may do later.
fn database(error: impl Into<ProjectionError>) -> Problem {
    let error: ProjectionError = error.into();
    error.into()
}

/// Bytes as they are counted here; the database has no numbers below zero in these columns.
fn bytes(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
