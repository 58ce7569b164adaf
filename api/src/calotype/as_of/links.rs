//! `GET /calotype/as-of/links`: the caller's shared links as they were.

use std::collections::{HashMap, HashSet};

use axum::Json;
use axum::extract::{RawQuery, State};
use calotype_domain::access::Reach;
use calotype_domain::asset::Visibility;
use calotype_domain::permission::Permission;
use calotype_projections::as_of::{LinkThen, Shown};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::at::{MomentDto, required_at};
use super::seen::seen;
use super::turn;
use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::sharing::partners_of;
use crate::state::Api;
use crate::validate::Fields;

/// The caller's shared links as they were.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinksAsOfDto {
    at: MomentDto,
    /// Newest first.
    links: Vec<LinkAsOfDto>,
}

/// A shared link as it was. What opened it is not told.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LinkAsOfDto {
    id: Uuid,
    /// `ALBUM` or `INDIVIDUAL`.
    r#type: &'static str,
    #[schema(required)]
    album_id: Option<Uuid>,
    #[schema(required)]
    description: Option<String>,
    has_password: bool,
    #[schema(required)]
    expires_at: Option<String>,
    allow_upload: bool,
    allow_download: bool,
    show_metadata: bool,
    created_at: String,
    /// What it showed one by one, as far as the caller may see it now.
    asset_ids: Vec<Uuid>,
    /// How many assets it showed one by one that were deleted for good since.
    forgotten: usize,
}

/// Tells which links of the caller's opened something at a moment, whatever became of them.
#[utoipa::path(
    get,
    path = "/calotype/as-of/links",
    operation_id = "getLinksAsOf",
    tag = "Calotype",
    params((
        "at" = String, Query, description = "An instant (ISO 8601), a day, or a position in the log"
    )),
    responses((status = 200, body = LinksAsOfDto)),
)]
pub(super) async fn get_links_as_of(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<LinksAsOfDto>, Problem> {
    caller.require(Permission::SharedLinkRead)?;
    let mut fields = Fields::query(query.as_deref());
    let at = required_at(&mut fields);
    fields.finish()?;
    let at = at.find(&api, &caller).await?;
    let _turn = turn().await?;
    let links = api.queries.links_then(caller.user_id().uuid(), at.position()).await?;
    let ids: HashSet<Uuid> = links.iter().flat_map(|link| link.asset_ids.iter().copied()).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let assets = api.queries.assets_then(&ids, at.position()).await?;
    let there: HashSet<Uuid> = assets.iter().map(|asset| asset.asset_id).collect();
    let partners = partners_then(&api, &caller, at).await?;
    let reach =
        move |owner_id| Reach { is_partner: partners.contains(&owner_id), ..Reach::default() };
    let seen = seen(&api, &caller, assets, reach).await?;
    let shown: HashMap<Uuid, Shown> = seen
        .into_iter()
        .filter(|(_, then)| !then.is_trashed && then.visibility != Visibility::Locked)
        .map(|(asset, then)| (asset.asset_id, then))
        .collect();
    let links = links.into_iter().map(|link| tell(link, &there, &shown)).collect();
    Ok(Json(LinksAsOfDto { at, links }))
}

/// Whose timeline was shared with the caller then, and is now: of others' photos a link shows those alone.
async fn partners_then(
    api: &Api,
    caller: &Caller,
    at: MomentDto,
) -> Result<HashSet<Uuid>, Problem> {
    let me = caller.user_id().uuid();
    let partners = partners_of(api, me).await?;
    let ids: Vec<Uuid> = partners
        .iter()
        .filter(|pair| pair.shared_with_id == me)
        .map(|pair| pair.partner_id)
        .collect();
    let then = api.queries.partners_then(&ids, at.position()).await?;
    Ok(then.into_values().map(|pair| pair.shared_by_id).collect())
}

fn tell(link: LinkThen, there: &HashSet<Uuid>, shown: &HashMap<Uuid, Shown>) -> LinkAsOfDto {
    let LinkThen { row, mut asset_ids, .. } = link;
    let forgotten = asset_ids.iter().filter(|asset_id| !there.contains(*asset_id)).count();
    asset_ids.retain(|asset_id| shown.contains_key(asset_id));
    LinkAsOfDto {
        id: row.shared_link_id,
        r#type: if row.album_id.is_some() { "ALBUM" } else { "INDIVIDUAL" },
        album_id: row.album_id,
        description: row.description,
        has_password: row.has_password,
        expires_at: row.expires_at.map(dates::iso),
        allow_upload: row.allow_upload,
        allow_download: row.allow_download,
        show_metadata: row.show_metadata,
        created_at: dates::iso(row.created_at),
        asset_ids,
        forgotten,
    }
}
