//! The galleries that are in memory: of the libraries whose faces were compared last. Each applied batch says
//! which photos to read again, and whoever asks for a gallery reads those first.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use calotype_domain::asset::AssetEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::faces::FacesEvent;
use uuid::Uuid;

use super::gallery::Gallery;
use crate::event::Event;

/// Galleries kept at once; of more, the one that was not asked for longest goes.
const GALLERIES_MAX: usize = 8;
/// Bytes of galleries that are kept when another one is read.
const BYTES_MAX: usize = 512 << 20;
/// Changed photos remembered of a gallery; where there are more, it is read again as a whole.
const CHANGED_MAX: usize = 100_000;

/// Whose faces, found by which model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) owner_id: Uuid,
    pub(super) model_id: Uuid,
}

/// A gallery that readers share.
pub(super) type Shared = Arc<RwLock<Gallery>>;

struct Held {
    wanted: Wanted,
    gallery: Shared,
    changed: HashSet<Uuid>,
}

#[derive(Default)]
struct Inner {
    /// The one that was asked for last comes last.
    held: Mutex<Vec<Held>>,
    /// One reads at a time; the others wait for what it read.
    reading: tokio::sync::Mutex<()>,
}

/// The galleries in memory. Cheap to clone; clones share them.
#[derive(Clone, Default)]
pub struct Galleries(Arc<Inner>);

impl Galleries {
    /// Remembers which photos to read again. Called with each applied batch before anybody is told that it shows.
    pub fn on_applied(&self, events: &[Event]) {
        let changed: Vec<Uuid> =
            events.iter().filter(|event| tells(event)).map(|event| event.key).collect();
        if changed.is_empty() {
            return;
        }
        let mut held = self.held();
        for one in held.iter_mut() {
            one.changed.extend(&changed);
        }
        held.retain(|one| one.changed.len() <= CHANGED_MAX);
    }

    /// Forgets all of them, after a reset or where it is not known what changed.
    pub fn forget(&self) {
        self.held().clear();
    }

    /// The turn to read: one at a time.
    pub(super) async fn turn_to_read(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.reading.lock().await
    }

    /// A gallery that is there, and the photos of it that are to be read again.
    pub(super) fn take(&self, wanted: Wanted) -> Option<(Shared, HashSet<Uuid>)> {
        let mut held = self.held();
        let at = held.iter().position(|one| one.wanted == wanted)?;
        let mut one = held.remove(at);
        let taken = (Arc::clone(&one.gallery), std::mem::take(&mut one.changed));
        held.push(one);
        Some(taken)
    }

    /// Keeps a gallery that is about to be read: what changes meanwhile is remembered of it.
    pub(super) fn begin(&self, wanted: Wanted) -> Shared {
        let mut held = self.held();
        held.retain(|one| one.wanted != wanted);
        // One that is written to now is counted another time.
        let bytes = |one: &Held| one.gallery.try_read().map_or(0, |gallery| gallery.bytes());
        while held.len() >= GALLERIES_MAX
            || !held.is_empty() && held.iter().map(bytes).sum::<usize>() > BYTES_MAX
        {
            held.remove(0);
        }
        let gallery = Shared::default();
        held.push(Held { wanted, gallery: Arc::clone(&gallery), changed: HashSet::new() });
        gallery
    }

    /// Forgets a gallery that could not be read.
    pub(super) fn drop_it(&self, wanted: Wanted) {
        self.held().retain(|one| one.wanted != wanted);
    }

    fn held(&self) -> MutexGuard<'_, Vec<Held>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an event changes what a gallery holds. Faces that people remove or restore are told apart by the rows.
fn tells(event: &Event) -> bool {
    match &event.what {
        AnyEvent::Asset(what) => matches!(what, AssetEvent::Purged(_)),
        AnyEvent::Faces(what) => {
            matches!(
                what,
                FacesEvent::Detected(_) | FacesEvent::Removed(_) | FacesEvent::Restored(_)
            )
        }
        _ => false,
    }
}
