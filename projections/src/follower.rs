//! Follows projections that run in another process: hears of each event once they have committed it.
//!
//! An api process without the role `projections` needs it to wait for its own writes and to drop caches.

use std::sync::Arc;
use std::time::Duration;

use calotype_eventstore::{EventStore, GlobalPosition};
use sqlx::PgPool;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::error::ProjectionError;
use crate::event::readable;
use crate::listeners::{self, Applied};
use crate::projection::{all, checkpoint_name};
use crate::runner::{BATCH_EVENTS_MAX, Forget, Hook, read};

/// How often the committed positions are looked at while something is expected.
const POLL: Duration = Duration::from_millis(20);
/// How long it sleeps when nobody rings.
const IDLE: Duration = Duration::from_secs(1);

/// Tells this process what the projections of another have applied.
pub struct Follower {
    pool: PgPool,
    store: Arc<dyn EventStore>,
    names: Vec<String>,
    at: GlobalPosition,
    position: watch::Sender<GlobalPosition>,
    applied: broadcast::Sender<Applied>,
    hooks: Vec<Hook>,
    forgets: Vec<Forget>,
}

impl Follower {
    /// Follows all projections of this release, from now on.
    #[must_use]
    pub fn new(pool: PgPool, store: Arc<dyn EventStore>) -> Self {
        let names = all().iter().map(|projection| checkpoint_name(&**projection)).collect();
        let at = *store.positions().borrow();
        Self {
            pool,
            store,
            names,
            at,
            position: watch::Sender::new(GlobalPosition::START),
            applied: listeners::channel(),
            hooks: Vec::new(),
            forgets: Vec::new(),
        }
    }

    /// Adds a function to call with each applied batch, before the new position is told.
    pub fn on_applied(&mut self, hook: Hook) {
        self.hooks.push(hook);
    }

    /// Adds a function to call where an event of a batch could not be read, before the new position is told:
    /// what is kept of before may be what it changed.
    pub fn on_unreadable(&mut self, forget: Forget) {
        self.forgets.push(forget);
    }

    /// The position up to which every projection has applied the log.
    #[must_use]
    pub fn position(&self) -> watch::Receiver<GlobalPosition> {
        self.position.subscribe()
    }

    /// The applied batches, from now on.
    #[must_use]
    pub fn applied(&self) -> broadcast::Sender<Applied> {
        self.applied.clone()
    }

    /// Looks once; says whether the projections stand at the head of the log.
    ///
    /// # Errors
    /// What the database said.
    pub async fn step(&mut self) -> Result<bool, ProjectionError> {
        let committed: Option<i64> = sqlx::query_scalar(
            "select min(coalesce(position, 0))
               from unnest($1::text[]) as wanted (name)
               left join work.checkpoints using (name)",
        )
        .bind(&self.names)
        .fetch_one(&self.pool)
        .await?;
        let committed = GlobalPosition::new(committed.unwrap_or_default());
        // A crash of the database may have taken back what was committed last.
        self.at = self.at.min(committed);
        while self.at < committed {
            let (recorded, last) = read(&*self.store, self.at, BATCH_EVENTS_MAX).await?;
            if recorded.is_empty() {
                // The rest was skipped or erased.
                self.at = committed;
            }
            let recorded =
                recorded.into_iter().filter(|event| event.position <= Some(committed)).collect();
            // What cannot be read was parked where the projections run.
            let (events, unreadable) = readable(recorded)?;
            for hook in &self.hooks {
                hook(&events);
            }
            if !unreadable.is_empty() {
                self.forgets.iter().for_each(|forget| forget());
            }
            listeners::tell(&self.applied, events);
            self.at = self.at.max(last.min(committed));
        }
        self.position.send_replace(committed);
        Ok(committed >= *self.store.positions().borrow())
    }

    /// Looks whenever the log grows, until cancelled.
    pub async fn run(mut self, cancel: CancellationToken) {
        let mut positions = self.store.positions();
        while !cancel.is_cancelled() {
            positions.mark_unchanged();
            let wait = match self.step().await {
                Ok(true) => IDLE,
                Ok(false) => POLL,
                Err(error) => {
                    warn!(
                        error = &error as &dyn std::error::Error,
                        "cannot follow the projections now"
                    );
                    IDLE
                }
            };
            tokio::select! {
                () = cancel.cancelled() => {}
                _ = positions.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}
