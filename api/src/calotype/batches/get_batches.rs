//! `GET /calotype/batches`, one of them, and its receipt.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::BatchId;
use calotype_domain::permission::Permission;
use chrono::SecondsFormat;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::BatchResponseDto;
use crate::assets::dto::hex;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// What a batch did, file by file.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BatchReceiptDto {
    batch: BatchResponseDto,
    /// BLAKE3, in hex, of one line for each file in order: SHA-1, space, asset, space, `created` or `duplicate`, line
    /// feed.
    digest: String,
    /// SHA-256 of the same lines, in hex.
    sha256: String,
    /// Counts and digests as text signed by the log's key (C2SP signed-note, Ed25519).
    signature: String,
    files: Vec<ReceiptFileDto>,
}

/// One file.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReceiptFileDto {
    sha1: String,
    asset_id: Uuid,
    /// `created` or `duplicate`.
    status: &'static str,
    /// Its length, where it was sent.
    #[schema(required)]
    size_bytes: Option<u64>,
    album_ids: Vec<Uuid>,
    tag_ids: Vec<Uuid>,
}

/// The caller's newest batches, at most 1,000.
#[utoipa::path(
    get, path = "/calotype/batches", tag = "Calotype", operation_id = "getBatches",
    responses((status = 200, body = Vec<BatchResponseDto>))
)]
pub(super) async fn get_batches(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<BatchResponseDto>>, Problem> {
    caller.require(Permission::AssetUpload)?;
    let rows = api.queries.batches_of(caller.user_id().uuid()).await?;
    Ok(Json(rows.into_iter().map(BatchResponseDto::from).collect()))
}

/// One batch of the caller's.
#[utoipa::path(
    get, path = "/calotype/batches/{id}", tag = "Calotype", operation_id = "getBatch",
    params(("id" = Uuid, Path)), responses((status = 200, body = BatchResponseDto))
)]
pub(super) async fn get_batch(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<BatchResponseDto>, Problem> {
    caller.require(Permission::AssetUpload)?;
    let id = path_uuid("id", &id)?;
    shown(&api, &caller, id).await.map(Json)
}

/// What a batch of the caller's did, file by file.
#[utoipa::path(
    get, path = "/calotype/batches/{id}/receipt", tag = "Calotype", operation_id = "getBatchReceipt",
    params(("id" = Uuid, Path)), responses((status = 200, body = BatchReceiptDto))
)]
pub(super) async fn get_batch_receipt(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<BatchReceiptDto>, Problem> {
    caller.require(Permission::AssetUpload)?;
    let id = path_uuid("id", &id)?;
    let batch = shown(&api, &caller, id).await?;
    let entries = api.commands.batch_entries(caller.user_id(), BatchId::new(id)).await?;
    let (mut digest, mut sha256, mut created) = (blake3::Hasher::new(), Sha256::new(), 0_usize);
    let files: Vec<ReceiptFileDto> = entries
        .into_iter()
        .map(|entry| {
            let status = if entry.is_new { "created" } else { "duplicate" };
            let line = format!("{} {} {status}\n", entry.sha1, entry.asset_id);
            digest.update(line.as_bytes());
            sha256.update(line.as_bytes());
            created += usize::from(entry.is_new);
            ReceiptFileDto {
                sha1: entry.sha1,
                asset_id: entry.asset_id.uuid(),
                status,
                size_bytes: entry.size_bytes,
                album_ids: entry.album_ids.into_iter().map(|id| id.uuid()).collect(),
                tag_ids: entry.tag_ids.into_iter().map(|id| id.uuid()).collect(),
            }
        })
        .collect();
    let (digest, sha256) = (hex(digest.finalize().as_bytes()), hex(&sha256.finalize()));
    let lines = [
        format!("import {id} of {}", caller.user_id()),
        format!("signed {}", caller.context().now.to_rfc3339_opts(SecondsFormat::Micros, true)),
        format!("files {} created {created} duplicates {}", files.len(), files.len() - created),
        format!("blake3 {digest}"),
        format!("sha256 {sha256}"),
    ];
    let signature = api.proofs.sign_receipt(&lines).await?;
    Ok(Json(BatchReceiptDto { batch, digest, sha256, signature, files }))
}

/// One batch of the caller's, as it is shown.
///
/// # Errors
/// 400 for a batch that is not theirs.
pub(super) async fn shown(
    api: &Api,
    caller: &Caller,
    id: Uuid,
) -> Result<BatchResponseDto, Problem> {
    let row = api.queries.batch(id).await?;
    caller.require_owned(Permission::AssetUpload, row.as_ref().map(|row| row.owner_id))?;
    row.map(BatchResponseDto::from).ok_or_else(|| Problem::no_access(Permission::AssetUpload))
}
