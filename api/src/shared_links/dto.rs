//! A shared link as clients see it.

use std::collections::HashMap;

use calotype_projections::shared_links::SharedLinkRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::albums::dto::AlbumResponseDto;
use crate::assets::linked::{LinkedAssetDto, LinkedDetail};
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;

/// Stands in the place of a password: only its hash is kept. Sent back, it changes nothing.
pub(super) const PASSWORD_MASK: &str = "********";
/// Assets of a link in one answer; one link holds no more.
const ASSETS_MAX: i64 = 20_000;
/// Assets of each link in a list of links, as with Immich.
const LISTED_ASSETS_MAX: i64 = 1;

/// One link.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SharedLinkResponseDto {
    id: Uuid,
    #[schema(required)]
    description: Option<String>,
    /// A mask when there is one; only a hash of it is kept.
    #[schema(required)]
    password: Option<&'static str>,
    user_id: Uuid,
    key: String,
    #[serde(rename = "type")]
    kind: &'static str,
    created_at: String,
    #[schema(required)]
    expires_at: Option<String>,
    assets: Vec<LinkedAssetDto>,
    #[serde(skip_serializing_if = "Option::is_none")]
    album: Option<AlbumResponseDto>,
    allow_upload: bool,
    allow_download: bool,
    show_metadata: bool,
    #[schema(required)]
    slug: Option<String>,
}

impl SharedLinkResponseDto {
    fn new(
        link: SharedLinkRow,
        assets: Vec<LinkedAssetDto>,
        album: Option<AlbumResponseDto>,
    ) -> Self {
        Self {
            id: link.shared_link_id,
            description: link.description,
            password: link.has_password.then_some(PASSWORD_MASK),
            user_id: link.owner_id,
            key: link.key.unwrap_or_default(),
            kind: if link.album_id.is_some() { "ALBUM" } else { "INDIVIDUAL" },
            created_at: dates::iso(link.created_at),
            expires_at: link.expires_at.map(dates::iso),
            assets,
            album,
            allow_upload: link.allow_upload,
            allow_download: link.allow_download,
            show_metadata: link.show_metadata,
            slug: link.slug,
        }
    }
}

/// Links with what they show: for a list only the first asset of each.
///
/// # Errors
/// What the database said.
pub(super) async fn listed(
    api: &Api,
    links: Vec<SharedLinkRow>,
) -> Result<Vec<SharedLinkResponseDto>, Problem> {
    let mut assets = assets(api, &links, LISTED_ASSETS_MAX, LinkedDetail::Plain).await?;
    let mut answers = Vec::with_capacity(links.len());
    for link in links {
        let shown = assets.remove(&link.shared_link_id).unwrap_or_default();
        let album = album(api, &link, true).await?;
        answers.push(SharedLinkResponseDto::new(link, shown, album));
    }
    Ok(answers)
}

/// A link with all that it shows.
///
/// # Errors
/// What the database said.
pub(super) async fn whole(
    api: &Api,
    link: SharedLinkRow,
    detail: LinkedDetail,
) -> Result<SharedLinkResponseDto, Problem> {
    let mut assets = assets(api, std::slice::from_ref(&link), ASSETS_MAX, detail).await?;
    let shown = assets.remove(&link.shared_link_id).unwrap_or_default();
    let album = album(api, &link, false).await?;
    Ok(SharedLinkResponseDto::new(link, shown, album))
}

/// A link that was just made, which Immich answers without its album.
///
/// # Errors
/// What the database said.
pub(super) async fn fresh(
    api: &Api,
    link: SharedLinkRow,
) -> Result<SharedLinkResponseDto, Problem> {
    let answer = whole(api, link, LinkedDetail::Plain).await?;
    Ok(SharedLinkResponseDto { album: None, ..answer })
}

async fn album(
    api: &Api,
    link: &SharedLinkRow,
    is_listed: bool,
) -> Result<Option<AlbumResponseDto>, Problem> {
    let Some(album_id) = link.album_id else { return Ok(None) };
    let album = api.queries.album(album_id).await?;
    Ok(album.map(|album| AlbumResponseDto::of_link(album, is_listed)))
}

async fn assets(
    api: &Api,
    links: &[SharedLinkRow],
    each: i64,
    detail: LinkedDetail,
) -> Result<HashMap<Uuid, Vec<LinkedAssetDto>>, Problem> {
    let ids: Vec<Uuid> = links
        .iter()
        .filter(|link| link.album_id.is_none())
        .map(|link| link.shared_link_id)
        .collect();
    let mut found: HashMap<Uuid, Vec<LinkedAssetDto>> = HashMap::new();
    if ids.is_empty() {
        return Ok(found);
    }
    for linked in api.queries.assets_of_links(&ids, each).await? {
        let shown = LinkedAssetDto::new(linked.asset, detail);
        found.entry(linked.shared_link_id).or_default().push(shown);
    }
    Ok(found)
}
