//! Follows `$all`, copies each event of ours to PostgreSQL, and gives it the next place: one follower at a time,
//! under the sequencer's lock.
//!
//! KurrentDB's own positions have gaps, so places are counted here and stored, in the transaction that stores the
//! copy and how far it came. What was read of the copy is never numbered anew.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kurrentdb::{Position, RecordedEvent};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::record;
use super::store::Shared;
use super::{KurrentStore, decided};
use crate::error::StoreError;
use crate::event::Recorded;
use crate::log::Orderer;
use crate::postgres::{LeaderLock, Leadership};
use crate::stream::GlobalPosition;

/// Most events that one step looks at.
const STEP_EVENTS_MAX: usize = 500;
/// How long a step may take before its connection is given up.
const STEP_TIMEOUT: Duration = Duration::from_secs(120);
/// How long it waits for a ring before it looks by itself.
const IDLE_WAIT: Duration = Duration::from_secs(1);
/// Calls whose writer died that one step finishes.
const LEFT_OVER_MAX: i32 = 16;

const SELECT_PLACE: &str = "select commit_position, prepare_position, event_id from log.kurrent";

const MOVE_PLACE: &str =
    "update log.kurrent set commit_position = $1, prepare_position = $2, event_id = $3";

const SELECT_HEAD: &str = "select position from log.head";

const INSERT_EVENTS: &str = "
    insert into log.events (
        event_id, stream_id, revision, type, version, payload, subject,
        actor_kind, actor_id, actor_user_id, client, correlation_id, causation_id, recorded_at
    )
    select
        e.event_id, e.stream_id, e.revision, e.type, e.version, e.payload::json, e.subject,
        e.actor_kind, e.actor_id, e.actor_user_id, e.client, e.correlation_id, e.causation_id, e.recorded_at
    from unnest(
        $1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::smallint[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::uuid[], $11::text[], $12::uuid[], $13::uuid[], $14::timestamptz[]
    ) e (
        event_id, stream_id, revision, type, version, payload, subject,
        actor_kind, actor_id, actor_user_id, client, correlation_id, causation_id, recorded_at
    )
    on conflict do nothing
    returning event_id";

const RAISE_HEAD: &str = "update log.head set position = position + $1 returning position";

const INSERT_POSITIONS: &str = "
    insert into log.positions (position, event_id)
    select $1 + e.no, e.event_id
    from unnest($2::uuid[]) with ordinality e (event_id, no)";

const TELL: &str = "select pg_notify('calotype_positions', $1::text)";

/// Those of the last seconds have a writer at work.
const LEFT_OVER: &str = "
    select call_id
    from log.kurrent_calls
    where decided_at < now() - interval '5 seconds'
    order by decided_at
    limit $1";

/// The task that copies the log from KurrentDB. Any number may run; one of them leads.
pub struct KurrentFollower {
    shared: Arc<Shared>,
    state: Mutex<State>,
    leads: AtomicBool,
    caught_up: watch::Sender<bool>,
}

struct State {
    leadership: Leadership,
    /// None while it is to be read.
    place: Option<Place>,
}

/// How far the copy came.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// (-1, -1) before the first event.
    at: (i64, i64),
    /// The event there, where it is one of ours.
    event_id: Option<Uuid>,
}

impl KurrentFollower {
    /// A follower of a store's log.
    #[must_use]
    pub fn new(store: &KurrentStore) -> Self {
        let shared = Arc::clone(store.shared());
        let options = shared.postgres.pool().connect_options();
        let leadership = Leadership::new(LeaderLock::Sequencer, &options);
        Self {
            shared,
            state: Mutex::new(State { leadership, place: None }),
            leads: AtomicBool::new(false),
            caught_up: watch::Sender::new(false),
        }
    }

    /// Looks at a bounded number of events; 0 when there are no more or another process leads.
    ///
    /// # Errors
    /// A database cannot be reached, or KurrentDB does not hold what was copied. The next step begins where this
    /// one did.
    pub async fn step(&self) -> Result<usize, StoreError> {
        let mut state = self.state.lock().await;
        let stepped =
            tokio::time::timeout(STEP_TIMEOUT, self.step_in(&mut state)).await.unwrap_or_else(
                |_| Err(StoreError::database("copy the log in time")(sqlx::Error::PoolTimedOut)),
            );
        if stepped.is_err() {
            state.leadership.resign();
            state.place = None;
            self.leads.store(false, Ordering::Relaxed);
        }
        stepped
    }

    async fn step_in(&self, state: &mut State) -> Result<usize, StoreError> {
        let failed = || StoreError::database("lead the copying of the log");
        let Shared { kurrent, postgres, .. } = &*self.shared;
        let State { leadership, place } = state;
        let Some((connection, new_leader)) = leadership.lead().await.map_err(failed())? else {
            // Whoever leads is at it.
            self.leads.store(false, Ordering::Relaxed);
            self.caught_up.send_replace(true);
            return Ok(0);
        };
        let from = match *place {
            Some(place) if !new_leader => place,
            _ => {
                tracing::info!("this process copies the log from KurrentDB");
                self.leads.store(true, Ordering::Relaxed);
                let head: i64 = sqlx::query_scalar(SELECT_HEAD)
                    .fetch_one(&mut *connection)
                    .await
                    .map_err(failed())?;
                postgres.raise(GlobalPosition::new(head));
                *place.insert(read_place(connection).await?)
            }
        };
        let page = kurrent.read_all(from.position(), STEP_EVENTS_MAX + 1).await?;
        let fresh = from.fresh(&page)?;
        let Some(last) = fresh.last() else {
            self.finish_left_over(connection).await?;
            self.caught_up.send_replace(true);
            return Ok(0);
        };
        let ours = fresh
            .iter()
            .filter(|event| !record::is_system(event))
            .map(record::decode)
            .collect::<Result<Vec<_>, _>>()?;
        let to = Place {
            at: record::place(last),
            event_id: (!record::is_system(last)).then_some(last.id),
        };
        let head = copy(connection, &ours, to).await?;
        *place = Some(to);
        if let Some(head) = head {
            postgres.raise(head);
        }
        Ok(fresh.len())
    }

    /// Finishes appends whose writer died. One that fails is left for the next time; the log goes on.
    async fn finish_left_over(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        let call_ids: Vec<Uuid> = sqlx::query_scalar(LEFT_OVER)
            .bind(LEFT_OVER_MAX)
            .fetch_all(connection)
            .await
            .map_err(StoreError::database("look for unfinished appends"))?;
        let Shared { kurrent, postgres, .. } = &*self.shared;
        for call_id in call_ids {
            match decided::finish(kurrent, postgres.pool(), call_id, None).await {
                Ok(_) => {
                    tracing::info!(event.id = %call_id, "finished an append that was left over");
                    postgres.bell().notify_one();
                }
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, event.id = %call_id, "failed to finish an append");
                }
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Orderer for KurrentFollower {
    /// Steps whenever something was appended, until `cancel`.
    async fn run(&self, cancel: CancellationToken) {
        let bell = self.shared.postgres.bell();
        let mut failing = false;
        while !cancel.is_cancelled() {
            let ring = bell.notified();
            let stepped = tokio::select! {
                stepped = self.step() => stepped,
                () = cancel.cancelled() => break,
            };
            match stepped {
                Ok(moved) => {
                    failing = false;
                    if moved > 0 {
                        continue;
                    }
                }
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    if failing {
                        tracing::debug!(error, "copying the log from KurrentDB still fails");
                    } else {
                        tracing::error!(
                            error,
                            "copying the log from KurrentDB failed, trying again"
                        );
                    }
                    failing = true;
                }
            }
            // Who does not lead only looks now and then whether the leader is gone.
            let leads = self.leads.load(Ordering::Relaxed);
            tokio::select! {
                () = ring, if leads && !failing => {}
                () = tokio::time::sleep(IDLE_WAIT) => {}
                () = cancel.cancelled() => {}
            }
        }
        let mut state = self.state.lock().await;
        state.leadership.resign();
        state.place = None;
        self.leads.store(false, Ordering::Relaxed);
    }

    async fn caught_up(&self) {
        let mut caught_up = self.caught_up.subscribe();
        // The sender is in `self`.
        drop(caught_up.wait_for(|caught_up| *caught_up).await);
    }
}

impl std::fmt::Debug for KurrentFollower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KurrentFollower").finish_non_exhaustive()
    }
}

impl Place {
    /// As KurrentDB is asked for it; none before the first event.
    fn position(self) -> Option<Position> {
        let (commit, prepare) = self.at;
        let commit = u64::try_from(commit).ok()?;
        let prepare = u64::try_from(prepare).ok()?;
        Some(Position { commit, prepare })
    }

    /// The events after this place, of a page that begins with the one at it.
    fn fresh(self, page: &[RecordedEvent]) -> Result<&[RecordedEvent], StoreError> {
        let begins = page.partition_point(|event| record::place(event) <= self.at);
        let (known, fresh) = page.split_at(begins);
        if let Some(event_id) = self.event_id
            && known.last().map(|event| event.id) != Some(event_id)
        {
            return Err(StoreError::Corrupt {
                table: "log.kurrent",
                column: "event_id",
                row: event_id.to_string(),
                reason: "KurrentDB has another event or none there: it is not the one that was copied, or was \
                         put back to an earlier time"
                    .to_owned(),
            });
        }
        Ok(fresh)
    }
}

async fn read_place(connection: &mut PgConnection) -> Result<Place, StoreError> {
    let row: Option<(i64, i64, Option<Uuid>)> = sqlx::query_as(SELECT_PLACE)
        .fetch_optional(connection)
        .await
        .map_err(StoreError::database("read how far the log was copied"))?;
    let (commit, prepare, event_id) =
        row.ok_or(StoreError::OtherLog("this database knows of no log in KurrentDB"))?;
    Ok(Place { at: (commit, prepare), event_id })
}

/// Stores and numbers events, in one transaction with how far it came. The new head, where it moved.
async fn copy(
    connection: &mut PgConnection,
    events: &[Recorded],
    to: Place,
) -> Result<Option<GlobalPosition>, StoreError> {
    let failed = || StoreError::database("copy the log");
    let mut tx = connection.begin().await.map_err(failed())?;
    let mut head = None;
    if !events.is_empty() {
        let inserted: HashSet<Uuid> =
            insert(&mut tx, events).await.map_err(failed())?.into_iter().collect();
        let numbered: Vec<Uuid> =
            events.iter().map(|event| event.event_id).filter(|id| inserted.contains(id)).collect();
        for event in events.iter().filter(|event| !inserted.contains(&event.event_id)) {
            tracing::error!(
                event.id = %event.event_id,
                stream.id = %event.stream_id,
                "event {} stands in KurrentDB twice and is read once",
                event.event_id
            );
        }
        let count = i64::try_from(numbered.len()).unwrap_or(i64::MAX);
        let position: i64 = sqlx::query_scalar(RAISE_HEAD)
            .bind(count)
            .fetch_one(&mut *tx)
            .await
            .map_err(failed())?;
        sqlx::query(INSERT_POSITIONS)
            .bind(position - count)
            .bind(numbered)
            .execute(&mut *tx)
            .await
            .map_err(failed())?;
        sqlx::query(TELL).bind(position.to_string()).execute(&mut *tx).await.map_err(failed())?;
        head = Some(GlobalPosition::new(position));
    }
    sqlx::query(MOVE_PLACE)
        .bind(to.at.0)
        .bind(to.at.1)
        .bind(to.event_id)
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
    tx.commit().await.map_err(failed())?;
    Ok(head)
}

async fn insert(tx: &mut PgConnection, events: &[Recorded]) -> Result<Vec<Uuid>, sqlx::Error> {
    fn column<'a, T>(events: &'a [Recorded], of: impl Fn(&'a Recorded) -> T) -> Vec<T> {
        events.iter().map(of).collect()
    }
    sqlx::query_scalar(INSERT_EVENTS)
        .bind(column(events, |event| event.event_id))
        .bind(column(events, |event| event.stream_id.as_str()))
        .bind(column(events, |event| event.revision.get()))
        .bind(column(events, |event| event.event_type.as_str()))
        .bind(column(events, |event| i16::try_from(event.version).unwrap_or(i16::MAX)))
        .bind(column(events, |event| event.payload.as_str()))
        .bind(column(events, |event| event.subject.as_deref()))
        .bind(column(events, |event| event.envelope.actor.kind.as_str()))
        .bind(column(events, |event| event.envelope.actor.id.as_str()))
        .bind(column(events, |event| event.envelope.actor.user_id))
        .bind(column(events, |event| event.envelope.client.as_deref()))
        .bind(column(events, |event| event.envelope.correlation_id))
        .bind(column(events, |event| event.envelope.causation_id))
        .bind(column::<DateTime<Utc>>(events, |event| event.envelope.recorded_at))
        .fetch_all(tx)
        .await
}
