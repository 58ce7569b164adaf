//! The index in memory follows the rows: each applied batch says which assets to read again, and whoever
//! searches reads them first.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use calotype_domain::asset::AssetEvent;
use calotype_domain::catalogue::AnyEvent;
use tokio::sync::{Notify, RwLock, Semaphore};
use uuid::Uuid;

use super::codes::Codes;
use super::index::{Index, Ranked};
use super::sieve::Sieve;
use super::switch;
use super::top::Top;
use crate::event::Event;

/// Changed assets remembered at once; where there are more, everything is read again.
const CHANGED_MAX: usize = 500_000;
/// Searches that look through memory at the same time; further ones wait.
const LOOKS_MAX: usize = 2;

/// What of the rows is not in memory yet.
#[derive(Debug)]
pub(super) enum News {
    /// Anything may have changed.
    Everything,
    /// These assets.
    Of(HashSet<Uuid>),
}

impl News {
    pub(super) fn is_none(&self) -> bool {
        matches!(self, Self::Of(changed) if changed.is_empty())
    }

    fn add(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Of(changed), Self::Of(more)) => {
                changed.extend(more);
                if changed.len() > CHANGED_MAX {
                    *self = Self::Everything;
                }
            }
            _ => *self = Self::Everything,
        }
    }
}

struct Shared {
    index: RwLock<Index>,
    news: Mutex<News>,
    /// One reads at a time; the others wait for what it read.
    reading: tokio::sync::Mutex<()>,
    changed: Notify,
    looks: Arc<Semaphore>,
}

/// The index in memory. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Vectors(Arc<Shared>);

impl Default for Vectors {
    fn default() -> Self {
        Self(Arc::new(Shared {
            index: RwLock::default(),
            news: Mutex::new(News::Everything),
            reading: tokio::sync::Mutex::default(),
            changed: Notify::new(),
            looks: Arc::new(Semaphore::new(LOOKS_MAX)),
        }))
    }
}

impl Vectors {
    /// Remembers which assets to read again. Called with each applied batch before anybody is told that it
    /// shows.
    pub fn on_applied(&self, events: &[Event]) {
        if events.iter().any(switch::is_one) {
            return self.forget();
        }
        let changed: HashSet<Uuid> =
            events.iter().filter(|event| tells(event)).map(|event| event.key).collect();
        if !changed.is_empty() {
            self.tell(News::Of(changed));
        }
    }

    /// Reads everything again, after a reset or where it is not known what changed.
    pub fn forget(&self) {
        self.tell(News::Everything);
    }

    pub(super) fn tell(&self, news: News) {
        self.news().add(news);
        self.0.changed.notify_one();
    }

    /// What is to be read.
    pub(super) fn news(&self) -> MutexGuard<'_, News> {
        self.0.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the index.
    pub(super) async fn change(&self, change: impl FnOnce(&mut Index)) {
        change(&mut *self.0.index.write().await);
    }

    /// The turn to read: one at a time.
    pub(super) async fn turn_to_read(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.reading.lock().await
    }

    /// Waits until there is something to read.
    pub(super) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// The nearest of those that pass; see [`Index::nearest`].
    pub(super) async fn nearest(
        &self,
        model_id: Uuid,
        asked: Arc<Codes>,
        sieve: Sieve,
        count: usize,
    ) -> Ranked {
        self.look(move |index| index.nearest(model_id, &asked, &sieve, count))
            .await
            .unwrap_or_default()
    }

    /// Takes those of some assets in that are among the nearest.
    pub(super) async fn offer(
        &self,
        model_id: Uuid,
        asked: Arc<Codes>,
        asset_ids: Vec<Uuid>,
        mut top: Top,
    ) -> Option<Top> {
        self.look(move |index| {
            index.offer(model_id, &asked, &asset_ids, &mut top);
            top
        })
        .await
    }

    /// Looks through memory on a thread that may take its time. Nothing at the end of the program.
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Index) -> T + Send + 'static,
    ) -> Option<T> {
        let turn = Arc::clone(&self.0.looks).acquire_owned().await.ok()?;
        let shared = Arc::clone(&self.0);
        let looking = tokio::task::spawn_blocking(move || {
            // Whoever asked may have gone; the turn lasts as long as the look.
            let _turn = turn;
            look(&shared.index.blocking_read())
        });
        looking.await.ok()
    }
}

/// Whether an event changes what the index holds; few do.
fn tells(event: &Event) -> bool {
    let AnyEvent::Asset(what) = &event.what else { return false };
    matches!(
        what,
        AssetEvent::Embedded(_)
            | AssetEvent::Purged(_)
            | AssetEvent::Trashed(_)
            | AssetEvent::Restored(_)
            | AssetEvent::VisibilityChanged(_)
            | AssetEvent::MetadataRecorded(_)
            | AssetEvent::DateChanged(_)
            | AssetEvent::DateReverted(_)
    )
}
