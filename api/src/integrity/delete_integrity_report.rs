//! `DELETE /admin/integrity/report/{id}`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_commands::CommandError;
use calotype_domain::asset::AssetError;
use calotype_domain::integrity::Check;
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, UserId};
use calotype_media::blob::BlobKey;
use calotype_projections::assets::AssetRow;

use super::dto::{check, load};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Takes one finding out of the report: the asset whose file is not right goes into its owner's trash, a file
/// that nothing speaks of is removed. What is right again by now is left alone.
#[utoipa::path(
    delete, path = "/admin/integrity/report/{id}", tag = "Maintenance (admin)",
    operation_id = "deleteIntegrityReport", params(("id" = Uuid, Path)),
    responses((status = 200))
)]
pub(super) async fn delete_integrity_report(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require_admin(Permission::Maintenance)?;
    let finding = load(&api, &id).await?;
    let check = check(&finding.name)?;
    if check == Check::UntrackedFile {
        let is_untracked =
            !api.queries.untracked(std::slice::from_ref(&finding.key)).await?.is_empty();
        let asked = std::slice::from_ref(&finding.key);
        let is_wanted = !api.commands.spoken_for(&api.findings, asked).await?.is_empty();
        let moves = api.findings.is_being_moved(&finding.key).await;
        let is_being_moved = moves.map_err(|error| Problem::internal(&error))?;
        if let Ok(key) = BlobKey::parse(&finding.key)
            && is_untracked
            && !is_wanted
            && !is_being_moved
            && !api.blobs.may_be_committed(&key).await
        {
            api.blobs.remove(&key).await.map_err(|error| Problem::internal(&error))?;
        }
    } else if let Some(asset_id) = finding.asset_id
        && let Some(row) = api.queries.asset(asset_id).await?
        && !is_right_again(&api, check, &finding.key, &row).await?
    {
        let (by, asset_id) = (UserId::new(row.owner_id), AssetId::new(asset_id));
        let trashed = api.commands.trash_assets(&caller.context(), by, &[asset_id]).await;
        match trashed {
            Ok(outcome) => api.surely_seen(&outcome).await?,
            Err(CommandError::Refused(AssetError::NotFound)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let keys = std::slice::from_ref(&finding.key);
    api.findings.settle(check, keys).await.map_err(|error| Problem::internal(&error))?;
    Ok(StatusCode::OK)
}

/// Whether a finding holds no longer: the asset's files lie elsewhere by now, or the one that was missing is back.
async fn is_right_again(
    api: &Api,
    check: Check,
    key: &str,
    row: &AssetRow,
) -> Result<bool, Problem> {
    if row.original_key != key && row.sidecar_key.as_deref() != Some(key) {
        return Ok(true);
    }
    let (Check::MissingFile, Ok(key)) = (check, BlobKey::parse(key)) else { return Ok(false) };
    let found = api.blobs.stat(&key).await.map_err(|error| Problem::internal(&error))?;
    Ok(found.is_some())
}
