//! Which processes answer requests, by leases in `work.api_nodes`: whoever takes access away waits until all of
//! them have taken that in.
//!
//! A process that cannot renew its lease may not know what was taken away, so it answers nothing; the others wait
//! for it no longer once its lease has run out. By its own clock it ends a little earlier than by the database's.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use calotype_eventstore::GlobalPosition;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use crate::error::ProjectionError;

/// How long a lease lasts.
const LEASE: Duration = Duration::from_secs(5);
/// How much earlier its holder takes it for ended.
const MARGIN: Duration = Duration::from_millis(500);
/// How often it is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(1);
/// How long a statement about leases may take.
const STATEMENT_MAX: Duration = Duration::from_secs(2);
/// How often somebody who waits for the others looks.
const POLL: Duration = Duration::from_millis(20);
/// How long the others are waited for: whoever died is waited for until its lease has run out.
pub const OTHERS_WAIT_MAX: Duration = Duration::from_secs(6);

/// Renews the lease; says whether there is anybody else.
const RENEW: &str = "
    with renewed as (
        insert into work.api_nodes as nodes (node_id, position, renewed_at)
        values ($1, $2, clock_timestamp())
        on conflict (node_id) do update
           set position = greatest(nodes.position, excluded.position),
               renewed_at = excluded.renewed_at),
    dead as (
        delete from work.api_nodes
         where node_id <> $1 and renewed_at < clock_timestamp() - interval '1 hour')
    select exists (select from work.api_nodes
                    where node_id <> $1
                      and renewed_at > clock_timestamp() - make_interval(secs => $3))";

/// Nothing waits for this commit: after a crash of the database the others wait a little longer.
const TELL: &str = "
    with settings as materialized (select set_config('synchronous_commit', 'off', true))
    update work.api_nodes set position = greatest(position, $2)
      from settings where node_id = $1";

const IS_BEHIND: &str = "
    select exists (select from work.api_nodes
                    where node_id <> $1 and position < $2
                      and renewed_at > clock_timestamp() - make_interval(secs => $3))";

/// The lease of this process, and its view of the others. Cheap to clone.
#[derive(Clone)]
pub struct Node(Arc<Shared>);

struct Shared {
    node_id: Uuid,
    pool: PgPool,
    applied: watch::Receiver<GlobalPosition>,
    /// Until when the lease holds.
    until: Mutex<Instant>,
    has_others: AtomicBool,
}

impl Node {
    /// A process without a lease yet. `applied` is up to where it has dropped what changed.
    #[must_use]
    pub fn new(pool: PgPool, node_id: Uuid, applied: watch::Receiver<GlobalPosition>) -> Self {
        let until = Mutex::new(Instant::now());
        let has_others = AtomicBool::new(false);
        Self(Arc::new(Shared { node_id, pool, applied, until, has_others }))
    }

    /// Whether this process may answer.
    #[must_use]
    pub fn holds_lease(&self) -> bool {
        Instant::now() < *self.0.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lease, or renews it.
    ///
    /// # Errors
    /// What the database said; an older lease goes on until its end.
    pub async fn renew(&self) -> Result<(), ProjectionError> {
        // Taken before the database's clock is read, so that it ends here first.
        let asked = Instant::now();
        let renewing = sqlx::query_scalar(RENEW)
            .bind(self.0.node_id)
            .bind(self.0.applied.borrow().get())
            .bind(LEASE.as_secs_f64())
            .fetch_one(&self.0.pool);
        let has_others: bool = in_time(renewing).await?;
        self.0.has_others.store(has_others, Ordering::Relaxed);
        *self.0.until.lock().unwrap_or_else(PoisonError::into_inner) = asked + LEASE - MARGIN;
        Ok(())
    }

    /// Renews the lease and tells the others what was taken in, until cancelled; then gives it up.
    pub async fn run(self, cancel: CancellationToken) {
        let mut applied = self.0.applied.clone();
        let mut renewals = tokio::time::interval(RENEW_EVERY);
        renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let has_others = self.0.has_others.load(Ordering::Relaxed);
            let said = tokio::select! {
                () = cancel.cancelled() => break,
                _ = renewals.tick() => self.renew().await,
                Ok(()) = applied.changed(), if has_others => self.tell().await,
            };
            if let Err(error) = said {
                warn!(error = &error as &dyn std::error::Error, "cannot renew the lease now");
            }
        }
        *self.0.until.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let leaving = sqlx::query("delete from work.api_nodes where node_id = $1")
            .bind(self.0.node_id)
            .execute(&self.0.pool);
        if let Err(error) = in_time(leaving).await {
            warn!(error = &error as &dyn std::error::Error, "the lease was not given up");
        }
    }

    async fn tell(&self) -> Result<(), ProjectionError> {
        let position = self.0.applied.borrow().get();
        let telling = sqlx::query(TELL).bind(self.0.node_id).bind(position).execute(&self.0.pool);
        in_time(telling).await.map(drop)
    }

    /// Waits until everybody else who may answer has taken in the log up to a position. `false` when that
    /// takes longer than [`OTHERS_WAIT_MAX`].
    ///
    /// # Errors
    /// What the database said.
    pub async fn is_passed_by_others(
        &self,
        position: GlobalPosition,
    ) -> Result<bool, ProjectionError> {
        let deadline = Instant::now() + OTHERS_WAIT_MAX;
        loop {
            let asking = sqlx::query_scalar(IS_BEHIND)
                .bind(self.0.node_id)
                .bind(position.get())
                .bind(LEASE.as_secs_f64())
                .fetch_one(&self.0.pool);
            if !in_time::<bool>(asking).await? {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

async fn in_time<T>(
    asking: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, ProjectionError> {
    let answered = tokio::time::timeout(STATEMENT_MAX, asking).await;
    Ok(answered.unwrap_or(Err(sqlx::Error::PoolTimedOut))?)
}

#[cfg(test)]
mod tests {
    use calotype_eventstore::testing::{TestDatabase, database};

    use super::*;

    const PAST_ITS_LEASE: &str =
        "update work.api_nodes set renewed_at = renewed_at - interval '6 seconds'
                                   where node_id = $1";

    fn node(database: &TestDatabase, number: u128) -> (Node, watch::Sender<GlobalPosition>) {
        let (at, applied) = watch::channel(GlobalPosition::new(1));
        (Node::new(database.pool.clone(), Uuid::from_u128(number), applied), at)
    }

    #[tokio::test]
    async fn others_are_waited_for_while_their_lease_lasts() {
        let database = database().await;
        let ((one, _), (other, at)) = (node(&database, 1), node(&database, 2));
        assert!(!one.holds_lease(), "there is none before the first");
        one.renew().await.unwrap();
        other.renew().await.unwrap();
        assert!(one.holds_lease() && other.holds_lease());
        assert!(one.is_passed_by_others(GlobalPosition::new(1)).await.unwrap());

        let waiting = one.is_passed_by_others(GlobalPosition::new(5));
        let passing = async {
            at.send_replace(GlobalPosition::new(5));
            other.tell().await.unwrap();
        };
        let (passed, ()) = tokio::join!(waiting, passing);
        assert!(passed.unwrap());

        sqlx::query(PAST_ITS_LEASE).bind(Uuid::from_u128(2)).execute(&database.pool).await.unwrap();
        assert!(one.is_passed_by_others(GlobalPosition::new(9)).await.unwrap());
    }

    #[tokio::test]
    async fn whoever_stops_is_not_waited_for() {
        let database = database().await;
        let ((one, _), (other, _at)) = (node(&database, 1), node(&database, 2));
        other.renew().await.unwrap();
        let cancel = CancellationToken::new();
        cancel.cancel();
        other.clone().run(cancel).await;
        assert!(!other.holds_lease());
        one.renew().await.unwrap();
        assert!(!one.0.has_others.load(Ordering::Relaxed));
        assert!(one.is_passed_by_others(GlobalPosition::new(9)).await.unwrap());
    }
}
