//! What becomes of a file of which everything has come.

use axum::http::StatusCode;
use calotype_commands::incoming::UploadRow;
use calotype_media::blob::{Incoming, StagedBlob};
use uuid::Uuid;

use super::metadata::Goal;
use super::{bytes, database, forget};
use crate::assets::receive;
use crate::assets::wish::Answer;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Makes a whole file, which is in hand, what it is to be; repeated, it is the same. Where that is refused for good the
/// upload is forgotten, so that no client takes it for done.
///
/// # Errors
/// 400 where it is refused; 500, 503 and 507 where it cannot be done now, and the next request goes on with it.
pub(super) async fn finish(
    api: &Api,
    caller: &Caller,
    mut row: UploadRow,
    mut incoming: Incoming,
) -> Result<UploadRow, Problem> {
    let staged = incoming.staged().await.map_err(|error| receive::storage(&error))?;
    let asset = match keep(api, caller, &row, staged).await {
        Ok(asset) => asset,
        Err(problem) => {
            if is_for_good(problem.status()) {
                forget(api, row.upload_id, incoming).await?;
            }
            return Err(problem);
        }
    };
    let now = api.commands.clock().now();
    let noted = api.incoming.finish(row.upload_id, asset, now).await;
    noted.map_err(database)?;
    api.uploads.digests.invalidate(&row.upload_id);
    incoming.remove().await.map_err(|error| receive::storage(&error))?;
    row.finished_at = Some(now);
    row.asset_id = asset.map(|(asset_id, _)| asset_id);
    row.is_new = asset.map(|(_, is_new)| is_new);
    Ok(row)
}

/// The asset that a file is, and whether it is a new one; none for a file of a batch.
async fn keep(
    api: &Api,
    caller: &Caller,
    row: &UploadRow,
    staged: StagedBlob,
) -> Result<Option<(Uuid, bool)>, Problem> {
    let context = caller.context();
    match Goal::check(api, caller, &row.metadata, bytes(row.length_bytes)).await? {
        Goal::BatchFile(arriving) => {
            arriving.keep(api, &context, staged).await?;
            Ok(None)
        }
        Goal::Asset(wish) => {
            let owner = (caller.user_id(), caller.user().quota_size_bytes);
            let answer = wish.keep(api, &context, owner, (staged, None)).await?;
            Ok(Some((answer.asset_id(), matches!(answer, Answer::Created(_)))))
        }
    }
}

/// Whether the same file would be refused again.
fn is_for_good(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND)
}
