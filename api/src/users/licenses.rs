//! Product keys by account, remembered until one is entered or taken away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use calotype_domain::catalogue::AnyEvent;
use calotype_domain::user::UserEvent;
use calotype_projections::Event;
use calotype_projections::config::EnteredLicense;
use moka::sync::Cache;
use uuid::Uuid;

use crate::problem::Problem;
use crate::state::Api;

/// Accounts remembered at once, at about 200 bytes each.
const ACCOUNTS_CACHED_MAX: u64 = 10_000;
/// A key is looked up anew after this, so that a missed change cannot last.
const LICENSE_CACHED_FOR: Duration = Duration::from_secs(60);

/// Remembers product keys, and who has none.
#[derive(Clone)]
pub(crate) struct Licenses {
    /// With how often any changed before it was read.
    known: Cache<Uuid, (u64, Option<EnteredLicense>)>,
    changes: Arc<AtomicU64>,
}

impl Default for Licenses {
    fn default() -> Self {
        let known = Cache::builder()
            .max_capacity(ACCOUNTS_CACHED_MAX)
            .time_to_live(LICENSE_CACHED_FOR)
            .build();
        Self { known, changes: Arc::default() }
    }
}

impl Licenses {
    /// Forgets all when one changed.
    pub(crate) fn on_applied(&self, events: &[Event]) {
        let changes = |event: &Event| {
            matches!(
                event.what,
                AnyEvent::User(
                    UserEvent::LicenseEntered(_)
                        | UserEvent::LicenseRemoved(_)
                        | UserEvent::Purged(_)
                )
            )
        };
        if events.iter().any(changes) {
            self.forget_all();
        }
    }

    /// Forgets all.
    pub(crate) fn forget_all(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }
}

/// The product key of an account.
///
/// # Errors
/// What the database said.
pub(crate) async fn license(api: &Api, user_id: Uuid) -> Result<Option<EnteredLicense>, Problem> {
    let licenses = &api.caches.licenses;
    // Before it is read: what changes meanwhile makes it out of date.
    let changes = licenses.changes.load(Ordering::Acquire);
    if let Some((before, license)) = licenses.known.get(&user_id)
        && before == changes
    {
        return Ok(license);
    }
    let license = api.queries.licenses(&[user_id]).await?.remove(&user_id);
    licenses.known.insert(user_id, (changes, license.clone()));
    Ok(license)
}
