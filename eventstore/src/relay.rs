//! Rings JetStream for every event of the log, once each and in order.
//!
//! JetStream is a bell and a work queue, never a source of truth: a message names an event and does not
//! hold it. A stream that was lost is made again, empty; history is not published again, because
//! processors reconcile with the log by themselves.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use futures::future::try_join_all;
use serde::Serialize;
use sqlx::PgConnection;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::error::{RelayError, StoreError};
use crate::postgres::{Header, LeaderLock, Leadership, PostgresStore, headers};
use crate::store::EventStore;
use crate::stream::GlobalPosition;

/// Name in `work.checkpoints`.
const CHECKPOINT: &str = "relay";
/// How long it waits for the log to move before it looks by itself.
const IDLE_WAIT: Duration = Duration::from_secs(1);
/// How often, while nothing happens, it looks whether the stream is still there.
const STREAM_LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// First and longest wait after a failure.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

const SELECT_CHECKPOINT: &str = "select position from work.checkpoints where name = $1";

const MOVE_CHECKPOINT: &str = "
    insert into work.checkpoints (name, position)
    values ($1, $2)
    on conflict (name) do update
    set position = excluded.position, updated_at = now()
    where checkpoints.position < excluded.position";

/// Where to and how much.
#[derive(Clone, Debug)]
pub struct RelayOptions {
    /// Name of the JetStream stream.
    pub stream: String,
    /// First part of each subject, `<prefix>.<aggregate>.<Type>.<key>`.
    pub prefix: String,
    /// Most bytes the stream keeps; the oldest messages go first.
    pub size_bytes_max: i64,
    /// How long the stream keeps a message.
    pub age_max: Duration,
    /// How many servers of a cluster have each message, from 1 to 5.
    pub replicas: u8,
    /// How long JetStream knows a message by its id.
    pub duplicate_window: Duration,
    /// How long a batch of messages may stay without acknowledgement.
    pub ack_timeout: Duration,
    /// Most messages that are published before the checkpoint moves.
    pub batch_events_max: u32,
}

impl Default for RelayOptions {
    fn default() -> Self {
        Self {
            stream: "CALOTYPE_EVENTS".to_owned(),
            prefix: "events".to_owned(),
            size_bytes_max: 512 * 1024 * 1024,
            age_max: Duration::from_secs(7 * 24 * 3600),
            replicas: 1,
            duplicate_window: Duration::from_secs(120),
            ack_timeout: Duration::from_secs(10),
            batch_events_max: 500,
        }
    }
}

impl RelayOptions {
    /// The JetStream stream as it should be.
    #[must_use]
    pub fn stream_config(&self) -> Config {
        Config {
            name: self.stream.clone(),
            subjects: vec![format!("{}.>", self.prefix)],
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::Old,
            storage: StorageType::File,
            max_bytes: self.size_bytes_max,
            max_age: self.age_max,
            num_replicas: usize::from(self.replicas),
            duplicate_window: self.duplicate_window,
            ..Config::default()
        }
    }
}

/// The task that publishes. Any number may run; one of them leads.
pub struct Relay {
    store: PostgresStore,
    jetstream: jetstream::Context,
    options: RelayOptions,
    state: Mutex<State>,
}

struct State {
    leadership: Leadership,
    /// Of the leader.
    checkpoint: GlobalPosition,
    stream_seen_at: Option<tokio::time::Instant>,
}

/// What a message says; the event itself is in the log.
#[derive(Serialize)]
struct Bell<'a> {
    event_id: uuid::Uuid,
    position: GlobalPosition,
    stream_id: &'a str,
    revision: i64,
    r#type: &'a str,
}

impl Relay {
    /// A relay from the store's database to JetStream, with a database connection of its own.
    #[must_use]
    pub fn new(store: PostgresStore, jetstream: jetstream::Context, options: RelayOptions) -> Self {
        let connect_options = store.pool().connect_options();
        let state = Mutex::new(State {
            leadership: Leadership::new(LeaderLock::Relay, &connect_options),
            checkpoint: GlobalPosition::START,
            stream_seen_at: None,
        });
        Self { store, jetstream, options, state }
    }

    /// Publishes a bounded number of events; 0 when nothing is new or another process leads.
    ///
    /// # Errors
    /// - [`RelayError::Store`]: the database cannot be reached.
    /// - [`RelayError::Stream`], [`RelayError::Publish`]: JetStream cannot be reached, or refuses.
    ///
    /// After each of them the next step starts where this one did; JetStream knows by the event's id what
    /// it has already.
    pub async fn step(&self) -> Result<usize, RelayError> {
        let mut state = self.state.lock().await;
        let stepped = self.step_in(&mut state).await;
        match &stepped {
            Err(RelayError::Store(_)) => state.leadership.resign(),
            Err(RelayError::Stream { .. } | RelayError::Publish { .. }) => {
                state.stream_seen_at = None;
            }
            Ok(_) => {}
        }
        stepped
    }

    /// Steps whenever the log has moved, until `cancel`. While NATS is away it waits and tries again.
    pub async fn run(&self, cancel: CancellationToken) {
        let mut positions = self.store.positions();
        let mut back_off = BACK_OFF.0;
        while !cancel.is_cancelled() {
            positions.mark_unchanged();
            let stepped = tokio::select! {
                stepped = self.step() => stepped,
                () = cancel.cancelled() => break,
            };
            let wait = match stepped {
                Ok(0) => {
                    back_off = BACK_OFF.0;
                    tokio::select! {
                        _ = positions.changed() => continue,
                        () = cancel.cancelled() => break,
                        () = tokio::time::sleep(IDLE_WAIT) => continue,
                    }
                }
                Ok(_) => {
                    back_off = BACK_OFF.0;
                    continue;
                }
                Err(error) => {
                    let first = back_off == BACK_OFF.0;
                    let cause: &dyn std::error::Error = &error;
                    if first {
                        tracing::warn!(error = cause, "relay failed, trying again");
                    } else {
                        tracing::debug!(error = cause, "relay still fails");
                    }
                    back_off
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = cancel.cancelled() => {}
            }
            back_off = (back_off * 2).min(BACK_OFF.1);
        }
        self.state.lock().await.leadership.resign();
    }

    async fn step_in(&self, state: &mut State) -> Result<usize, RelayError> {
        let failed = || |error| RelayError::Store(StoreError::database("lead the relay")(error));
        let State { leadership, checkpoint, stream_seen_at } = state;
        let Some((connection, new_leader)) = leadership.lead().await.map_err(failed())? else {
            return Ok(0);
        };
        if new_leader {
            *checkpoint = read_checkpoint(connection).await.map_err(failed())?;
            *stream_seen_at = None;
            tracing::info!(position = checkpoint.get(), "this process relays to JetStream");
        }
        if stream_seen_at.is_none_or(|at| at.elapsed() >= STREAM_LOOK_INTERVAL) {
            self.make_stream_sure(stream_seen_at.is_none()).await?;
            *stream_seen_at = Some(tokio::time::Instant::now());
        }

        let pool = self.store.pool();
        let head = *self.store.positions().borrow();
        let (headers, read_to) = headers(pool, *checkpoint, self.options.batch_events_max, head)
            .await
            .map_err(RelayError::Store)?;
        if read_to == *checkpoint {
            return Ok(0);
        }
        let span = tracing::debug_span!("eventstore.relay.publish", events = headers.len());
        self.publish(&headers).instrument(span).await?;
        move_checkpoint(connection, read_to).await.map_err(failed())?;
        *checkpoint = read_to;
        *stream_seen_at = Some(tokio::time::Instant::now());
        Ok(headers.len())
    }

    /// Publishes all, then waits for all acknowledgements.
    async fn publish(&self, headers: &[Header]) -> Result<(), RelayError> {
        let publishing = async {
            let mut acks = Vec::with_capacity(headers.len());
            for header in headers {
                let failed =
                    |error| RelayError::Publish { position: header.position, source: error };
                let bell = serde_json::to_vec(&Bell::of(header))
                    .map_err(|error| failed(Box::new(error).into()))?;
                let message = PublishMessage::build()
                    .payload(bell.into())
                    .message_id(header.event_id.to_string());
                let ack = self
                    .jetstream
                    .send_publish(self.subject(header), message)
                    .await
                    .map_err(|error| failed(Box::new(error).into()))?;
                acks.push(async move { ack.await.map_err(|error| failed(Box::new(error).into())) });
            }
            try_join_all(acks).await.map(drop)
        };
        tokio::time::timeout(self.options.ack_timeout, publishing).await.unwrap_or_else(|elapsed| {
            let position = headers.first().map_or(GlobalPosition::START, |header| header.position);
            Err(RelayError::Publish { position, source: Box::new(elapsed) })
        })
    }

    fn subject(&self, header: &Header) -> String {
        let stream_id = &header.stream_id;
        format!(
            "{}.{}.{}.{}",
            self.options.prefix,
            token(stream_id.aggregate()),
            token(&header.event_type),
            token(stream_id.key())
        )
    }

    /// Makes the stream where it is missing, and changes it where it is another one.
    async fn make_stream_sure(&self, update: bool) -> Result<(), RelayError> {
        let failed = |source| RelayError::Stream { stream: self.options.stream.clone(), source };
        let config = self.options.stream_config();
        let making = async {
            if update {
                self.jetstream.create_or_update_stream(config).await.map(drop)
            } else {
                self.jetstream.get_or_create_stream(config).await.map(drop)
            }
        };
        tokio::time::timeout(self.options.ack_timeout, making)
            .await
            .map_err(|elapsed| failed(Box::new(elapsed)))?
            .map_err(|error| failed(Box::new(error)))
    }
}

impl<'a> Bell<'a> {
    fn of(header: &'a Header) -> Self {
        Self {
            event_id: header.event_id,
            position: header.position,
            stream_id: header.stream_id.as_str(),
            revision: header.revision.get(),
            r#type: &header.event_type,
        }
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("options", &self.options).finish_non_exhaustive()
    }
}

/// One token of a subject: what NATS reads as structure becomes `_`.
fn token(text: &str) -> String {
    if text.is_empty() {
        return "_".to_owned();
    }
    let harmless = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    text.chars().map(|letter| if harmless(letter) { letter } else { '_' }).collect()
}

async fn read_checkpoint(connection: &mut PgConnection) -> Result<GlobalPosition, sqlx::Error> {
    let position: Option<i64> =
        sqlx::query_scalar(SELECT_CHECKPOINT).bind(CHECKPOINT).fetch_optional(connection).await?;
    Ok(position.map_or(GlobalPosition::START, GlobalPosition::new))
}

async fn move_checkpoint(
    connection: &mut PgConnection,
    to: GlobalPosition,
) -> Result<(), sqlx::Error> {
    sqlx::query(MOVE_CHECKPOINT).bind(CHECKPOINT).bind(to.get()).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_holds_nothing_that_nats_reads_as_structure() {
        assert_eq!(token("4d1c-ab_9"), "4d1c-ab_9");
        assert_eq!(token("a.b*c>d e"), "a_b_c_d_e");
        assert_eq!(token(""), "_");
    }
}
