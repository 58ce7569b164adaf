//! Somebody known, and remembering them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use calotype_domain::access::Viewer;
use calotype_domain::album::AlbumEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_projections::Event;
use calotype_projections::api_keys::ApiKeyRow;
use calotype_projections::sessions::SessionRow;
use calotype_projections::shared_links::SharedLinkRow;
use calotype_projections::users::UserRow;
use moka::sync::Cache;

/// Callers remembered at once.
const CALLERS_CACHED_MAX: u64 = 10_000;
/// A remembered caller is looked up anew after this, so that a missed change cannot last.
const CALLER_CACHED_FOR: Duration = Duration::from_secs(5);

/// By what somebody is known.
#[derive(Clone, Debug)]
pub enum Via {
    /// A login.
    Session(SessionRow),
    /// A key.
    ApiKey(ApiKeyRow),
    /// A shared link: the person is who shares.
    SharedLink(SharedLinkRow),
}

/// Somebody known.
#[derive(Clone, Debug)]
pub struct Known {
    /// The person.
    pub user: UserRow,
    /// By what they are known.
    pub via: Via,
    /// What the rules need to know of them.
    pub viewer: Viewer,
    /// The same, with all that the person behind a key may do.
    pub(super) person: Viewer,
}

impl Known {
    pub(super) fn new(user: UserRow, via: Via, viewer: Viewer) -> Arc<Self> {
        let person = viewer.person();
        Arc::new(Self { user, via, viewer, person })
    }
}

/// Remembers callers by the digest of what they showed.
#[derive(Clone)]
pub struct Callers {
    known: Cache<String, Arc<Known>>,
    /// Counts how often everybody was forgotten.
    generation: Arc<AtomicU64>,
}

impl Default for Callers {
    fn default() -> Self {
        Self {
            known: Cache::builder()
                .max_capacity(CALLERS_CACHED_MAX)
                .time_to_live(CALLER_CACHED_FOR)
                .build(),
            generation: Arc::default(),
        }
    }
}

impl Callers {
    /// Forgets everybody when something about accounts, sessions or keys changed.
    /// Called before anybody is told that the change shows.
    pub fn on_applied(&self, events: &[Event]) {
        if events.iter().any(|event| {
            matches!(
                event.what,
                AnyEvent::User(_)
                    | AnyEvent::Session(_)
                    | AnyEvent::ApiKey(_)
                    | AnyEvent::SharedLink(_)
                    | AnyEvent::Album(AlbumEvent::Deleted(_))
            )
        }) {
            self.forget_all();
        }
    }

    /// Forgets everybody.
    pub fn forget_all(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.known.invalidate_all();
    }

    /// Whoever is remembered under this key.
    pub(super) fn get(&self, key: &str) -> Option<Arc<Known>> {
        self.known.get(key)
    }

    /// What to hand to [`Callers::remember`] after looking somebody up.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Remembers somebody, unless everybody was forgotten since the look-up began: what was read then
    /// may be what has just been taken away.
    pub(super) fn remember(&self, key: &str, known: &Arc<Known>, generation: u64) {
        self.known.insert(key.to_owned(), Arc::clone(known));
        if self.generation() != generation {
            self.known.invalidate(key);
        }
    }
}
