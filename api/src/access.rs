//! Looks up the facts that `calotype_domain::access::check` decides by, and asks it. Holds no rule.
//!
//! The route asks first what a key may do ([`Caller::require`]); here it is asked what the person may do.

use std::collections::HashMap;

use calotype_domain::access::{AlbumRole, Grant, Object, Reach, check, needs_reach};
use calotype_domain::asset::Visibility;
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, UserId};
use calotype_projections::albums::AlbumPart;
use calotype_projections::assets::AssetRow;
use uuid::Uuid;

use crate::caller::Caller;
use crate::links;
use crate::problem::Problem;
use crate::sharing;
use crate::state::Api;

/// What the rules ask about an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AssetFacts {
    /// Which.
    pub(crate) asset_id: Uuid,
    /// Whose.
    pub(crate) owner_id: Uuid,
    /// Where it shows.
    pub(crate) visibility: Visibility,
    /// Whether it is in the trash.
    pub(crate) is_trashed: bool,
}

impl AssetFacts {
    /// The facts of a row.
    ///
    /// # Errors
    /// 500 for a word of visibility that is not known.
    pub(crate) fn of(row: &AssetRow) -> Result<Self, Problem> {
        let visibility = serde_json::from_value(serde_json::Value::String(row.visibility.clone()))
            .map_err(|error| Problem::internal(&error))?;
        Ok(Self {
            asset_id: row.asset_id,
            owner_id: row.owner_id,
            visibility,
            is_trashed: row.trashed_at.is_some(),
        })
    }

    /// What is asked for, reached by these ways.
    pub(crate) fn object(self, reach: Reach) -> Object {
        let Self { owner_id, visibility, is_trashed, .. } = self;
        Object::Asset { owner_id: UserId::new(owner_id), visibility, is_trashed, reach }
    }
}

/// Whether the caller may do this with an asset.
///
/// # Errors
/// 400 `Not found or no … access`, for a missing asset too.
pub(crate) async fn require_asset(
    api: &Api,
    caller: &Caller,
    permission: Permission,
    asset: Option<&AssetRow>,
) -> Result<(), Problem> {
    let asset = asset.ok_or_else(|| Problem::no_access(permission))?;
    require_facts(api, caller, permission, &[AssetFacts::of(asset)?]).await
}

/// The assets of a request, every one of which the caller may use.
///
/// # Errors
/// 400 when any is missing or not allowed: the whole request fails, as with Immich.
pub(crate) async fn require_assets(
    api: &Api,
    caller: &Caller,
    permission: Permission,
    asset_ids: &[AssetId],
) -> Result<Vec<AssetRow>, Problem> {
    let mut wanted: Vec<Uuid> = asset_ids.iter().map(|asset_id| asset_id.uuid()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let assets = api.queries.assets(&wanted).await?;
    if assets.len() < wanted.len() {
        return Err(Problem::no_access(permission));
    }
    let facts = assets.iter().map(AssetFacts::of).collect::<Result<Vec<_>, _>>()?;
    require_facts(api, caller, permission, &facts).await?;
    Ok(assets)
}

/// Those of some assets that the caller may use, for operations that answer for each by itself.
///
/// # Errors
/// What the database said.
pub(crate) async fn allowed_assets(
    api: &Api,
    caller: &Caller,
    permission: Permission,
    asset_ids: &[Uuid],
) -> Result<Vec<AssetRow>, Problem> {
    let assets = api.queries.assets(asset_ids).await?;
    let facts = assets.iter().map(AssetFacts::of).collect::<Result<Vec<_>, _>>()?;
    let reaches = reaches(api, caller, &facts).await?;
    let allowed = assets.into_iter().zip(&facts).filter(|(_, facts)| {
        let reach = reaches.get(&facts.asset_id).copied().unwrap_or_default();
        check(caller.person(), permission, facts.object(reach)).is_ok()
    });
    Ok(allowed.map(|(row, _)| row).collect())
}

/// Whether the caller may do this with every one of some assets.
///
/// # Errors
/// 400 `Not found or no … access` when any is not allowed.
pub(crate) async fn require_facts(
    api: &Api,
    caller: &Caller,
    permission: Permission,
    facts: &[AssetFacts],
) -> Result<(), Problem> {
    let reaches = reaches(api, caller, facts).await?;
    for facts in facts {
        let reach = reaches.get(&facts.asset_id).copied().unwrap_or_default();
        check(caller.person(), permission, facts.object(reach))
            .map_err(|denied| Problem::denied(denied, permission))?;
    }
    Ok(())
}

/// By which ways the caller reaches those assets that are not decided without; one question at most.
///
/// # Errors
/// What the database said.
pub(crate) async fn reaches(
    api: &Api,
    caller: &Caller,
    facts: &[AssetFacts],
) -> Result<HashMap<Uuid, Reach>, Problem> {
    let foreign: Vec<(Uuid, Uuid)> = facts
        .iter()
        .filter(|facts| needs_reach(caller.person(), UserId::new(facts.owner_id)))
        .map(|facts| (facts.asset_id, facts.owner_id))
        .collect();
    if let Grant::SharedLink { link_id, .. } = caller.viewer().grant {
        let asset_ids: Vec<Uuid> = foreign.iter().map(|(asset_id, _)| *asset_id).collect();
        return links::reached(api, link_id, &asset_ids).await;
    }
    if foreign.is_empty() {
        return Ok(HashMap::new());
    }
    sharing::reaches(api, caller.user_id().uuid(), &foreign).await
}

impl Caller {
    /// Whose things are the caller's own in a list: nobody's, where a link is what they came by.
    pub(crate) fn as_owner(&self) -> Uuid {
        if self.link().is_some() { Uuid::nil() } else { self.user_id().uuid() }
    }

    /// Whether the caller may do this with something that only its owner uses: a tag, a stack, a person.
    ///
    /// # Errors
    /// 400 `Not found or no … access`, for a missing thing too.
    pub fn require_owned(
        &self,
        permission: Permission,
        owner_id: Option<Uuid>,
    ) -> Result<(), Problem> {
        let owner_id = owner_id.ok_or_else(|| Problem::no_access(permission))?;
        let object = Object::Owned { owner_id: UserId::new(owner_id) };
        check(self.person(), permission, object)
            .map_err(|denied| Problem::denied(denied, permission))
    }
}

/// The caller's parts in some albums, with every one of which they may do this.
///
/// # Errors
/// 400 `Not found or no … access` when any is missing or not allowed.
pub(crate) async fn require_albums(
    api: &Api,
    caller: &Caller,
    permission: Permission,
    album_ids: &[Uuid],
) -> Result<Vec<AlbumPart>, Problem> {
    let mut wanted = album_ids.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let allowed = allowed_albums(api, caller, permission, &wanted).await?;
    if allowed.len() < wanted.len() {
        return Err(Problem::no_access(permission));
    }
    Ok(allowed)
}

/// The caller's part in an album that they may do this with.
///
/// # Errors
/// 400 `Not found or no … access`, for a missing album too.
pub(crate) async fn require_album(
    api: &Api,
    caller: &Caller,
    permission: Permission,
    album_id: Uuid,
) -> Result<AlbumPart, Problem> {
    let part = require_albums(api, caller, permission, &[album_id]).await?.pop();
    part.ok_or_else(|| Problem::no_access(permission))
}

/// The caller's parts in those of some albums that they may do this with.
///
/// # Errors
/// What the database said.
pub(crate) async fn allowed_albums(
    api: &Api,
    caller: &Caller,
    permission: Permission,
    album_ids: &[Uuid],
) -> Result<Vec<AlbumPart>, Problem> {
    let mut parts = api.queries.album_parts(caller.user_id().uuid(), album_ids).await?;
    parts.retain(|part| {
        // A link opens an album while whoever made it may share the album.
        let shares = part.role.parse().is_ok_and(|role: AlbumRole| role >= AlbumRole::Editor);
        let by_link =
            shares && caller.link().is_some_and(|link| link.album_id == Some(part.album_id));
        let object = Object::Album { role: part.role.parse().ok(), by_link };
        check(caller.person(), permission, object).is_ok()
    });
    Ok(parts)
}
