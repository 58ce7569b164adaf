//! `GET /assets/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;
use calotype_projections::assets::AssetRow;
use calotype_projections::people::PersonRow;

use super::dto::AssetResponseDto;
use crate::access::require_asset;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// One asset with everything its page shows.
#[utoipa::path(
    get, path = "/assets/{id}", tag = "Assets", operation_id = "getAssetInfo",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = AssetResponseDto))
)]
pub(crate) async fn get_asset_info(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<AssetResponseDto>, Problem> {
    caller.require_shared(Permission::AssetRead)?;
    let asset = api.queries.asset(path_uuid("id", &id)?).await?;
    require_asset(&api, &caller, Permission::AssetRead, asset.as_ref()).await?;
    let asset = asset.ok_or_else(|| Problem::no_access(Permission::AssetRead))?;
    if asset.owner_id == caller.user().user_id {
        let people = people_on(&api, &caller, &asset).await?;
        return Ok(Json(AssetResponseDto::whole(asset, caller.user()).with_people(people)));
    }
    let owner = api.queries.user(asset.owner_id).await?;
    let owner = owner.ok_or_else(|| Problem::no_access(Permission::AssetRead))?;
    Ok(Json(AssetResponseDto::whole(asset.as_seen_by_others(), &owner)))
}

/// Who is on an asset, for its owner; nobody for others.
///
/// # Errors
/// What the database said.
pub(super) async fn people_on(
    api: &Api,
    caller: &Caller,
    asset: &AssetRow,
) -> Result<Vec<PersonRow>, Problem> {
    let is_own = caller.require_owned(Permission::AssetRead, Some(asset.owner_id)).is_ok();
    if !is_own {
        return Ok(Vec::new());
    }
    let people = api.queries.people_of_assets(&[asset.asset_id]).await?;
    Ok(people.into_iter().map(|(_, person)| person).collect())
}
