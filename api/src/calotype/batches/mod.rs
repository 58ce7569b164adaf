//! Batches: files that are taken in together, a few hundred in a transaction, and can be taken back together.
//!
//! A client opens a batch, asks which files are missing, sends those, commits them with what is said of them, and
//! closes the batch. Everything may be repeated: nothing is done twice.

mod arriving;
mod check_batch;
mod close_batch;
mod commit_batch;
mod commit_dto;
mod dto;
mod get_batches;
mod open_batch;
mod roll_back_batch;
mod said_of_others;
mod upload_batch_file;
mod upload_batch_files;
mod wish;

pub(super) use arriving::Arriving;
use calotype_commands::CommandError;
use calotype_domain::batch::BatchError;
use calotype_domain::permission::Permission;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::Problem;
use crate::state::Api;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_batches::get_batches, open_batch::open_batch))
        .routes(routes!(get_batches::get_batch))
        .routes(routes!(get_batches::get_batch_receipt))
        .routes(routes!(check_batch::check_batch))
        .routes(routes!(upload_batch_file::upload_batch_file))
        .routes(routes!(upload_batch_files::upload_batch_files))
        .routes(routes!(commit_batch::commit_batch))
        .routes(routes!(close_batch::close_batch))
        .routes(routes!(roll_back_batch::roll_back_batch))
}

impl From<CommandError<BatchError>> for Problem {
    fn from(error: CommandError<BatchError>) -> Self {
        Self::command(error, |refusal| match refusal {
            BatchError::NotFound | BatchError::AlreadyExists => {
                Self::no_access(Permission::AssetUpload)
            }
            BatchError::Album => Self::no_access(Permission::AlbumAssetCreate),
            BatchError::Closed
            | BatchError::Open
            | BatchError::BadEntries
            | BatchError::Asset
            | BatchError::Tag
            | BatchError::Person
            | BatchError::Stack => Self::bad_request(refusal.to_string()),
        })
    }
}
