//! How many uploads run at once, and what of them goes on when a client hangs up.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Multipart;
use calotype_media::blob::Digesting;
use futures::StreamExt as _;
use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::problem::Problem;

/// Uploads that are read at once; more wait.
const UPLOADS_AT_ONCE_MAX: usize = 64;
/// Requests with many files that are read at once: each holds a temporary file for each.
const PACKS_AT_ONCE_MAX: usize = 4;
/// How long an upload waits for its turn.
const TURN_WAIT_MAX: Duration = Duration::from_secs(30);
/// What is still read of a refused upload, so that its client gets to read the answer.
const DRAIN_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How long that is done.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);
/// Files in pieces whose digests are remembered, at two kilobytes each.
const DIGESTS_MAX: u64 = 1_000;
/// How long they are while nothing comes.
const DIGESTS_KEPT_FOR: Duration = Duration::from_secs(3_600);
/// How long it is believed how far the read models are behind.
const BEHIND_KNOWN_FOR: Duration = Duration::from_secs(1);

/// Turns for uploads, and their unfinished work.
#[derive(Clone)]
pub struct Uploads {
    turns: Arc<Semaphore>,
    packs: Arc<Semaphore>,
    tracker: TaskTracker,
    /// Digests of what has come of files in pieces. Lost, the file is read once more.
    pub(crate) digests: Cache<Uuid, Digesting>,
    /// How far the read models are behind, in events.
    pub(super) behind: Cache<(), u64>,
}

impl Default for Uploads {
    fn default() -> Self {
        let digests =
            Cache::builder().max_capacity(DIGESTS_MAX).time_to_idle(DIGESTS_KEPT_FOR).build();
        Self {
            turns: Arc::new(Semaphore::new(UPLOADS_AT_ONCE_MAX)),
            packs: Arc::new(Semaphore::new(PACKS_AT_ONCE_MAX)),
            tracker: TaskTracker::new(),
            digests,
            behind: Cache::builder().max_capacity(1).time_to_live(BEHIND_KNOWN_FOR).build(),
        }
    }
}

impl Uploads {
    /// Waits until what was begun is finished. Called at the end, when no request runs any more.
    pub async fn finished(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// Waits for a turn, which lasts until it is dropped.
    ///
    /// # Errors
    /// 503 when there was none in time.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        turn_of(&self.turns).await
    }

    /// Waits for the turn of a request with many files, which lasts until it is dropped.
    ///
    /// # Errors
    /// 503 when there was none in time.
    pub(crate) async fn turn_of_pack(&self) -> Result<OwnedSemaphorePermit, Problem> {
        turn_of(&self.packs).await
    }

    /// Runs work to its end, also when the request that asked for it is dropped.
    ///
    /// # Errors
    /// 500 when the work panicked.
    pub(crate) async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Problem> {
        self.tracker.spawn(work).await.map_err(|error| Problem::internal(&error))
    }

    /// Reads on behind the answer and throws away.
    pub(crate) fn drain(&self, body: Body) {
        self.in_background(async move {
            let mut chunks = body.into_data_stream();
            let mut left = DRAIN_BYTES_MAX;
            while let Some(Ok(chunk)) = chunks.next().await {
                left = left.saturating_sub(chunk.len());
                if left == 0 {
                    return;
                }
            }
        });
    }

    /// Reads on behind the answer and throws away.
    pub(super) fn drain_parts(&self, mut parts: Multipart) {
        self.in_background(async move {
            let mut left = DRAIN_BYTES_MAX;
            while let Ok(Some(mut part)) = parts.next_field().await {
                while let Ok(Some(chunk)) = part.chunk().await {
                    left = left.saturating_sub(chunk.len());
                    if left == 0 {
                        return;
                    }
                }
            }
        });
    }

    fn in_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.tracker.spawn(async move {
            // Whether the time was enough makes no difference.
            drop(tokio::time::timeout(DRAIN_TIME_MAX, work).await);
        }));
    }
}

async fn turn_of(turns: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    tokio::time::timeout(TURN_WAIT_MAX, Arc::clone(turns).acquire_owned())
        .await
        .map_err(|_| Problem::unavailable())?
        .map_err(|_| Problem::unavailable())
}
