//! `GET /assets/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use calotype_domain::permission::Permission;
use calotype_projections::asset_extras::{AssetExtras, AssetPage};
use calotype_projections::assets::AssetRow;
use calotype_projections::people::PersonRow;

use super::dto::AssetResponseDto;
use super::linked::BareAssetDto;
use crate::access::require_asset;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// One asset with everything its page shows.
#[utoipa::path(
    get, path = "/assets/{id}", tag = "Assets", operation_id = "getAssetInfo",
    params(
        ("id" = uuid::Uuid, Path), ("key" = Option<String>, Query),
        ("slug" = Option<String>, Query)
    ),
    responses((status = 200, body = AssetResponseDto))
)]
pub(crate) async fn get_asset_info(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    caller.require_shared(Permission::AssetRead)?;
    let page = api.queries.asset_page(path_uuid("id", &id)?).await?;
    let asset = page.as_ref().map(|page| &page.asset);
    require_asset(&api, &caller, Permission::AssetRead, asset).await?;
    let AssetPage { asset, extras } =
        page.ok_or_else(|| Problem::no_access(Permission::AssetRead))?;
    if caller.link().is_some() {
        if caller.shows_metadata() {
            return Ok(Json(AssetResponseDto::to_visitors(asset)).into_response());
        }
        return Ok(Json(BareAssetDto::of(&asset)).into_response());
    }
    if asset.owner_id == caller.user().user_id {
        let whole = AssetResponseDto::whole(asset, caller.user(), extras);
        return Ok(Json(whole).into_response());
    }
    let owner = api.queries.user(asset.owner_id).await?;
    let owner = owner.ok_or_else(|| Problem::no_access(Permission::AssetRead))?;
    // Tags, stack, group of duplicates and people are the owner's alone.
    let nothing = AssetExtras::default();
    let whole = AssetResponseDto::whole(asset.as_seen_by_others(), &owner, nothing);
    Ok(Json(whole).into_response())
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
