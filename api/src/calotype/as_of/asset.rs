//! `GET /calotype/as-of/assets/{id}`: the page of an asset as it was.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use calotype_domain::access::{AlbumRole, Object, Reach, check};
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, UserId};
use calotype_projections::albums::AlbumFilter;
use calotype_projections::asset_extras::{AssetExtras, AssetPage};
use calotype_projections::assets::AssetRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::at::{MomentDto, required_at};
use crate::access::{AssetFacts, require_asset};
use crate::assets::dto::AssetResponseDto;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::sharing::partners_of;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// An asset as it was.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetAsOfDto {
    at: MomentDto,
    /// As its page showed it; `null` where it was not there, or is forgotten.
    #[schema(required)]
    asset: Option<AssetResponseDto>,
    /// Whether it was deleted for good since, so that what it was is not told any more.
    is_forgotten: bool,
}

/// Tells what an asset was at a moment, to who may see it now and might have seen it then: tags, people, stack and
/// group of duplicates to its owner alone.
#[utoipa::path(
    get,
    path = "/calotype/as-of/assets/{id}",
    operation_id = "getAssetAsOf",
    tag = "Calotype",
    params(
        ("id" = Uuid, Path),
        ("at" = String, Query, description = "An instant (ISO 8601), a day, or a position in the log")
    ),
    responses((status = 200, body = AssetAsOfDto)),
)]
pub(super) async fn get_asset_as_of(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<AssetAsOfDto>, Problem> {
    caller.require(Permission::AssetRead)?;
    let asset_id = path_uuid("id", &id)?;
    let mut fields = Fields::query(query.as_deref());
    let at = required_at(&mut fields);
    fields.finish()?;
    let now = api.queries.asset(asset_id).await?;
    if now.is_none() {
        // Whose it was is told by the log, to them alone.
        let owner_id = api.queries.owner_of_asset(AssetId::new(asset_id)).await?;
        caller.require_owned(Permission::AssetRead, owner_id.map(UserId::uuid))?;
        let at = at.find(&api, &caller).await?;
        return Ok(Json(AssetAsOfDto { at, asset: None, is_forgotten: true }));
    }
    require_asset(&api, &caller, Permission::AssetRead, now.as_ref()).await?;
    let at = at.find(&api, &caller).await?;
    let Some(page) = api.queries.asset_then(asset_id, at.position()).await? else {
        let is_own = now.is_some_and(|row| row.owner_id == caller.user_id().uuid());
        // When somebody else's photo came is not told.
        return if is_own {
            Ok(Json(AssetAsOfDto { at, asset: None, is_forgotten: false }))
        } else {
            Err(Problem::no_access(Permission::AssetRead))
        };
    };
    let asset = as_page(&api, &caller, page, at).await?;
    Ok(Json(AssetAsOfDto { at, asset: Some(asset), is_forgotten: false }))
}

/// The page, where the caller might have seen it.
async fn as_page(
    api: &Api,
    caller: &Caller,
    page: AssetPage,
    at: MomentDto,
) -> Result<AssetResponseDto, Problem> {
    let AssetPage { asset, extras } = page;
    let facts = AssetFacts::of(&asset)?;
    let reach = reach_then(api, caller, &asset, at).await?;
    check(caller.person(), Permission::AssetRead, facts.object(reach))
        .map_err(|denied| Problem::denied(denied, Permission::AssetRead))?;
    if asset.owner_id == caller.user().user_id {
        return Ok(AssetResponseDto::whole(asset, caller.user(), extras));
    }
    let owner = api.queries.user(asset.owner_id).await?;
    let owner = owner.ok_or_else(|| Problem::no_access(Permission::AssetRead))?;
    let nothing = AssetExtras::default();
    Ok(AssetResponseDto::whole(asset.as_seen_by_others(), &owner, nothing))
}

/// By which of the ways by which the caller reaches somebody else's asset now they reached it then.
async fn reach_then(
    api: &Api,
    caller: &Caller,
    asset: &AssetRow,
    at: MomentDto,
) -> Result<Reach, Problem> {
    let me = caller.user_id().uuid();
    if asset.owner_id == me {
        return Ok(Reach::default());
    }
    let partners = partners_of(api, me).await?;
    let pairs: Vec<Uuid> = partners
        .iter()
        .filter(|pair| pair.shared_by_id == asset.owner_id && pair.shared_with_id == me)
        .map(|pair| pair.partner_id)
        .collect();
    let filter = AlbumFilter { asset_id: Some(asset.asset_id), ..AlbumFilter::default() };
    let albums = api.queries.albums_of(me, &filter).await?;
    let album_ids: Vec<Uuid> = albums.into_iter().map(|album| album.album_id).collect();
    let albums = api.queries.albums_then(&album_ids, at.position()).await?;
    let roles = albums.into_values().filter_map(|album| {
        let (_, role) = album.members.iter().find(|(user_id, _)| *user_id == me)?;
        let object = Object::Album { role: role.parse().ok(), by_link: false };
        check(caller.person(), Permission::AlbumRead, object).ok()?;
        let held = album.asset_ids.contains(&asset.asset_id);
        role.parse::<AlbumRole>().ok().filter(|_| held)
    });
    Ok(Reach {
        album: roles.max(),
        is_partner: !api.queries.partners_then(&pairs, at.position()).await?.is_empty(),
        by_link: false,
    })
}
