//! `POST /assets/jobs`: a step of processing is done again.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::asset::Stage;
use calotype_domain::permission::Permission;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::require_assets;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Immich's words for the steps.
const JOBS: &[&str] =
    &["refresh-faces", "refresh-metadata", "regenerate-thumbnail", "transcode-video"];

/// Which step for which assets.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetJobsDto {
    asset_ids: Vec<Uuid>,
    name: String,
}

/// Asks for a step of processing to be done again.
#[utoipa::path(
    post, path = "/assets/jobs", tag = "Assets", operation_id = "runAssetJobs",
    request_body = AssetJobsDto, responses((status = 204))
)]
pub(crate) async fn run_asset_jobs(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::JobCreate)?;
    let mut fields = Fields::json(&body)?;
    let asset_ids = fields.required_uuids("assetIds");
    let name = fields.option("name", JOBS);
    if !fields.has("name") {
        fields.issue(crate::validate::not_an_option(JOBS, &["name"]));
    }
    fields.finish()?;
    // A key needs the route's permission alone; the assets must be the caller's own.
    require_own(&api, &caller, &asset_ids).await?;
    let stage = match name.as_deref() {
        Some("refresh-metadata") => Stage::Metadata,
        Some("regenerate-thumbnail") => Stage::Thumbnails,
        Some("transcode-video") => Stage::Video,
        Some("refresh-faces") if finds_faces(&api).await? => Stage::Faces,
        // No model is there that would look, so nothing of it is left to do.
        _ => return Ok(StatusCode::NO_CONTENT),
    };
    let outcome = api.commands.request_processing(&caller.context(), &asset_ids, stage).await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether faces are to be found, and there is a model that does.
async fn finds_faces(api: &Api) -> Result<bool, Problem> {
    let settings = api.queries.settings().await?;
    Ok(api.finds_faces(&settings).await)
}

async fn require_own(
    api: &Api,
    caller: &Caller,
    asset_ids: &[calotype_domain::AssetId],
) -> Result<(), Problem> {
    let caller = caller.granted(Permission::AssetUpdate);
    let assets = require_assets(api, &caller, Permission::AssetUpdate, asset_ids).await?;
    api.caches.owners.learn(&assets);
    Ok(())
}
