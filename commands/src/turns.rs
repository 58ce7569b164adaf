//! Turns on streams that many people write to at once, such as an album: whoever waits here does not
//! load, decide and lose a race over and over. Only this process waits; against others the expected
//! revisions still decide.
//!
//! Where a decision rests on a stream that it does not write to, no revision decides. Such turns are taken
//! everywhere: among the processes that share a database by its advisory locks.

use std::collections::BTreeSet;
use std::sync::Arc;

use calotype_eventstore::{StoreError, StreamId};
use sha2::{Digest as _, Sha256};
use sqlx::{PgPool, Postgres, Transaction};
use tokio::sync::{
    Mutex, OwnedMutexGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, OwnedSemaphorePermit,
    RwLock, Semaphore,
};

/// Streams share this many turns; two that share one only wait without need.
const TURNS: usize = 256;
/// Turns that one process holds everywhere at a time; each holds a connection.
pub const EVERYWHERE_MAX: usize = 4;
/// How long a turn is waited for, as PostgreSQL writes it.
const WAIT_MAX: &str = "30s";
/// How long a process may keep a turn without a word.
const HELD_MAX: &str = "60s";
/// What these advisory locks are named by, beside the number of the turn.
const LOCKS_CLASS: i32 = 0x7475_726e;

/// The gate of whoever deletes for good, beside the turns.
const GATE: i32 = 256;

/// The turns of a process.
#[derive(Clone)]
pub(crate) struct Turns {
    here: Arc<[Arc<Mutex<()>>]>,
    gate: Arc<RwLock<()>>,
    elsewhere: Option<Elsewhere>,
}

/// The turns of all processes over one database.
#[derive(Clone)]
struct Elsewhere {
    pool: PgPool,
    at_once: Arc<Semaphore>,
}

/// A turn in this process and in all others; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Everywhere {
    // Dropped in this order: the other processes' turn first.
    _elsewhere: Option<(Transaction<'static, Postgres>, OwnedSemaphorePermit)>,
    _here: Vec<OwnedMutexGuard<()>>,
}

/// A place in the gate that others may have, too; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Shared {
    _elsewhere: Option<(Transaction<'static, Postgres>, OwnedSemaphorePermit)>,
    _here: OwnedRwLockReadGuard<()>,
}

/// The gate, with nobody else in it; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Alone {
    _elsewhere: Option<(Transaction<'static, Postgres>, OwnedSemaphorePermit)>,
    _here: OwnedRwLockWriteGuard<()>,
}

impl Default for Turns {
    fn default() -> Self {
        let here = (0..TURNS).map(|_| Arc::default()).collect();
        Self { here, gate: Arc::default(), elsewhere: None }
    }
}

impl Turns {
    /// The same, and turns that are taken everywhere are taken by locks of this database, too.
    ///
    /// Whoever holds one waits for other connections: this pool is for locks alone.
    pub(crate) fn with_elsewhere(self, pool: PgPool) -> Self {
        let at_once = Arc::new(Semaphore::new(EVERYWHERE_MAX));
        Self { elsewhere: Some(Elsewhere { pool, at_once }), ..self }
    }

    /// Waits for a turn on all of some streams at once. They are free again when the result is dropped.
    pub(crate) async fn take(&self, streams: &[StreamId]) -> Vec<OwnedMutexGuard<()>> {
        // Always in the same order, so that two who want several never wait for each other.
        let wanted: BTreeSet<u8> = streams.iter().map(turn_of).collect();
        let mut taken = Vec::with_capacity(wanted.len());
        for turn in wanted {
            if let Some(turn) = self.here.get(usize::from(turn)) {
                taken.push(Arc::clone(turn).lock_owned().await);
            }
        }
        taken
    }

    /// Waits for a turn on all of some streams at once, in this process and in all others.
    ///
    /// # Errors
    /// What the database said; then there is no turn.
    pub(crate) async fn take_everywhere(
        &self,
        streams: &[StreamId],
    ) -> Result<Everywhere, StoreError> {
        let here = self.take(streams).await;
        let Some(elsewhere) = self.elsewhere.as_ref().filter(|_| !streams.is_empty()) else {
            return Ok(Everywhere { _elsewhere: None, _here: here });
        };
        let wanted: BTreeSet<i32> =
            streams.iter().map(|stream| i32::from(turn_of(stream))).collect();
        let held = elsewhere.hold(&wanted, EXCLUSIVE).await.map_err(failed)?;
        Ok(Everywhere { _elsewhere: Some(held), _here: here })
    }

    /// Goes through the gate of whoever deletes for good, with others who do, in all processes.
    ///
    /// # Errors
    /// What the database said.
    pub(crate) async fn take_shared(&self) -> Result<Shared, StoreError> {
        let here = Arc::clone(&self.gate).read_owned().await;
        Ok(Shared { _elsewhere: self.gate_elsewhere(SHARED).await?, _here: here })
    }

    /// Has that gate alone.
    ///
    /// # Errors
    /// What the database said.
    pub(crate) async fn take_alone(&self) -> Result<Alone, StoreError> {
        let here = Arc::clone(&self.gate).write_owned().await;
        Ok(Alone { _elsewhere: self.gate_elsewhere(EXCLUSIVE).await?, _here: here })
    }

    async fn gate_elsewhere(
        &self,
        lock: &'static str,
    ) -> Result<Option<(Transaction<'static, Postgres>, OwnedSemaphorePermit)>, StoreError> {
        match &self.elsewhere {
            Some(elsewhere) => {
                elsewhere.hold(&BTreeSet::from([GATE]), lock).await.map(Some).map_err(failed)
            }
            None => Ok(None),
        }
    }
}

/// How a lock is taken by one alone, and by several.
const EXCLUSIVE: &str = "select pg_advisory_xact_lock($1, turn) from unnest($2::integer[]) as turn";
const SHARED: &str =
    "select pg_advisory_xact_lock_shared($1, turn) from unnest($2::integer[]) as turn";

fn failed(source: sqlx::Error) -> StoreError {
    StoreError::Database { attempt: "take a turn", source: Arc::new(source) }
}

impl Elsewhere {
    async fn hold(
        &self,
        wanted: &BTreeSet<i32>,
        lock: &'static str,
    ) -> Result<(Transaction<'static, Postgres>, OwnedSemaphorePermit), sqlx::Error> {
        let permit = Arc::clone(&self.at_once).acquire_owned().await;
        let permit = permit.map_err(|_| sqlx::Error::PoolClosed)?;
        let mut held = self.pool.begin().await?;
        // A process that hangs keeps nobody waiting for ever: here the wait ends, there the turn.
        sqlx::query(
            "select set_config('lock_timeout', $1, true),
                            set_config('idle_in_transaction_session_timeout', $2, true)",
        )
        .bind(WAIT_MAX)
        .bind(HELD_MAX)
        .execute(&mut *held)
        .await?;
        // In the order of the numbers, as everybody takes them.
        sqlx::query(lock)
            .bind(LOCKS_CLASS)
            .bind(wanted.iter().copied().collect::<Vec<i32>>())
            .execute(&mut *held)
            .await?;
        Ok((held, permit))
    }
}

/// The same in every process, whatever it was built with.
fn turn_of(stream_id: &StreamId) -> u8 {
    Sha256::digest(stream_id.as_str().as_bytes()).first().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "the test itself waits for the task")]
    async fn second_waits_until_the_first_is_done() {
        let turns = Turns::default();
        let streams = [StreamId::new("album", "a"), StreamId::new("album", "b")];
        let first = turns.take(&streams).await;
        let waiting = tokio::spawn({
            let turns = turns.clone();
            let streams = streams.clone();
            async move { turns.take(&streams).await.len() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        assert!(waiting.await.unwrap() >= 1);
    }
}
