//! Writes one batch of append calls: one statement, one round trip, one commit.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Row};
use uuid::Uuid;

use super::call::{Call, CallStream, Verdict};
use crate::error::{AppendError, StoreError};
use crate::stream::ExpectedRevision;

/// How long one batch may take before its answer counts as lost.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often one call is tried again because another process wrote to the same stream meanwhile.
const RACE_TRIES_MAX: usize = 8;

/// `log.append` in the migrations says what the arguments mean.
const APPEND: &str = "
    select outcomes, revisions
    from log.append(
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
        $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26
    )";

const RING_OUTBOX: &str = "select pg_notify('calotype_outbox', '')";

/// A connection of its own that commits durably.
pub(super) struct Writer {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

/// Why a statement has no outcome.
enum Failure {
    /// Another transaction was faster; nothing was written.
    Race,
    /// The database understands but cannot take it (a zero byte in a text); nothing was written.
    Unacceptable(sqlx::Error),
    /// Nothing was written.
    Refused(sqlx::Error),
    /// There is no connection; nothing was written.
    NotConnected(sqlx::Error),
    /// The connection broke or the time ran out; it may have been written.
    Lost(sqlx::Error),
}

impl Failure {
    /// What the caller is told. `lost`: an earlier answer about the same call was lost.
    fn judge(self, lost: bool) -> AppendError {
        let refused = |error| {
            let error =
                StoreError::Database { attempt: "append to the log", source: Arc::new(error) };
            if lost { AppendError::Unknown(error) } else { AppendError::Unavailable(error) }
        };
        match self {
            Self::Race => refused(sqlx::Error::Protocol(format!(
                "lost {RACE_TRIES_MAX} races for one stream"
            ))),
            Self::Unacceptable(error) => AppendError::Invalid(error.to_string()),
            Self::Refused(error) | Self::NotConnected(error) => refused(error),
            Self::Lost(error) => AppendError::Unknown(StoreError::Database {
                attempt: "append to the log",
                source: Arc::new(error),
            }),
        }
    }
}

impl Writer {
    pub(super) fn new(options: &PgConnectOptions) -> Self {
        let options = options
            .clone()
            .application_name("calotype append")
            .options([("synchronous_commit", "on")]);
        Self { options, connection: None }
    }

    /// Writes a batch and answers each call.
    pub(super) async fn write(&mut self, batch: Vec<Call>) {
        match self.try_write(&batch, false).await {
            Ok(verdicts) => {
                for (call, verdicts) in batch.into_iter().zip(verdicts) {
                    call.answer(Ok(verdicts));
                }
            }
            // Which call is to blame, and what was written, shows when each goes alone and is recognised
            // by its event ids.
            Err(Failure::Race | Failure::Unacceptable(_)) => self.write_each(batch, false).await,
            Err(Failure::Lost(error)) => {
                tracing::debug!(error = %error, "the answer to a batch was lost, asking again");
                self.write_each(batch, true).await;
            }
            Err(failure @ (Failure::Refused(_) | Failure::NotConnected(_))) => {
                let error = failure.judge(false);
                for call in batch {
                    call.answer(Err(error.clone()));
                }
            }
        }
    }

    /// Tells the sequencer of another process; it also looks by itself, so failing is no harm.
    pub(super) async fn ring_outbox(&mut self) {
        if let Some(connection) = &mut self.connection
            && let Err(error) = sqlx::query(RING_OUTBOX).execute(connection).await
        {
            tracing::debug!(error = %error, "failed to ring for the sequencer");
            self.connection = None;
        }
    }

    /// Writes calls one by one. `lost`: an earlier answer about them was lost.
    async fn write_each(&mut self, batch: Vec<Call>, lost: bool) {
        let mut down: Option<AppendError> = None;
        for call in batch {
            if let Some(error) = &down {
                call.answer(Err(error.clone()));
                continue;
            }
            match self.write_alone(&call, lost).await {
                Ok(verdicts) => call.answer(Ok(verdicts)),
                Err(failure) => {
                    let stays_down = matches!(failure, Failure::NotConnected(_) | Failure::Lost(_));
                    let error = failure.judge(lost);
                    call.answer(Err(error.clone()));
                    down = stays_down.then_some(error);
                }
            }
        }
    }

    async fn write_alone(&mut self, call: &Call, lost: bool) -> Result<Vec<Verdict>, Failure> {
        let mut lost = lost;
        for _ in 1..RACE_TRIES_MAX {
            match self.try_write(std::slice::from_ref(call), true).await {
                Err(Failure::Race) => {}
                Err(Failure::Lost(_)) if !lost => lost = true,
                // An answer was lost here, and being refused now says nothing about then.
                Err(Failure::Refused(error) | Failure::NotConnected(error)) if lost => {
                    return Err(Failure::Lost(error));
                }
                result => return result.map(|mut verdicts| verdicts.pop().unwrap_or_default()),
            }
        }
        Err(if lost { Failure::Lost(sqlx::Error::PoolTimedOut) } else { Failure::Race })
    }

    /// One statement for the whole batch. The verdicts are one list per call, one verdict per stream.
    async fn try_write(
        &mut self,
        batch: &[Call],
        check_ids: bool,
    ) -> Result<Vec<Vec<Verdict>>, Failure> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.options).await.map_err(Failure::NotConnected)?,
        };
        let arguments = Arguments::gather(batch);
        let answered =
            tokio::time::timeout(WRITE_TIMEOUT, arguments.append(&mut connection, check_ids)).await;
        let row = match answered {
            Ok(Ok(row)) => row,
            Ok(Err(error)) => {
                let failure = classify(error);
                if !matches!(failure, Failure::Lost(_)) {
                    self.connection = Some(connection);
                }
                return Err(failure);
            }
            Err(_) => {
                return Err(Failure::Lost(sqlx::Error::Protocol(format!(
                    "no answer in {} s",
                    WRITE_TIMEOUT.as_secs()
                ))));
            }
        };
        self.connection = Some(connection);
        let outcomes: Vec<i16> = row.try_get(0).map_err(Failure::Lost)?;
        let revisions: Vec<i64> = row.try_get(1).map_err(Failure::Lost)?;
        let mut verdicts =
            outcomes.into_iter().zip(revisions).map(|(outcome, revision)| match outcome {
                0 => Verdict::Written { before: revision },
                1 => Verdict::Repeated { last: revision },
                2 => Verdict::WrongRevision { actual: revision },
                3 => Verdict::EventIdTaken,
                4 => Verdict::Forgotten,
                5 => Verdict::OtherKey,
                _ => Verdict::Refused,
            });
        Ok(batch.iter().map(|call| verdicts.by_ref().take(call.streams.len()).collect()).collect())
    }
}

/// The arrays of `log.append`, borrowed from the calls.
#[derive(Default)]
struct Arguments<'a> {
    a_call: Vec<i32>,
    a_stream_id: Vec<&'a str>,
    a_expected: Vec<Option<i64>>,
    a_subject: Vec<Option<&'a str>>,
    a_wrapped: Vec<Option<&'a [u8]>>,
    e_append: Vec<i32>,
    e_offset: Vec<i32>,
    e_event_id: Vec<Uuid>,
    e_stream_id: Vec<&'a str>,
    e_type: Vec<&'a str>,
    e_version: Vec<i16>,
    e_payload: Vec<&'a str>,
    e_subject: Vec<Option<&'a str>>,
    e_actor_kind: Vec<&'a str>,
    e_actor_id: Vec<&'a str>,
    e_actor_user_id: Vec<Option<Uuid>>,
    e_client: Vec<Option<&'a str>>,
    e_correlation_id: Vec<Uuid>,
    e_causation_id: Vec<Option<Uuid>>,
    e_recorded_at: Vec<DateTime<Utc>>,
    t_append: Vec<i32>,
    t_event_id: Vec<Uuid>,
    t_name: Vec<&'a str>,
    t_subject: Vec<&'a str>,
    t_bytes: Vec<&'a [u8]>,
}

impl<'a> Arguments<'a> {
    fn gather(batch: &'a [Call]) -> Self {
        let mut all = Self::default();
        for (call_number, call) in (1..).zip(batch) {
            for stream in &call.streams {
                all.a_call.push(call_number);
                all.a_stream_id.push(stream.stream_id.as_str());
                all.a_expected.push(match stream.expected {
                    ExpectedRevision::NoStream => Some(-1),
                    ExpectedRevision::Exact(revision) => Some(revision.get()),
                    ExpectedRevision::Any => None,
                });
                all.a_subject.push(stream.subject.as_deref());
                all.a_wrapped.push(stream.wrapped.as_deref());
                all.push_events(call, stream);
            }
        }
        all
    }

    fn push_events(&mut self, call: &'a Call, stream: &'a CallStream) {
        let append_number = i32::try_from(self.a_call.len()).unwrap_or(i32::MAX);
        let envelope = &*call.envelope;
        for (offset, event) in (0..).zip(&stream.events) {
            self.e_append.push(append_number);
            self.e_offset.push(offset);
            self.e_event_id.push(event.event_id);
            self.e_stream_id.push(stream.stream_id.as_str());
            self.e_type.push(&event.event_type);
            self.e_version.push(event.version);
            self.e_payload.push(&event.payload);
            self.e_subject.push(stream.subject.as_deref());
            self.e_actor_kind.push(envelope.actor.kind.as_str());
            self.e_actor_id.push(&envelope.actor.id);
            self.e_actor_user_id.push(envelope.actor.user_id);
            self.e_client.push(envelope.client.as_deref());
            self.e_correlation_id.push(envelope.correlation_id);
            self.e_causation_id.push(envelope.causation_id);
            self.e_recorded_at.push(envelope.recorded_at);
            for (name, bytes) in &event.attachments {
                self.t_append.push(append_number);
                self.t_event_id.push(event.event_id);
                self.t_name.push(name);
                self.t_subject.push(stream.subject.as_deref().unwrap_or_default());
                self.t_bytes.push(bytes);
            }
        }
    }

    async fn append(
        self,
        connection: &mut PgConnection,
        check_ids: bool,
    ) -> Result<sqlx::postgres::PgRow, sqlx::Error> {
        let seals = self.a_wrapped.iter().any(Option::is_some);
        let attaches = !self.t_event_id.is_empty();
        sqlx::query(APPEND)
            .bind(check_ids)
            .bind(self.a_call)
            .bind(self.a_stream_id)
            .bind(self.a_expected)
            .bind(self.a_subject)
            .bind(seals.then_some(self.a_wrapped))
            .bind(self.e_append)
            .bind(self.e_offset)
            .bind(self.e_event_id)
            .bind(self.e_stream_id)
            .bind(self.e_type)
            .bind(self.e_version)
            .bind(self.e_payload)
            .bind(self.e_subject)
            .bind(self.e_actor_kind)
            .bind(self.e_actor_id)
            .bind(self.e_actor_user_id)
            .bind(self.e_client)
            .bind(self.e_correlation_id)
            .bind(self.e_causation_id)
            .bind(self.e_recorded_at)
            .bind(attaches.then_some(self.t_append))
            .bind(attaches.then_some(self.t_event_id))
            .bind(attaches.then_some(self.t_name))
            .bind(attaches.then_some(self.t_subject))
            .bind(attaches.then_some(self.t_bytes))
            .fetch_one(connection)
            .await
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(options))
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// What an error says about whether it was written (SQLSTATE, appendix A of PostgreSQL's manual).
fn classify(error: sqlx::Error) -> Failure {
    let Some(code) =
        error.as_database_error().and_then(sqlx::error::DatabaseError::code).map(|c| c.to_string())
    else {
        return Failure::Lost(error);
    };
    match code.as_str() {
        // unique_violation, serialization_failure, deadlock_detected
        "23505" | "40001" | "40P01" => Failure::Race,
        // The server or the connection goes down.
        code if code.starts_with("57P") || code.starts_with("08") => Failure::Lost(error),
        // Data exceptions and other constraints.
        code if code.starts_with("22") || code.starts_with("23") => Failure::Unacceptable(error),
        _ => Failure::Refused(error),
    }
}
