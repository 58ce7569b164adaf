//! An event as projections see it: placed, decoded, with the parts of its envelope that rows need.

use calotype_domain::DecodeError;
use calotype_domain::catalogue::{self, AnyEvent};
use calotype_domain::user::UserEvent;
use calotype_eventstore::{GlobalPosition, Recorded};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::ProjectionError;

/// One decoded event of the log.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its place in the log.
    pub position: GlobalPosition,
    /// Its id.
    pub event_id: Uuid,
    /// Its stream, `asset-<uuid>`.
    pub stream_id: String,
    /// The key of its stream as a UUID; nil where the key is a word.
    pub key: Uuid,
    /// Its place in the stream, from 0.
    pub revision: i64,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// What happened.
    pub what: AnyEvent,
}

impl Event {
    /// Decodes a recorded event.
    ///
    /// # Errors
    /// [`ProjectionError::Decode`].
    pub fn decode(recorded: &Recorded) -> Result<Self, ProjectionError> {
        let event_id = recorded.event_id;
        let what = catalogue::decode(
            recorded.stream_id.aggregate(),
            &recorded.event_type,
            recorded.version,
            recorded.payload.as_str(),
        )
        .map_err(|source| ProjectionError::Decode { event_id, source })?;
        Ok(Self {
            position: recorded.position.unwrap_or(GlobalPosition::START),
            event_id,
            key: Uuid::parse_str(recorded.stream_id.key()).unwrap_or_default(),
            stream_id: recorded.stream_id.as_str().to_owned(),
            revision: recorded.revision.get(),
            recorded_at: recorded.envelope.recorded_at,
            what,
        })
    }
}

/// An event that this release cannot read although it is not of a newer one.
#[derive(Clone, Debug)]
pub(crate) struct Unreadable {
    pub(crate) position: GlobalPosition,
    pub(crate) event_id: Uuid,
    pub(crate) stream_id: String,
    pub(crate) reason: String,
}

/// Decodes a batch, and sets apart what cannot be read.
///
/// # Errors
/// An event was written by a newer release: its readers stop.
pub(crate) fn readable(
    recorded: Vec<Recorded>,
) -> Result<(Vec<Event>, Vec<Unreadable>), ProjectionError> {
    let (mut events, mut unreadable) = (Vec::with_capacity(recorded.len()), Vec::new());
    for one in recorded {
        let position = one.position.unwrap_or(GlobalPosition::START);
        let stream_id = one.stream_id.as_str().to_owned();
        match Event::decode(&one) {
            Ok(event) => events.push(event),
            Err(ProjectionError::Decode { event_id, source })
                if !matches!(source, DecodeError::FromTheFuture { .. }) =>
            {
                let reason = because(&source);
                unreadable.push(Unreadable { position, event_id, stream_id, reason });
            }
            Err(error) => return Err(error),
        }
    }
    Ok((events, unreadable))
}

/// An error with what led to it, without the values of what could not be read: they may be somebody's secrets.
#[must_use]
pub fn because(error: &(dyn std::error::Error + 'static)) -> String {
    let mut told = in_words(error);
    let mut source = error.source();
    while let Some(error) = source {
        told = format!("{told}: {}", in_words(error));
        source = error.source();
    }
    told
}

fn in_words(error: &(dyn std::error::Error + 'static)) -> String {
    let told = error.to_string();
    if error.is::<serde_json::Error>() { without_value(&told) } else { told }
}

/// Takes the value out of what serde says: `invalid type: string "abc", expected a boolean at line 1 column 5`.
fn without_value(told: &str) -> String {
    let about_a_value = ["invalid type: ", "invalid value: ", "unknown variant "];
    let (Some(start), Some((found, expected))) = (
        about_a_value.iter().find(|start| told.starts_with(**start)),
        told.rsplit_once(", expected "),
    ) else {
        return told.to_owned();
    };
    let found = found.strip_prefix(start).unwrap_or_default();
    let kind: String = found.chars().take_while(|c| c.is_ascii_lowercase() || *c == ' ').collect();
    [start.trim_end(), kind.trim(), "expected", expected].join(" ").replace("  ", " ")
}

/// Deletes what belonged to the accounts that were removed for good in a batch; `delete` takes them as `$1::uuid[]`.
pub(crate) async fn forget_users_in_tx(
    tx: &mut PgConnection,
    events: &[&Event],
    delete: &'static str,
) -> Result<(), ProjectionError> {
    let gone = purged_users(events);
    if !gone.is_empty() {
        sqlx::query(delete).bind(&gone).execute(tx).await?;
    }
    Ok(())
}

/// The accounts that were removed for good in a batch.
pub(crate) fn purged_users(events: &[&Event]) -> Vec<Uuid> {
    events
        .iter()
        .filter(|event| matches!(event.what, AnyEvent::User(UserEvent::Purged(_))))
        .map(|event| event.key)
        .collect()
}
