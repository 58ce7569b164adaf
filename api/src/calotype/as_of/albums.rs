//! `GET /calotype/as-of/albums` and `…/albums/{id}`: the caller's albums as they were.

use std::collections::{HashMap, HashSet};

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use calotype_domain::access::{AlbumRole, Object, Reach, check};
use calotype_domain::asset::Visibility;
use calotype_domain::permission::Permission;
use calotype_domain::undo::Undo as _;
use calotype_projections::albums::AlbumFilter;
use calotype_projections::as_of::{AlbumThen, Shown};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::at::{At, MomentDto, required_at};
use super::seen::seen;
use super::turn;
use crate::access::allowed_albums;
use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Deleted albums that are looked through for the caller's.
const DELETED_MAX: i64 = 10_000;

/// The caller's albums as they were.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlbumsAsOfDto {
    at: MomentDto,
    /// Newest first.
    albums: Vec<AlbumAsOfDto>,
}

/// An album as it was, with what was in it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlbumPageAsOfDto {
    at: MomentDto,
    album: AlbumAsOfDto,
    /// What it showed, in the order it came, as far as the caller may see it now.
    asset_ids: Vec<Uuid>,
    /// How many assets were in it that were deleted for good since.
    forgotten: usize,
}

/// An album as it was.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlbumAsOfDto {
    id: Uuid,
    album_name: String,
    description: String,
    /// `asc` or `desc`.
    order: String,
    is_activity_enabled: bool,
    #[schema(required)]
    album_thumbnail_asset_id: Option<Uuid>,
    /// Who had a part in it, as they came.
    album_users: Vec<AlbumUserAsOfDto>,
    /// How many assets it showed, as far as the caller may see them now.
    asset_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<String>,
    created_at: String,
    updated_at: String,
    /// Whether it is deleted now.
    is_deleted: bool,
}

/// Somebody's part in an album.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlbumUserAsOfDto {
    user_id: Uuid,
    /// `owner`, `editor` or `viewer`.
    role: String,
}

/// Tells which albums the caller had a part in at a moment and has now, and how they were. Deleted ones are among
/// them until they are forgotten.
#[utoipa::path(
    get,
    path = "/calotype/as-of/albums",
    operation_id = "getAlbumsAsOf",
    tag = "Calotype",
    params((
        "at" = String, Query, description = "An instant (ISO 8601), a day, or a position in the log"
    )),
    responses((status = 200, body = AlbumsAsOfDto)),
)]
pub(super) async fn get_albums_as_of(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<AlbumsAsOfDto>, Problem> {
    caller.require(Permission::AlbumRead)?;
    let at = parse(query.as_deref())?.find(&api, &caller).await?;
    let me = caller.user_id().uuid();
    let mine = api.queries.albums_of(me, &AlbumFilter::default()).await?;
    let there: Vec<Uuid> = mine.into_iter().map(|album| album.album_id).collect();
    let deleted = api.queries.deleted_albums(DELETED_MAX).await?;
    let _turn = turn().await?;
    let deleted = departed(&api, &caller, &deleted).await?;
    let ids: Vec<Uuid> = there.into_iter().chain(deleted.iter().copied()).collect();
    let mut albums: Vec<AlbumThen> =
        api.queries.albums_then(&ids, at.position()).await?.into_values().collect();
    albums.retain(|album| role_then(&caller, album).is_some());
    albums.sort_by_key(|album| (std::cmp::Reverse(album.created_at), album.album_id));
    let shown = Contents::of(&api, &caller, &albums, at).await?;
    let albums = albums
        .into_iter()
        .map(|album| {
            let is_deleted = deleted.contains(&album.album_id);
            shown.tell(album, is_deleted).0
        })
        .collect();
    Ok(Json(AlbumsAsOfDto { at, albums }))
}

/// Tells what an album was at a moment, to who had a part in it then and has now. A deleted one is told until it is
/// forgotten.
#[utoipa::path(
    get,
    path = "/calotype/as-of/albums/{id}",
    operation_id = "getAlbumAsOf",
    tag = "Calotype",
    params(
        ("id" = Uuid, Path),
        ("at" = String, Query, description = "An instant (ISO 8601), a day, or a position in the log")
    ),
    responses((status = 200, body = AlbumPageAsOfDto)),
)]
pub(super) async fn get_album_as_of(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<AlbumPageAsOfDto>, Problem> {
    caller.require(Permission::AlbumRead)?;
    let album_id = path_uuid("id", &id)?;
    let at = parse(query.as_deref())?;
    let now = allowed_albums(&api, &caller, Permission::AlbumRead, &[album_id]).await?;
    let is_deleted = now.is_empty();
    if is_deleted && departed(&api, &caller, &[album_id]).await?.is_empty() {
        return Err(Problem::no_access(Permission::AlbumRead));
    }
    let at = at.find(&api, &caller).await?;
    let _turn = turn().await?;
    let album = api.queries.albums_then(&[album_id], at.position()).await?.remove(&album_id);
    let album = album.filter(|album| role_then(&caller, album).is_some());
    let album = album.ok_or_else(|| Problem::no_access(Permission::AlbumRead))?;
    let contents = Contents::of(&api, &caller, std::slice::from_ref(&album), at).await?;
    let forgotten =
        album.asset_ids.iter().filter(|asset_id| !contents.there.contains(*asset_id)).count();
    let (album, asset_ids) = contents.tell(album, is_deleted);
    Ok(Json(AlbumPageAsOfDto { at, album, asset_ids, forgotten }))
}

fn parse(query: Option<&str>) -> Result<At, Problem> {
    let mut fields = Fields::query(query);
    let at = required_at(&mut fields);
    fields.finish()?;
    Ok(at)
}

/// Those of some albums that are deleted and not forgotten, and that the caller had a part in to the end.
async fn departed(
    api: &Api,
    caller: &Caller,
    album_ids: &[Uuid],
) -> Result<HashSet<Uuid>, Problem> {
    let found = api.queries.departed_albums(album_ids).await?;
    let mine = found.into_iter().filter(|(_, album)| {
        let object = album.object(caller.user_id());
        object.is_some_and(|it| check(caller.person(), Permission::AlbumRead, it).is_ok())
    });
    Ok(mine.map(|(album_id, _)| album_id).collect())
}

/// The part by which the caller could look into an album then.
fn role_then(caller: &Caller, album: &AlbumThen) -> Option<AlbumRole> {
    let me = caller.user_id().uuid();
    let (_, role) = album.members.iter().find(|(user_id, _)| *user_id == me)?;
    let role: Option<AlbumRole> = role.parse().ok();
    let object = Object::Album { role, by_link: false };
    role.filter(|_| check(caller.person(), Permission::AlbumRead, object).is_ok())
}

/// What some albums held, as far as it is there and as far as the caller is shown it.
struct Contents {
    there: HashSet<Uuid>,
    shown: HashMap<Uuid, Shown>,
}

impl Contents {
    async fn of(
        api: &Api,
        caller: &Caller,
        albums: &[AlbumThen],
        at: MomentDto,
    ) -> Result<Self, Problem> {
        let ids: HashSet<Uuid> =
            albums.iter().flat_map(|album| album.asset_ids.iter().copied()).collect();
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let assets = api.queries.assets_then(&ids, at.position()).await?;
        let there = assets.iter().map(|asset| asset.asset_id).collect();
        // Every one of them was in an album that the caller could look into.
        let reach = Reach { album: Some(AlbumRole::Viewer), ..Reach::default() };
        let seen = seen(api, caller, assets, move |_| reach).await?;
        let shows = |then: &Shown| {
            !then.is_trashed
                && matches!(then.visibility, Visibility::Timeline | Visibility::Archive)
        };
        let shown = seen
            .into_iter()
            .filter(|(_, then)| shows(then))
            .map(|(asset, then)| (asset.asset_id, then))
            .collect();
        Ok(Self { there, shown })
    }

    /// The album with what it showed, in its order.
    fn tell(&self, album: AlbumThen, is_deleted: bool) -> (AlbumAsOfDto, Vec<Uuid>) {
        let mut ids = album.asset_ids;
        ids.retain(|asset_id| self.shown.contains_key(asset_id));
        let days = || ids.iter().filter_map(|id| self.shown.get(id)).map(|it| it.local_date_time);
        let day = |local: chrono::NaiveDateTime| {
            dates::iso_local(local.date().and_time(chrono::NaiveTime::MIN))
        };
        let chosen = album.chosen_cover_id.filter(|cover_id| self.shown.contains_key(cover_id));
        let users = album.members.into_iter();
        let told = AlbumAsOfDto {
            id: album.album_id,
            album_name: album.name,
            description: album.description,
            order: album.sort_order,
            is_activity_enabled: album.is_activity_enabled,
            album_thumbnail_asset_id: chosen.or(ids.first().copied()),
            album_users: users.map(|(user_id, role)| AlbumUserAsOfDto { user_id, role }).collect(),
            asset_count: ids.len(),
            start_date: days().min().map(day),
            end_date: days().max().map(day),
            created_at: dates::iso(album.created_at),
            updated_at: dates::iso(album.updated_at),
            is_deleted,
        };
        (told, ids)
    }
}
