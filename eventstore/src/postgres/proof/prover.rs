//! The task that keeps the tree: takes new events in, and signs a head where something happened.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::extend::{self, STEP_EVENTS_MAX};
use super::log::ProofLog;
use crate::error::StoreError;
use crate::postgres::blocks;
use crate::postgres::leader::{LeaderLock, Leadership};
use crate::postgres::store::PostgresStore;
use crate::proof::ProofError;
use crate::store::EventStore as _;
use crate::stream::GlobalPosition;

/// So many new events are taken in at once; fewer wait for the timer.
const WAITING_EVENTS: i64 = 512;
/// How long a step may take before its connection is given up.
const STEP_TIMEOUT: Duration = Duration::from_secs(60);

/// When the prover works.
#[derive(Clone, Copy, Debug)]
pub struct ProverOptions {
    /// How long few events may wait before they are taken in.
    pub idle_wait: Duration,
    /// How long after a head the next is signed, where something happened.
    pub head_interval: Duration,
    /// How often that is looked at.
    pub look_interval: Duration,
}

impl Default for ProverOptions {
    fn default() -> Self {
        Self {
            idle_wait: Duration::from_secs(2),
            head_interval: Duration::from_secs(60 * 60),
            look_interval: Duration::from_secs(60),
        }
    }
}

/// Keeps the tree. Any number may run; one of them leads.
pub struct Prover {
    store: PostgresStore,
    log: ProofLog,
    options: ProverOptions,
    leadership: Mutex<Leadership>,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Another process leads.
    Follows,
    /// The tree stands here, and this many events wait.
    Leads { size: u64, waiting: u64 },
}

impl Prover {
    /// A prover over the store's log, with a connection of its own.
    #[must_use]
    pub fn new(store: PostgresStore, log: ProofLog, options: ProverOptions) -> Self {
        let connect = store.pool().connect_options();
        let leadership = Mutex::new(Leadership::new(LeaderLock::Prover, &connect));
        Self { store, log, options, leadership }
    }

    /// Takes a bounded number of events in, and says how many wait still; none where another process leads.
    ///
    /// # Errors
    /// The database cannot be used, or the tiles are not whole. The next step connects again.
    pub async fn step(&self) -> Result<Option<u64>, ProofError> {
        Ok(match self.try_step().await? {
            Step::Follows => None,
            Step::Leads { waiting, .. } => Some(waiting),
        })
    }

    async fn try_step(&self) -> Result<Step, ProofError> {
        let mut leadership = self.leadership.lock().await;
        let failed = || StoreError::database("lead the tree");
        let stepped = tokio::time::timeout(STEP_TIMEOUT, async {
            let Some((connection, new_leader)) = leadership.lead().await.map_err(failed())? else {
                return Ok(Step::Follows);
            };
            if new_leader {
                tracing::info!("this process keeps the tree over the log");
            }
            let tree = extend::step(connection).await?;
            Ok(Step::Leads { size: tree.size, waiting: tree.head.saturating_sub(tree.size) })
        })
        .await
        .unwrap_or_else(|_| Err(failed()(sqlx::Error::PoolTimedOut).into()));
        if stepped.is_err() {
            leadership.resign();
        }
        stepped
    }

    /// Puts one piece that the log has passed onto the map by which questions pass over others; false where all of
    /// them are there.
    ///
    /// # Errors
    /// The database cannot be used.
    pub async fn map_once(&self) -> Result<bool, ProofError> {
        Ok(blocks::remember_one(self.store.pool()).await?)
    }

    /// Signs a head where the last one is older than the interval and something happened since; tells of heads
    /// that were not told.
    ///
    /// # Errors
    /// As [`ProofLog::sign`].
    pub async fn sign_when_due(&self) -> Result<(), ProofError> {
        let seconds = self.options.head_interval.as_secs_f64();
        let is_due: bool = sqlx::query_scalar(
            "select t.size > 0 and not exists (
                 select from proof.heads h
                 where h.log_id = t.log_id
                     and (h.size >= t.size or h.signed_at > now() - make_interval(secs => $1)))
             from proof.tree t",
        )
        .bind(seconds)
        .fetch_optional(&self.log.pool)
        .await
        .map_err(StoreError::database("look for the last head"))?
        .unwrap_or(false);
        if is_due { self.log.sign().await.map(drop) } else { self.log.tell().await }
    }

    /// Works whenever something was appended, until `cancel`.
    pub async fn run(&self, cancel: CancellationToken) {
        let mut positions = self.store.positions();
        let mut next_look = Instant::now();
        let mut failing = false;
        while !cancel.is_cancelled() {
            let done = self.work(&mut next_look).await;
            let reached = match done {
                Ok(Step::Leads { waiting, .. }) if waiting >= STEP_EVENTS_MAX => continue,
                Ok(Step::Leads { size, .. }) => {
                    failing = false;
                    Some(i64::try_from(size).unwrap_or(i64::MAX))
                }
                Ok(Step::Follows) => None,
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    if failing {
                        tracing::debug!(error, "the tree over the log still fails");
                    } else {
                        tracing::error!(error, "the tree over the log failed, trying again");
                    }
                    failing = true;
                    None
                }
            };
            let many = async {
                match reached {
                    Some(size) => {
                        let many = GlobalPosition::new(size.saturating_add(WAITING_EVENTS));
                        positions.wait_for(|head| *head >= many).await.map(drop).ok()
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = many => {}
                () = tokio::time::sleep(self.options.idle_wait) => {}
                () = cancel.cancelled() => {}
            }
        }
        self.leadership.lock().await.resign();
    }

    async fn work(&self, next_look: &mut Instant) -> Result<Step, ProofError> {
        let step = self.try_step().await?;
        if matches!(step, Step::Leads { waiting: 0, .. }) {
            // Whoever leads has the log before him: one piece at a time, where nothing else waits.
            self.map_once().await?;
        }
        if matches!(step, Step::Leads { .. }) && Instant::now() >= *next_look {
            *next_look = Instant::now() + self.options.look_interval;
            self.sign_when_due().await?;
        }
        Ok(step)
    }
}
