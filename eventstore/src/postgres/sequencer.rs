//! Gives each committed event its place in the order of the whole log (docs/adr/0001).
//!
//! A writer leaves its events in `log.outbox`, in the transaction that writes them; one session at a time,
//! under an advisory lock, moves them to `log.positions`. An event that commits late gets a later place,
//! so a reader that remembers the last place it saw misses nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::postgres::PgConnection;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::leader::{LeaderLock, Leadership};
use super::read;
use super::store::{PostgresStore, Shared};
use crate::error::StoreError;
use crate::stream::GlobalPosition;

/// Most append transactions that one step moves.
const STEP_APPENDS_MAX: i32 = 256;
/// The same as a number of events: an append has one at least.
const STEP_APPENDS_FULL: usize = 256;
/// How long a step may take before its connection is given up.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);
/// How long it waits for a ring before it looks by itself.
const IDLE_WAIT: Duration = Duration::from_secs(1);

const SEQUENCE: &str = "select first_position, event_ids from log.sequence($1)";

/// The task that makes the global order. Any number may run; one of them leads.
pub struct Sequencer {
    store: PostgresStore,
    leadership: Mutex<Leadership>,
}

impl Sequencer {
    /// A sequencer over the store's database, with a connection of its own.
    #[must_use]
    pub fn new(store: PostgresStore) -> Self {
        let options = store.pool().connect_options();
        let leadership = Mutex::new(Leadership::new(LeaderLock::Sequencer, &options));
        Self { store, leadership }
    }

    /// Moves a bounded number of events; 0 when nothing waits or another process leads.
    ///
    /// # Errors
    /// The database cannot be reached. Nothing is lost; the next step connects again.
    pub async fn step(&self) -> Result<usize, StoreError> {
        let shared = &self.store.shared;
        let mut leadership = self.leadership.lock().await;
        let stepped = tokio::time::timeout(STEP_TIMEOUT, step(&mut leadership, shared))
            .await
            .unwrap_or_else(|_| {
                Err(StoreError::database("sequence the log in time")(sqlx::Error::PoolTimedOut))
            });
        if stepped.is_err() {
            leadership.resign();
            shared.sequences_here.store(false, Ordering::Relaxed);
        }
        stepped
    }

    /// Steps whenever something was appended, until `cancel`.
    pub async fn run(&self, cancel: CancellationToken) {
        let shared = Arc::clone(&self.store.shared);
        let mut failing = false;
        while !cancel.is_cancelled() {
            let ring = shared.outbox.notified();
            match self.step().await {
                // As many events as that may be as many appends as one step moves: more may wait.
                Ok(moved) if moved >= STEP_APPENDS_FULL => {
                    failing = false;
                    continue;
                }
                // Whatever commits from now on rings.
                Ok(_) => failing = false,
                Err(error) if failing => tracing::debug!(error = %error, "sequencer still fails"),
                Err(error) => {
                    failing = true;
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "sequencer failed, trying again");
                }
            }
            // Who does not lead only looks now and then whether the leader is gone.
            let leads = shared.sequences_here.load(Ordering::Relaxed);
            tokio::select! {
                () = ring, if leads && !failing => {}
                () = tokio::time::sleep(IDLE_WAIT) => {}
                () = cancel.cancelled() => {}
            }
        }
        self.leadership.lock().await.resign();
        shared.sequences_here.store(false, Ordering::Relaxed);
    }
}

async fn step(leadership: &mut Leadership, shared: &Shared) -> Result<usize, StoreError> {
    let failed = || StoreError::database("sequence the log");
    let Some((connection, new_leader)) = leadership.lead().await.map_err(failed())? else {
        shared.sequences_here.store(false, Ordering::Relaxed);
        return Ok(0);
    };
    if new_leader {
        tracing::info!("this process sequences the log");
        shared.sequences_here.store(true, Ordering::Relaxed);
        shared.raise(read::head(&shared.pool).await?);
    }
    let Some((first, event_ids)) = sequence(connection).await.map_err(failed())? else {
        return Ok(0);
    };
    shared.recent.sequenced(first, &event_ids);
    let moved = event_ids.len();
    shared.raise(GlobalPosition::new(first.get() + i64::try_from(moved).unwrap_or(0) - 1));
    Ok(moved)
}

/// One round trip, one transaction that is not waited for.
async fn sequence(
    connection: &mut PgConnection,
) -> Result<Option<(GlobalPosition, Vec<Uuid>)>, sqlx::Error> {
    let (first, event_ids): (Option<i64>, Option<Vec<Uuid>>) =
        sqlx::query_as(SEQUENCE).bind(STEP_APPENDS_MAX).fetch_one(connection).await?;
    Ok(first.zip(event_ids).map(|(first, event_ids)| (GlobalPosition::new(first), event_ids)))
}
