//! Where the change log stood for each person, kept until anything at all is applied: phones ask far more often
//! than anything changes, and what is read for somebody with many albums is long.
//!
//! What is kept only says that there is nothing new. Before anything is told, the standing is read anew: a crash
//! of the database may have taken back what was applied last.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use calotype_projections::sync::Standing;
use moka::sync::Cache;
use uuid::Uuid;

use crate::problem::Problem;
use crate::state::Api;

/// Lines of standings remembered at once, at about 80 bytes each. An album has a handful.
const LINES_CACHED_MAX: u64 = 500_000;
/// A standing is read anew after this, so that a missed change cannot last.
const STANDING_CACHED_FOR: Duration = Duration::from_secs(60);

/// Remembers standings by person.
#[derive(Clone)]
pub(crate) struct Standings {
    /// With how often something was applied before it was read.
    known: Cache<Uuid, (u64, Arc<Standing>)>,
    applied: Arc<AtomicU64>,
}

impl Default for Standings {
    fn default() -> Self {
        let known = Cache::builder()
            .max_capacity(LINES_CACHED_MAX)
            .weigher(|_: &Uuid, (_, standing): &(u64, Arc<Standing>)| {
                u32::try_from(standing.lines() + 1).unwrap_or(u32::MAX)
            })
            .time_to_live(STANDING_CACHED_FOR)
            .build();
        Self { known, applied: Arc::default() }
    }
}

impl Standings {
    /// Forgets everything, when something was applied.
    pub(crate) fn forget_all(&self) {
        self.applied.fetch_add(1, Ordering::AcqRel);
    }
}

/// The standing that is kept of a person, where nothing was applied since.
pub(super) fn kept(api: &Api, user_id: Uuid) -> Option<Arc<Standing>> {
    let standings = &api.caches.standings;
    let (applied, standing) = standings.known.get(&user_id)?;
    (applied == standings.applied.load(Ordering::Acquire)).then_some(standing)
}

/// Where the change log stands for a person.
///
/// # Errors
/// What the database said.
pub(super) async fn read(api: &Api, user_id: Uuid) -> Result<Arc<Standing>, Problem> {
    let standings = &api.caches.standings;
    // Before it is read: what is applied meanwhile makes it out of date.
    let applied = standings.applied.load(Ordering::Acquire);
    let standing = Arc::new(api.queries.sync_standing(user_id).await?);
    standings.known.insert(user_id, (applied, Arc::clone(&standing)));
    Ok(standing)
}
