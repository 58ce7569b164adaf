//! An album as Immich's REST API shows it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use calotype_projections::albums::AlbumView;
use chrono::NaiveDateTime;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;
use crate::users::dto::UserResponseDto;
use crate::validate::Fields;

/// Immich's words for parts in an album, in the order of its document.
pub(super) const ROLES: &[&str] = &["editor", "owner", "viewer"];

/// An album.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlbumResponseDto {
    album_name: String,
    /// Empty when there is none.
    description: String,
    #[schema(required)]
    album_thumbnail_asset_id: Option<Uuid>,
    created_at: String,
    updated_at: String,
    id: Uuid,
    /// The owner first, then the caller, then the others by name.
    album_users: Vec<AlbumUserResponseDto>,
    shared: bool,
    has_shared_link: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<String>,
    asset_count: i64,
    is_activity_enabled: bool,
    order: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_asset_timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contributor_counts: Option<Vec<ContributorCountResponseDto>>,
}

/// Somebody's part in an album.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlbumUserResponseDto {
    #[schema(value_type = UserResponseDto)]
    user: Arc<UserResponseDto>,
    role: String,
}

/// How many assets of an album are somebody's.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContributorCountResponseDto {
    user_id: Uuid,
    asset_count: i64,
}

/// How an answer spells the dates of an album's assets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Days, and when an asset last changed: what a page and a list show.
    Days,
    /// Instants, as the answer to a change shows them.
    Instants,
}

impl AlbumResponseDto {
    fn new(
        album: AlbumView,
        viewer_id: Uuid,
        people: &HashMap<Uuid, Arc<UserResponseDto>>,
        spelling: Spelling,
        has_shared_link: bool,
    ) -> Self {
        let mut members: Vec<(String, &Arc<UserResponseDto>)> = album
            .members(viewer_id)
            .into_iter()
            .filter_map(|member| Some((member.role, people.get(&member.user_id)?)))
            .collect();
        let fixed = members
            .iter()
            .take(2)
            .filter(|(_, user)| Some(user.id()) == album.owner_id() || user.id() == viewer_id);
        let fixed = fixed.count();
        if let Some(others) = members.get_mut(fixed..) {
            others.sort_by(|(_, one), (_, other)| one.name().cmp(other.name()));
        }
        let shared = has_shared_link || members.len() > 1;
        let spell = |instant: NaiveDateTime| match spelling {
            Spelling::Days => {
                let midnight = instant.date().and_time(chrono::NaiveTime::MIN);
                dates::iso_local(midnight)
            }
            Spelling::Instants => dates::postgres(instant.and_utc()),
        };
        Self {
            album_name: album.name,
            description: album.description,
            album_thumbnail_asset_id: album.cover_id,
            created_at: dates::iso(album.created_at),
            updated_at: dates::iso(album.updated_at),
            id: album.album_id,
            album_users: members
                .into_iter()
                .map(|(role, user)| AlbumUserResponseDto { user: Arc::clone(user), role })
                .collect(),
            shared,
            has_shared_link,
            start_date: album.start_at.map(spell),
            end_date: album.end_at.map(spell),
            asset_count: album.asset_count,
            is_activity_enabled: album.is_activity_enabled,
            order: album.sort_order,
            last_modified_asset_timestamp: album
                .assets_changed_at
                .filter(|_| spelling == Spelling::Days)
                .map(dates::iso),
            contributor_counts: None,
        }
    }

    /// Several albums, with the people in them asked for once.
    ///
    /// # Errors
    /// What the database said.
    pub(super) async fn list(
        api: &Api,
        caller: &Caller,
        albums: Vec<AlbumView>,
        spelling: Spelling,
    ) -> Result<Vec<Self>, Problem> {
        let mut user_ids: Vec<Uuid> =
            albums.iter().flat_map(|album| album.member_ids.iter().copied()).collect();
        user_ids.sort_unstable();
        user_ids.dedup();
        let mut people = api.queries.accounts(&user_ids).await?;
        let album_ids: Vec<Uuid> = albums.iter().map(|album| album.album_id).collect();
        let linked: HashSet<Uuid> =
            api.queries.albums_with_links(&album_ids).await?.into_iter().collect();
        if caller.link().is_some() {
            // Visitors see who shares, not how to write to them, and not with whom else.
            people.retain(|user| user.user_id == caller.user_id().uuid());
            people.iter_mut().for_each(|user| user.email.clear());
        }
        let people: HashMap<Uuid, Arc<UserResponseDto>> = people
            .into_iter()
            .map(|row| (row.user_id, Arc::new(UserResponseDto::nested(row))))
            .collect();
        let viewer_id = caller.user_id().uuid();
        Ok(albums
            .into_iter()
            .map(|album| {
                let has_shared_link = linked.contains(&album.album_id);
                Self::new(album, viewer_id, &people, spelling, has_shared_link)
            })
            .collect())
    }

    /// As the answer about a link shows it: not who has a part in it, and in a list not what is in it.
    pub(crate) fn of_link(album: AlbumView, is_listed: bool) -> Self {
        let spell = |instant: Option<NaiveDateTime>| {
            instant.filter(|_| !is_listed).map(|instant| dates::postgres(instant.and_utc()))
        };
        Self {
            start_date: spell(album.start_at),
            end_date: spell(album.end_at),
            album_name: album.name,
            description: album.description,
            album_thumbnail_asset_id: album.cover_id,
            created_at: dates::postgres(album.created_at),
            updated_at: dates::postgres(album.updated_at),
            id: album.album_id,
            album_users: Vec::new(),
            shared: true,
            has_shared_link: true,
            asset_count: if is_listed { 0 } else { album.asset_count },
            is_activity_enabled: album.is_activity_enabled,
            order: album.sort_order,
            last_modified_asset_timestamp: None,
            contributor_counts: None,
        }
    }

    /// An album as the answer to a change shows it.
    ///
    /// # Errors
    /// 400 when it is not there.
    pub(super) async fn changed(api: &Api, caller: &Caller, id: Uuid) -> Result<Self, Problem> {
        let album = api.queries.album(id).await?.ok_or_else(not_found)?;
        let answer = Self::list(api, caller, vec![album], Spelling::Instants).await?.pop();
        answer.ok_or_else(not_found)
    }

    /// An album as its page shows it.
    ///
    /// # Errors
    /// 400 when it is not there.
    pub(super) async fn page(api: &Api, caller: &Caller, id: Uuid) -> Result<Self, Problem> {
        let album = api.queries.album(id).await?.ok_or_else(not_found)?;
        let page = Self::list(api, caller, vec![album], Spelling::Days).await?.pop();
        let mut page = page.ok_or_else(not_found)?;
        // Visitors of a link are not told with whom else the album is shared.
        let is_told = page.album_users.len() > 1 || caller.link().is_none();
        if page.shared && is_told {
            let contributors = api.queries.album_contributors(id).await?;
            page.contributor_counts = Some(
                contributors
                    .into_iter()
                    .map(|(user_id, asset_count)| ContributorCountResponseDto {
                        user_id,
                        asset_count,
                    })
                    .collect(),
            );
        }
        Ok(page)
    }
}

/// An album that does not show yet, or went away between two questions.
fn not_found() -> Problem {
    Problem::unavailable()
}

/// `name` as a text, or empty for `null`; nothing when it is not there.
pub(super) fn text_or_null(fields: &mut Fields, name: &str) -> Option<String> {
    if fields.is_null(name) {
        return Some(String::new());
    }
    fields.string(name)
}

/// Whether some accounts are all there.
///
/// # Errors
/// 400 `User not found`.
pub(super) async fn require_people(api: &Api, user_ids: &[Uuid]) -> Result<(), Problem> {
    let mut wanted = user_ids.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    if api.queries.accounts(&wanted).await?.len() < wanted.len() {
        return Err(Problem::bad_request("Invalid user"));
    }
    Ok(())
}
