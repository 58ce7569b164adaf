//! One append's connection to PostgreSQL, which holds the locks of its streams.
//!
//! Everybody who writes to a stream holds its lock, so of two appends that share a stream the second sees
//! everything that the first decided. A lock goes with its connection: what must not happen without it is
//! written on the same connection, and fails with it.

use std::collections::HashSet;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool, Postgres};
use uuid::Uuid;

use super::record::Write;
use crate::error::{AppendError, StoreError};
use crate::postgres::CallStream;

/// How long an append waits for a connection, and again for its locks, before it is refused as unavailable.
const ROOM_WAIT_MAX: Duration = Duration::from_secs(10);
/// How long such a connection stays that nobody uses.
const IDLE: Duration = Duration::from_secs(60);

/// The hash's second number keeps these keys apart from other advisory locks: ASCII `calo`. Sorted, so that two
/// appends wait for each other in one direction only.
const LOCK: &str = "
    select pg_advisory_lock(sorted.key)
    from (
        select distinct hashtextextended(stream_id collate \"C\", 1667329135) as key
        from unnest($1::text[]) as given (stream_id)
        order by key
    ) sorted";

const UNLOCK: &str = "select pg_advisory_unlock_all()";

/// Whoever copies in another process looks now.
const RING: &str = "select pg_notify('calotype_outbox', '')";

const UNFINISHED: &str = "
    select call_id
    from log.kurrent_calls
    where stream_ids && $1::text[]
    order by decided_at, call_id";

const INSERT_KEYS: &str = "
    insert into log.subject_keys (subject, wrapped)
    select distinct on (k.subject) k.subject, k.wrapped
    from unnest($1::text[], $2::bytea[]) k (subject, wrapped)
    order by k.subject
    on conflict do nothing";

/// Whoever forgets a subject waits for its attachments to be there, and then deletes them.
const SELECT_KEYS: &str = "
    select subject, wrapped
    from log.subject_keys
    where subject = any($1::text[])
    order by subject
    for share";

const DELETE_ATTACHMENTS: &str = "delete from log.attachments where event_id = any($1)";

const INSERT_ATTACHMENTS: &str = "
    insert into log.attachments (event_id, name, subject, bytes)
    select t.event_id, t.name, t.subject, t.bytes
    from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[]) t (event_id, name, subject, bytes)";

const INSERT_CALL: &str = "
    insert into log.kurrent_calls (call_id, stream_ids, writes)
    values ($1, $2::text[], $3::json)";

/// A connection that holds locks.
pub(super) struct Session {
    connection: PoolConnection<Postgres>,
}

/// What became of what goes before the first write.
pub(super) enum Prepared {
    /// Keys, attachments and the decision stand.
    Ready,
    /// A subject has another key than the one that sealed.
    OtherKey,
}

/// Connections for [`Session`]s, `connections_max` at once. What a session leaves locked is let go.
pub(super) fn pool(options: &PgConnectOptions, connections_max: u32) -> PgPool {
    let options = options.clone().application_name("calotype append").options([
        ("synchronous_commit", "on".to_owned()),
        ("lock_timeout", format!("{}ms", ROOM_WAIT_MAX.as_millis())),
    ]);
    PgPoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(ROOM_WAIT_MAX)
        .idle_timeout(IDLE)
        .after_release(|connection, _| {
            Box::pin(async move {
                sqlx::query(UNLOCK).execute(connection).await?;
                Ok(true)
            })
        })
        .connect_lazy_with(options)
}

impl Session {
    /// Waits until nobody else writes to any of the streams.
    pub(super) async fn lock(pool: &PgPool, stream_ids: &[&str]) -> Result<Self, StoreError> {
        let failed = || StoreError::database("lock streams");
        let mut connection = pool.acquire().await.map_err(failed())?;
        sqlx::query(LOCK).bind(stream_ids).execute(&mut *connection).await.map_err(failed())?;
        Ok(Self { connection })
    }

    /// For statements of the same append.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Calls on the same streams that somebody decided and did not finish.
    pub(super) async fn unfinished(
        &mut self,
        stream_ids: &[&str],
    ) -> Result<Vec<Uuid>, StoreError> {
        sqlx::query_scalar(UNFINISHED)
            .bind(stream_ids)
            .fetch_all(&mut *self.connection)
            .await
            .map_err(StoreError::database("look for unfinished appends"))
    }

    /// Stores keys and attachments, and the decision where the call needs more than one write: all or nothing.
    pub(super) async fn prepare(
        &mut self,
        streams: &[CallStream],
        decided: Option<(Uuid, &[Write])>,
    ) -> Result<Prepared, AppendError> {
        let keyed = streams.iter().any(|stream| stream.wrapped.is_some());
        if !keyed && decided.is_none() {
            return Ok(Prepared::Ready);
        }
        let failed =
            |error| AppendError::Unavailable(StoreError::database("prepare an append")(error));
        let mut tx = self.connection.begin().await.map_err(failed)?;
        if keyed && let Some(Prepared::OtherKey) = store_keys(&mut tx, streams).await? {
            return Ok(Prepared::OtherKey);
        }
        let attachments = Attachments::of(streams);
        if !attachments.event_ids.is_empty() {
            attachments.store(&mut tx).await.map_err(failed)?;
        }
        if let Some((call_id, writes)) = decided {
            let stream_ids: HashSet<&str> =
                writes.iter().map(|write| write.stream_id.as_str()).collect();
            let writes = serde_json::to_string(writes)
                .map_err(|error| AppendError::Invalid(error.to_string()))?;
            sqlx::query(INSERT_CALL)
                .bind(call_id)
                .bind(stream_ids.into_iter().collect::<Vec<_>>())
                .bind(writes)
                .execute(&mut *tx)
                .await
                .map_err(failed)?;
        }
        // Where this answer is lost a decision may stand; the next writer or the copier finishes it.
        let lost = |error| AppendError::Unknown(StoreError::database("prepare an append")(error));
        tx.commit().await.map_err(if decided.is_some() { lost } else { failed })?;
        Ok(Prepared::Ready)
    }

    /// Deletes the attachments of an append that was certainly not written.
    pub(super) async fn take_back(&mut self, streams: &[CallStream]) {
        let event_ids = Attachments::of(streams).event_ids;
        if event_ids.is_empty() {
            return;
        }
        let deleted =
            sqlx::query(DELETE_ATTACHMENTS).bind(event_ids).execute(&mut *self.connection).await;
        if let Err(error) = deleted {
            tracing::warn!(error = %error, "attachments of an append that failed are left over");
        }
    }

    /// Lets go of the locks, and wakes whoever copies.
    pub(super) async fn release(mut self) {
        if let Err(error) = sqlx::query(RING).execute(&mut *self.connection).await {
            tracing::debug!(error = %error, "failed to ring for whoever copies");
        }
    }
}

/// Stores the keys that sealed, where their subjects have none; says where they have others.
async fn store_keys(
    tx: &mut PgConnection,
    streams: &[CallStream],
) -> Result<Option<Prepared>, AppendError> {
    let failed =
        |error| AppendError::Unavailable(StoreError::database("store subject keys")(error));
    let (subjects, wrapped): (Vec<&str>, Vec<&[u8]>) = streams
        .iter()
        .filter_map(|stream| stream.subject.as_deref().zip(stream.wrapped.as_deref()))
        .unzip();
    sqlx::query(INSERT_KEYS)
        .bind(&subjects)
        .bind(&wrapped)
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
    let stored: Vec<(String, Option<Vec<u8>>)> =
        sqlx::query_as(SELECT_KEYS).bind(&subjects).fetch_all(&mut *tx).await.map_err(failed)?;
    let mut is_other = false;
    for (subject, key) in stored {
        let Some(key) = key else { return Err(AppendError::SubjectForgotten { subject }) };
        let sealed_with = subjects.iter().zip(&wrapped).filter(|(given, _)| **given == subject);
        is_other |= sealed_with.into_iter().any(|(_, wrapped)| **wrapped != *key);
    }
    Ok(is_other.then_some(Prepared::OtherKey))
}

/// The attachments of a call, as columns.
#[derive(Default)]
struct Attachments<'a> {
    event_ids: Vec<Uuid>,
    names: Vec<&'a str>,
    subjects: Vec<&'a str>,
    bytes: Vec<&'a [u8]>,
}

impl<'a> Attachments<'a> {
    fn of(streams: &'a [CallStream]) -> Self {
        let mut all = Self::default();
        for stream in streams {
            let subject = stream.subject.as_deref().unwrap_or_default();
            for event in &stream.events {
                for (name, bytes) in &event.attachments {
                    all.event_ids.push(event.event_id);
                    all.names.push(name);
                    all.subjects.push(subject);
                    all.bytes.push(bytes);
                }
            }
        }
        all
    }

    /// An earlier attempt with the same ids may have left some.
    async fn store(self, tx: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query(DELETE_ATTACHMENTS).bind(&self.event_ids).execute(&mut *tx).await?;
        sqlx::query(INSERT_ATTACHMENTS)
            .bind(self.event_ids)
            .bind(self.names)
            .bind(self.subjects)
            .bind(self.bytes)
            .execute(&mut *tx)
            .await?;
        Ok(())
    }
}
