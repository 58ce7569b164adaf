//! What is shared with whom, remembered for a moment: by which ways people reach assets, and who their
//! partners are. Dropped whenever something about sharing changes, before the change is answered.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use calotype_domain::UserId;
use calotype_domain::access::{AlbumRole, Object, Reach, check};
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::permission::Permission;
use calotype_domain::user::UserEvent;
use calotype_projections::Event;
use calotype_projections::partners::PartnerRow;
use moka::sync::Cache;
use uuid::Uuid;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Ways to assets remembered at once.
const REACHES_CACHED_MAX: u64 = 200_000;
/// People whose partners are remembered at once.
const PARTNERS_CACHED_MAX: u64 = 10_000;
/// What is remembered is looked up anew after this, so that a missed change cannot last.
const CACHED_FOR: Duration = Duration::from_secs(5);

/// What is shared with whom.
#[derive(Clone)]
pub(crate) struct Sharing {
    /// By viewer and asset.
    reaches: Cache<(Uuid, Uuid), Reach>,
    partners: Cache<Uuid, Arc<Vec<PartnerRow>>>,
    /// Counts how often everything was forgotten.
    generation: Arc<AtomicU64>,
}

impl Default for Sharing {
    fn default() -> Self {
        let reaches = Cache::builder().max_capacity(REACHES_CACHED_MAX).time_to_live(CACHED_FOR);
        let partners = Cache::builder().max_capacity(PARTNERS_CACHED_MAX).time_to_live(CACHED_FOR);
        Self { reaches: reaches.build(), partners: partners.build(), generation: Arc::default() }
    }
}

impl Sharing {
    /// Forgets everything when something about sharing changed.
    pub(crate) fn on_applied(&self, events: &[Event]) {
        if events.iter().any(|event| changes_sharing(&event.what)) {
            self.forget_all();
        }
    }

    /// Forgets everything.
    pub(crate) fn forget_all(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.reaches.invalidate_all();
        self.partners.invalidate_all();
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}

/// Whether an event changes who sees what.
pub(crate) fn changes_sharing(what: &AnyEvent) -> bool {
    matches!(
        what,
        AnyEvent::Album(_)
            | AnyEvent::Partner(_)
            | AnyEvent::User(UserEvent::Deleted(_) | UserEvent::Restored(_) | UserEvent::Purged(_))
    )
}

/// The sharings that a person gives or sees.
///
/// # Errors
/// What the database said.
pub(crate) async fn partners_of(api: &Api, user_id: Uuid) -> Result<Arc<Vec<PartnerRow>>, Problem> {
    let sharing = &api.caches.sharing;
    if let Some(partners) = sharing.partners.get(&user_id) {
        return Ok(partners);
    }
    let generation = sharing.generation();
    let partners = Arc::new(api.queries.partners_of(user_id).await?);
    sharing.partners.insert(user_id, Arc::clone(&partners));
    if sharing.generation() != generation {
        sharing.partners.invalidate(&user_id);
    }
    Ok(partners)
}

/// The caller, and those partners whose photos they want among their own.
///
/// # Errors
/// What the database said.
pub(crate) async fn timeline_owners(api: &Api, caller: &Caller) -> Result<Vec<Uuid>, Problem> {
    let me = caller.user_id().uuid();
    let partners = partners_of(api, me).await?;
    let shown = partners.iter().filter(|pair| {
        let owner_id = UserId::new(pair.shared_by_id);
        let timeline = Object::Timeline { owner_id, is_partner: true };
        pair.shared_with_id == me
            && pair.in_timeline
            && check(caller.person(), Permission::TimelineRead, timeline).is_ok()
    });
    Ok(std::iter::once(me).chain(shown.map(|pair| pair.shared_by_id)).collect())
}

/// By which ways a person reaches assets of others, given with their owners; one question at most.
///
/// # Errors
/// What the database said.
pub(crate) async fn reaches(
    api: &Api,
    viewer_id: Uuid,
    assets: &[(Uuid, Uuid)],
) -> Result<HashMap<Uuid, Reach>, Problem> {
    let sharing = &api.caches.sharing;
    let mut found = HashMap::with_capacity(assets.len());
    let mut wanted = Vec::new();
    for (asset_id, owner_id) in assets {
        match sharing.reaches.get(&(viewer_id, *asset_id)) {
            Some(reach) => {
                found.insert(*asset_id, reach);
            }
            None => wanted.push((*asset_id, *owner_id)),
        }
    }
    if wanted.is_empty() {
        return Ok(found);
    }
    let generation = sharing.generation();
    let partners = partners_of(api, viewer_id).await?;
    let asset_ids: Vec<Uuid> = wanted.iter().map(|(asset_id, _)| *asset_id).collect();
    let (by_albums, held_up) = tokio::try_join!(
        api.queries.album_reaches(viewer_id, &asset_ids),
        api.queries.held_up_assets(&asset_ids),
    )?;
    let mut roles: HashMap<Uuid, Option<AlbumRole>> =
        by_albums.into_iter().map(|reach| (reach.asset_id, highest(&reach.roles))).collect();
    for (asset_id, owner_id) in wanted {
        let is_partner = partners
            .iter()
            .any(|pair| pair.shared_by_id == owner_id && pair.shared_with_id == viewer_id);
        let album = roles.remove(&asset_id).flatten();
        // What waits of an asset may have taken it away.
        let reach = if held_up.contains(&asset_id) {
            Reach::default()
        } else {
            Reach { album, is_partner, by_link: false }
        };
        found.insert(asset_id, reach);
        sharing.reaches.insert((viewer_id, asset_id), reach);
    }
    if sharing.generation() != generation {
        // What was read may be what has just been taken away.
        sharing.reaches.invalidate_all();
    }
    Ok(found)
}

fn highest(roles: &[String]) -> Option<AlbumRole> {
    roles.iter().filter_map(|role| role.parse().ok()).max()
}
