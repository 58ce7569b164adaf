//! One append: lock its streams, look, decide, store what must stand before, write.

use uuid::Uuid;

use super::client::WriteFailure;
use super::decided::{self, Ending};
use super::look::Look;
use super::record::Write;
use super::session::{Prepared, Session};
use super::store::Shared;
use crate::error::{AppendError, StoreError};
use crate::event::{Append, Appended, Envelope};
use crate::postgres::CallStream;
use crate::stream::Revision;
use crate::validate::Sealing;

/// How often an append begins again, because a key was made or a stream was written to meanwhile.
const TRIES_MAX: usize = 4;

/// What a try came to.
enum Tried {
    /// Written now.
    Written(Vec<Appended>),
    /// Written by an earlier attempt.
    Repeated(Vec<Appended>),
    /// A subject has another key: read it and seal again.
    OtherKey,
    /// Look again.
    Again,
}

/// Appends, as [`crate::EventStore::append`].
pub(super) async fn append(
    shared: &Shared,
    appends: &[Append],
    sealings: &[Sealing],
    envelope: &Envelope,
) -> Result<Vec<Appended>, AppendError> {
    for attempt in 1..=TRIES_MAX {
        let (streams, keys) = shared.postgres.seal(appends, sealings, attempt == 1).await?;
        match try_append(shared, appends, &streams, envelope).await? {
            Tried::Written(appended) => {
                shared.postgres.keep_keys(keys);
                shared.postgres.bell().notify_one();
                return Ok(appended);
            }
            Tried::Repeated(appended) => return Ok(appended),
            Tried::OtherKey => shared.postgres.drop_keys(appends),
            Tried::Again => {}
        }
    }
    Err(AppendError::Unavailable(StoreError::Corrupt {
        table: "KurrentDB",
        column: "revision",
        row: appends.iter().map(|append| append.stream_id.as_str()).collect::<Vec<_>>().join(", "),
        reason: "changed while appending, again and again".to_owned(),
    }))
}

async fn try_append(
    shared: &Shared,
    appends: &[Append],
    streams: &[CallStream],
    envelope: &Envelope,
) -> Result<Tried, AppendError> {
    let names: Vec<&str> = appends.iter().map(|append| append.stream_id.as_str()).collect();
    let mut session =
        Session::lock(&shared.sessions, &names).await.map_err(AppendError::Unavailable)?;
    let tried = write_locked(shared, &mut session, &names, appends, streams, envelope).await;
    session.release().await;
    tried
}

async fn write_locked(
    shared: &Shared,
    session: &mut Session,
    names: &[&str],
    appends: &[Append],
    streams: &[CallStream],
    envelope: &Envelope,
) -> Result<Tried, AppendError> {
    for call_id in session.unfinished(names).await.map_err(AppendError::Unavailable)? {
        decided::finish(&shared.kurrent, shared.postgres.pool(), call_id, None)
            .await
            .map_err(AppendError::Unavailable)?;
    }
    let look = Look::at(appends, session.connection(), &shared.kurrent)
        .await
        .map_err(AppendError::Unavailable)?;
    if let Some(repeated) = look.judge(appends)? {
        return Ok(Tried::Repeated(repeated));
    }
    let mut writes = Vec::with_capacity(streams.len());
    let mut appended = Vec::with_capacity(streams.len());
    for (stream, after) in streams.iter().zip(look.last_revisions()) {
        writes.extend(Write::cut(stream, after, envelope)?);
        appended.push(expected_answer(stream, after));
    }
    match writes.as_slice() {
        [write] => write_one(shared, session, streams, write, appended).await,
        _ => write_decided(shared, session, streams, writes, appended).await,
    }
}

/// KurrentDB takes it whole or not at all.
async fn write_one(
    shared: &Shared,
    session: &mut Session,
    streams: &[CallStream],
    write: &Write,
    appended: Vec<Appended>,
) -> Result<Tried, AppendError> {
    if let Prepared::OtherKey = session.prepare(streams, None).await? {
        return Ok(Tried::OtherKey);
    }
    let failed = StoreError::kurrent("append to KurrentDB");
    let tried = match shared.kurrent.append(write).await {
        Ok(()) => return Ok(Tried::Written(appended)),
        Err(WriteFailure::Lost(error)) => return Err(AppendError::Unknown(failed(error))),
        Err(WriteFailure::Conflict) => Ok(Tried::Again),
        Err(WriteFailure::Unacceptable(error)) => Err(AppendError::Invalid(error.to_string())),
        Err(WriteFailure::Refused(error)) => Err(AppendError::Unavailable(failed(error))),
    };
    session.take_back(streams).await;
    tried
}

/// The decision is stored, and from then on it is carried out by whoever finds it.
async fn write_decided(
    shared: &Shared,
    session: &mut Session,
    streams: &[CallStream],
    writes: Vec<Write>,
    appended: Vec<Appended>,
) -> Result<Tried, AppendError> {
    let call_id = call_id(&writes);
    if let Prepared::OtherKey = session.prepare(streams, Some((call_id, &writes))).await? {
        return Ok(Tried::OtherKey);
    }
    let pool = shared.postgres.pool();
    match decided::finish(&shared.kurrent, pool, call_id, Some(writes)).await {
        Ok(Ending::AsDecided) => Ok(Tried::Written(appended)),
        // The next look finds it, where it is.
        Ok(Ending::Otherwise) => Ok(Tried::Again),
        Err(error) => Err(AppendError::Unknown(error)),
    }
}

/// A call is named after its first event.
fn call_id(writes: &[Write]) -> Uuid {
    let first = writes.first().and_then(|write| write.events.first());
    first.map(|event| event.event_id).unwrap_or_default()
}

fn expected_answer(stream: &CallStream, after: i64) -> Appended {
    let count = i64::try_from(stream.events.len()).unwrap_or(i64::MAX);
    Appended {
        stream_id: stream.stream_id.clone(),
        last_revision: Revision::new(after.saturating_add(count)),
        last_event_id: stream.events.last().map(|event| event.event_id).unwrap_or_default(),
    }
}
