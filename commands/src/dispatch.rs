//! Load, decide, append: over one stream or several, in one transaction.

use std::sync::Arc;

use bytes::Bytes;
use calotype_domain::event::{Aggregate, DomainEvent};
use calotype_domain::{Clock, DecodeError, IdGen};
use calotype_eventstore::{
    Append, AppendError, EventStore, ExpectedRevision, Keyring, NewEvent, Revision, StreamId,
};
use tracing::warn;
use uuid::Uuid;

use crate::context::CommandContext;
use crate::error::CommandError;
use crate::folded::{FOLDED_EVENTS_MIN, Folded};
use crate::turns::Turns;

/// How often a command is decided anew when somebody else wrote first.
pub const ATTEMPTS_MAX: u32 = 3;
/// How often an append whose answer was lost is repeated with the same event ids.
const APPEND_TRIES_MAX: u32 = 3;
/// Events read at once when an aggregate is loaded.
const LOAD_PAGE_EVENTS: u32 = 1_000;

/// Everything use cases need.
#[derive(Clone)]
pub struct Commands {
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) ids: Arc<dyn IdGen>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) turns: Turns,
    pub(crate) folded: Folded,
}

/// Where a command's last event went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The stream.
    pub stream_id: StreamId,
    /// The stream's revision after it.
    pub revision: Revision,
    /// The event; readers wait for it.
    pub event_id: Uuid,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Events were written.
    Committed(Written),
    /// The wish held already; nothing was written.
    AlreadyTrue,
}

impl Outcome {
    /// Where the last event went, when there is one.
    #[must_use]
    pub const fn written(&self) -> Option<&Written> {
        match self {
            Self::Committed(written) => Some(written),
            Self::AlreadyTrue => None,
        }
    }
}

impl Commands {
    /// Puts the parts together.
    #[must_use]
    pub fn new(
        store: Arc<dyn EventStore>,
        keyring: Arc<Keyring>,
        ids: Arc<dyn IdGen>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { store, keyring, ids, clock, turns: Turns::default(), folded: Folded::default() }
    }

    /// The generator that use cases draw ids from.
    #[must_use]
    pub fn ids(&self) -> &dyn IdGen {
        &*self.ids
    }

    /// The clock that contexts are stamped with.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// One command on one aggregate.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn dispatch<A: Aggregate>(
        &self,
        ctx: &CommandContext,
        stream_id: StreamId,
        subject: Option<String>,
        command: &A::Command,
    ) -> Result<Outcome, CommandError<A::Error>> {
        // Most are alone and never wait. Who lost a race takes turns with the others who did.
        let mut turn = Vec::new();
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            unit.apply::<A>(stream_id.clone(), subject.clone(), command).await?;
            match unit.commit().await {
                Ok(Some(outcome)) => return Ok(outcome),
                Ok(None) if turn.is_empty() => {
                    turn = self.turns.take(std::slice::from_ref(&stream_id)).await;
                }
                Ok(None) => {}
                Err(error) => return Err(CommandError::Append(error)),
            }
        }
        Err(CommandError::Contended)
    }

    /// Starts a transaction over several streams.
    #[must_use]
    pub fn unit<'a>(&'a self, ctx: &'a CommandContext) -> Unit<'a> {
        Unit { commands: self, ctx, appends: Vec::new(), events: 0 }
    }

    /// Folds an aggregate from its stream, and says its last revision.
    ///
    /// # Errors
    /// [`CommandError::Read`] and [`CommandError::Decode`].
    pub async fn load<A: Aggregate>(
        &self,
        stream_id: &StreamId,
    ) -> Result<(A, Option<Revision>), CommandError<A::Error>> {
        let (mut aggregate, mut last) =
            self.folded.get::<A>(stream_id).map(|(kept, at)| (kept, Some(at))).unwrap_or_default();
        let mut read = 0;
        loop {
            let from = last.map_or(Revision::new(0), |revision| Revision::new(revision.get() + 1));
            let page = self.store.read_stream(stream_id, from, LOAD_PAGE_EVENTS).await?;
            let full = page.len() >= usize::try_from(LOAD_PAGE_EVENTS).unwrap_or(usize::MAX);
            read += page.len();
            for recorded in page {
                last = Some(recorded.revision);
                aggregate.evolve(&A::Event::from_raw(
                    &recorded.event_type,
                    recorded.version,
                    recorded.payload,
                )?);
            }
            if full {
                continue;
            }
            if let Some(last) = last.filter(|_| read >= FOLDED_EVENTS_MIN) {
                self.folded.keep(stream_id, aggregate.clone(), last);
            }
            return Ok((aggregate, last));
        }
    }
}

/// A transaction over several streams: what aggregates decided, not yet written.
pub struct Unit<'a> {
    commands: &'a Commands,
    ctx: &'a CommandContext,
    appends: Vec<Append>,
    events: u32,
}

impl Unit<'_> {
    /// Loads an aggregate, lets it decide and keeps its events for [`Unit::commit`].
    /// Returns the aggregate as it was before.
    ///
    /// # Errors
    /// See [`CommandError`]; nothing is written here.
    pub async fn apply<A: Aggregate>(
        &mut self,
        stream_id: StreamId,
        subject: Option<String>,
        command: &A::Command,
    ) -> Result<A, CommandError<A::Error>> {
        let (aggregate, last) = self.commands.load::<A>(&stream_id).await?;
        self.decide(&aggregate, last, stream_id, subject, std::slice::from_ref(command))?;
        Ok(aggregate)
    }

    /// Loads an aggregate and lets it decide several commands, each on it as it was loaded.
    ///
    /// # Errors
    /// See [`CommandError`]; what the aggregate refuses leaves the transaction as it was.
    pub async fn try_apply<A: Aggregate>(
        &mut self,
        stream_id: StreamId,
        subject: Option<String>,
        commands: &[A::Command],
    ) -> Result<(), CommandError<A::Error>> {
        let (aggregate, last) = self.commands.load::<A>(&stream_id).await?;
        self.decide(&aggregate, last, stream_id, subject, commands)
    }

    /// Lets a loaded aggregate decide several commands in a row, and keeps the events.
    ///
    /// Each command is decided on the aggregate as it was loaded.
    ///
    /// # Errors
    /// [`CommandError::Refused`], [`CommandError::Decode`].
    pub fn decide<A: Aggregate>(
        &mut self,
        aggregate: &A,
        last: Option<Revision>,
        stream_id: StreamId,
        subject: Option<String>,
        commands: &[A::Command],
    ) -> Result<(), CommandError<A::Error>> {
        let mut decided = Vec::new();
        for command in commands {
            decided.extend(aggregate.decide(command).map_err(CommandError::Refused)?);
        }
        Ok(self.record(last, stream_id, subject, &decided)?)
    }

    /// Keeps events that an aggregate, loaded at `last`, has decided already. One call a stream.
    ///
    /// # Errors
    /// When an event cannot be written as JSON.
    pub fn record<E: DomainEvent>(
        &mut self,
        last: Option<Revision>,
        stream_id: StreamId,
        subject: Option<String>,
        decided: &[E],
    ) -> Result<(), DecodeError> {
        let mut events = Vec::with_capacity(decided.len());
        for event in decided {
            let raw = event.to_raw()?;
            events.push(NewEvent {
                event_id: self.next_event_id(),
                event_type: raw.event_type,
                version: raw.version,
                payload: raw.payload,
                attachments: Vec::new(),
            });
        }
        if !events.is_empty() {
            let expected = last.map_or(ExpectedRevision::NoStream, ExpectedRevision::Exact);
            self.appends.push(Append { stream_id, expected, subject, events });
        }
        Ok(())
    }

    /// Attaches large bytes to the event that was decided last, if any was.
    pub fn attach(&mut self, name: &str, bytes: Bytes) {
        let events = self.appends.last_mut().map(|append| &mut append.events);
        if let Some(event) = events.and_then(|events| events.last_mut()) {
            event.attachments.push((name.to_owned(), bytes));
        }
    }

    /// Writes everything, or nothing. `None` says that somebody else wrote first: decide again.
    ///
    /// # Errors
    /// [`AppendError`], but never `WrongExpectedRevision`.
    pub async fn commit(self) -> Result<Option<Outcome>, AppendError> {
        if self.appends.is_empty() {
            return Ok(Some(Outcome::AlreadyTrue));
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let appends = self.appends.clone();
            match self.commands.store.append(appends, self.ctx.envelope()).await {
                Ok(appended) => {
                    return Ok(Some(appended.into_iter().next_back().map_or(
                        Outcome::AlreadyTrue,
                        |last| {
                            Outcome::Committed(Written {
                                stream_id: last.stream_id,
                                revision: last.last_revision,
                                event_id: last.last_event_id,
                            })
                        },
                    )));
                }
                Err(AppendError::WrongExpectedRevision { .. }) => {
                    for append in &self.appends {
                        self.commands.folded.drop_stream(&append.stream_id);
                    }
                    return Ok(None);
                }
                Err(error @ AppendError::Unknown(_)) if tries < APPEND_TRIES_MAX => {
                    warn!(%error, tries, "an append's answer was lost, repeating it");
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Version 5 of the command's id and the event's place, so that a repeated append is recognised.
    fn next_event_id(&mut self) -> Uuid {
        let id = Uuid::new_v5(&self.ctx.command_id.uuid(), &self.events.to_be_bytes());
        self.events += 1;
        id
    }
}
