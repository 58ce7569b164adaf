//! `POST /calotype/batches/{id}/check`: which of many files are to be sent.

use std::collections::HashMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_commands::batches::asset_id_in;
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, BatchId};
use calotype_media::blob::BlobKey;
use calotype_projections::ProjectionError;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::wish::{FILES_CHECKED_MAX, FileName, file_name, too_many};
use crate::assets::receive;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Files that are looked for on the disk at once.
const LOOKS_AT_ONCE_MAX: usize = 16;

/// A file to ask for.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(super) struct BatchFileNameDto {
    /// SHA-1 in hex.
    sha1: String,
    /// BLAKE3 in hex; without it a file that was sent and not committed is `missing`.
    blake3: Option<String>,
    /// The extension of its name, without a dot.
    extension: String,
}

/// The files to ask for, at most 5,000.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(super) struct CheckBatchDto {
    files: Vec<BatchFileNameDto>,
    /// Whether the answer tells keys.
    with_keys: Option<bool>,
}

/// What to do with a file.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CheckedFileDto {
    sha1: String,
    /// `committed`: the batch has it; `duplicate`: its owner has the bytes; `damaged`: they are lost or damaged there,
    /// and sending them with `mends=true`, or to `POST /assets`, mends that; `uploaded`: it was sent and can be committed; `missing`: it is to be
    /// sent.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    asset_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_trashed: Option<bool>,
    /// Of a file that is missing or uploaded, where that is asked for and originals lie in the server's data folder:
    /// where this one belongs below its folder `library`. Who may write there can put it there instead of sending it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// What to do with each file, in the order of the question.
#[derive(Serialize, ToSchema)]
pub(super) struct CheckBatchResponseDto {
    files: Vec<CheckedFileDto>,
}

/// Says which files are to be sent.
#[utoipa::path(
    post, path = "/calotype/batches/{id}/check", tag = "Calotype", operation_id = "checkBatch",
    params(("id" = Uuid, Path)), request_body = CheckBatchDto,
    responses((status = 200, body = CheckBatchResponseDto))
)]
pub(super) async fn check_batch(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<CheckBatchResponseDto>, Problem> {
    caller.require(Permission::AssetUpload)?;
    let batch_id = BatchId::new(path_uuid("id", &id)?);
    let mut fields = Fields::json(&body)?;
    if !fields.has("files") {
        fields.missing("array", "files");
    }
    let files = fields.objects("files", 0, file_name).unwrap_or_default();
    let with_keys = fields.boolean("withKeys").unwrap_or_default();
    fields.finish()?;
    if files.len() > FILES_CHECKED_MAX {
        return Err(too_many(FILES_CHECKED_MAX));
    }
    let owner_id = caller.user_id();
    let batch = api.commands.batch(owner_id, batch_id).await?;
    let known = known(&api, owner_id.uuid(), &files).await?;
    let looking = files.into_iter().map(|file| {
        let FileName { sha1, blake3, extension } = file;
        let told = |status, asset_id, is_trashed| CheckedFileDto {
            sha1: sha1.clone(),
            status,
            asset_id,
            is_trashed,
            key: None,
        };
        let decided = if let Some(done) = batch.done(&sha1) {
            Ok(told("committed", Some(done.asset_id.uuid()), None))
        } else if let Some(found) = known.get(&sha1) {
            let status = if found.is_whole { "duplicate" } else { "damaged" };
            Ok(told(status, Some(found.asset_id), Some(found.is_trashed)))
        } else if let Some(blake3) = blake3 {
            let asset_id = asset_id_in(batch_id, &sha1, &blake3);
            Err(BlobKey::original(owner_id.uuid(), asset_id.uuid(), extension))
        } else {
            Ok(told("missing", None, None))
        };
        let api = api.clone();
        async move {
            let key = match decided {
                Ok(told) => return Ok::<_, Problem>((told, None)),
                Err(key) => key,
            };
            let there =
                api.blobs.stat(&key).await.map_err(|error| receive::storage(&error))?.is_some();
            let status = if there { "uploaded" } else { "missing" };
            let missing = (!there).then(|| key.as_str().to_owned());
            let key = (with_keys && !api.blobs.is_remote()).then(|| key.as_str().to_owned());
            Ok((CheckedFileDto { sha1, status, asset_id: None, is_trashed: None, key }, missing))
        }
    });
    let looked =
        futures::stream::iter(looking).buffered(LOOKS_AT_ONCE_MAX).try_collect::<Vec<_>>().await?;
    let (files, missing): (Vec<CheckedFileDto>, Vec<Option<String>>) = looked.into_iter().unzip();
    let missing: Vec<String> = missing.into_iter().flatten().collect();
    // They are sent next: noted once for all of them, and not for each when it comes.
    let noted = api.incoming.expected(batch_id, owner_id, &missing, caller.context().now).await;
    noted.map_err(|error| Problem::from(ProjectionError::from(error)))?;
    Ok(Json(CheckBatchResponseDto { files }))
}

struct Known {
    asset_id: Uuid,
    is_trashed: bool,
    is_whole: bool,
}

/// Those of some files that their owner has. A client may delete its copy on this word, so it is the log's.
async fn known(
    api: &Api,
    owner_id: Uuid,
    files: &[FileName],
) -> Result<HashMap<String, Known>, Problem> {
    let sha1: Vec<String> = files.iter().map(|file| file.sha1.clone()).collect();
    let found = api.queries.assets_by_sha1(owner_id, &sha1).await?;
    let ids: Vec<Uuid> = found.iter().map(|(_, asset_id, _)| *asset_id).collect();
    let asset_ids: Vec<AssetId> = ids.iter().copied().map(AssetId::new).collect();
    let kept = api.commands.kept_of(&asset_ids).await?;
    let lost = api.findings.of_assets(&ids).await.map_err(|error| Problem::internal(&error))?;
    Ok(found
        .into_iter()
        .filter(|(_, asset_id, _)| kept.contains(&AssetId::new(*asset_id)))
        .map(|(sha1, asset_id, is_trashed)| {
            let is_whole = lost.iter().all(|(lost, _)| *lost != asset_id);
            (sha1, Known { asset_id, is_trashed, is_whole })
        })
        .collect())
}
