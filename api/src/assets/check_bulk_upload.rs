//! `POST /assets/bulk-upload-check`: which of many files are there already, by checksum.

use std::collections::HashMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use calotype_domain::AssetId;
use calotype_domain::permission::Permission;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::sha1_of_checksum;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, wrong_type};

/// One file to ask for.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetBulkUploadCheckItem {
    id: String,
    checksum: String,
}

/// The files to ask for.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetBulkUploadCheckDto {
    assets: Vec<AssetBulkUploadCheckItem>,
}

/// What to do with one file.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetBulkUploadCheckResult {
    id: String,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asset_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_trashed: Option<bool>,
}

/// What to do with each file, in the order of the question.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssetBulkUploadCheckResponseDto {
    results: Vec<AssetBulkUploadCheckResult>,
}

/// Says which files are there already.
#[utoipa::path(
    post, path = "/assets/bulk-upload-check", tag = "Assets", operation_id = "checkBulkUpload",
    request_body = AssetBulkUploadCheckDto,
    responses((status = 200, body = AssetBulkUploadCheckResponseDto))
)]
pub(crate) async fn check_bulk_upload(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<AssetBulkUploadCheckResponseDto>, Problem> {
    caller.require(Permission::AssetUpload)?;
    let items = items(Fields::json(&body)?)?;
    let digests: Vec<Option<String>> =
        items.iter().map(|(_, checksum)| sha1_of_checksum(checksum)).collect();
    let asked: Vec<String> = digests.iter().flatten().cloned().collect();
    let owner_id = caller.user_id().uuid();
    let found: HashMap<String, (Uuid, bool)> = api
        .queries
        .assets_by_sha1(owner_id, &asked)
        .await?
        .into_iter()
        .map(|(sha1, asset_id, is_trashed)| (sha1, (asset_id, is_trashed)))
        .collect();
    let known: Vec<Uuid> = found.values().map(|(asset_id, _)| *asset_id).collect();
    // A client may delete its copy on this word, so it is the log's.
    let asset_ids: Vec<AssetId> = known.iter().copied().map(AssetId::new).collect();
    let kept = api.commands.kept_of(&asset_ids).await?;
    let lost = api.findings.of_assets(&known).await.map_err(|error| Problem::internal(&error))?;
    // What a check found lost or damaged is wanted once more.
    let is_whole = |asset_id: &Uuid| {
        kept.contains(&AssetId::new(*asset_id)) && lost.iter().all(|(lost, _)| lost != asset_id)
    };
    let results = items
        .into_iter()
        .zip(digests)
        .map(|((id, _), sha1)| {
            let known = sha1.and_then(|sha1| found.get(&sha1));
            let known = known.filter(|(asset_id, _)| is_whole(asset_id));
            AssetBulkUploadCheckResult {
                id,
                action: if known.is_some() { "reject" } else { "accept" },
                reason: known.map(|_| "duplicate"),
                asset_id: known.map(|(asset_id, _)| *asset_id),
                is_trashed: known.map(|(_, is_trashed)| *is_trashed),
            }
        })
        .collect();
    Ok(Json(AssetBulkUploadCheckResponseDto { results }))
}

fn items(mut fields: Fields) -> Result<Vec<(String, String)>, Problem> {
    let mut items = Vec::new();
    match fields.take("assets") {
        Some(Value::Array(values)) => {
            for (index, value) in values.iter().enumerate() {
                let mut text = |name: &str| match value.get(name) {
                    Some(Value::String(text)) => text.clone(),
                    other => {
                        let mut issue = wrong_type("string", other, &[]);
                        if let Some(object) = issue.as_object_mut() {
                            object.insert("path".into(), json!(["assets", index, name]));
                        }
                        fields.issue(issue);
                        String::new()
                    }
                };
                items.push((text("id"), text("checksum")));
            }
        }
        other => fields.issue(wrong_type("array", other.as_ref(), &["assets"])),
    }
    fields.finish()?;
    Ok(items)
}
