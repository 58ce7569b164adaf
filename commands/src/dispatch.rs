//! Load, decide, append: over one stream or several, in one transaction.

use std::sync::Arc;

use bytes::Bytes;
use calotype_domain::event::{Aggregate, DomainEvent};
use calotype_domain::{Clock, DecodeError, IdGen};
use calotype_eventstore::{
    Append, AppendError, EventStore, ExpectedRevision, Keyring, NewEvent, Recorded, Revision,
    StreamId,
};
use sqlx::PgPool;
use tracing::warn;
use uuid::Uuid;

use crate::batches::Importing;
use crate::context::CommandContext;
use crate::error::CommandError;
use crate::folded::{FOLDED_EVENTS_MIN, Folded};
use crate::reading::STREAMS_MAX;
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
    importing: Importing,
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
        let (turns, folded, importing) = Default::default();
        Self { store, keyring, ids, clock, turns, folded, importing }
    }

    /// The same where several processes write to one log: what one decides about people and their faces holds
    /// until it is written, whatever the others do. Up to [`EVERYWHERE_MAX`](crate::turns::EVERYWHERE_MAX)
    /// connections of this pool are held meanwhile, so it is for locks alone.
    #[must_use]
    pub fn among_processes(self, locks: PgPool) -> Self {
        Self { turns: self.turns.with_elsewhere(locks), ..self }
    }

    /// The generator that use cases draw ids from.
    #[must_use]
    pub fn ids(&self) -> &dyn IdGen {
        &*self.ids
    }

    /// Imports that are at work in this process.
    #[must_use]
    pub const fn importing(&self) -> &Importing {
        &self.importing
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

    /// Folds several aggregates from their streams, each with its last revision, in the order of the ids.
    ///
    /// # Errors
    /// [`CommandError::Read`] and [`CommandError::Decode`].
    pub async fn load_each<A: Aggregate>(
        &self,
        stream_ids: &[StreamId],
    ) -> Result<Vec<(A, Option<Revision>)>, CommandError<A::Error>> {
        let mut loaded = Vec::with_capacity(stream_ids.len());
        for some in stream_ids.chunks(STREAMS_MAX) {
            for events in self.read_each(some).await? {
                let (mut aggregate, mut last) = (A::default(), None);
                for recorded in events {
                    last = Some(recorded.revision);
                    fold_in(&mut aggregate, &recorded)?;
                }
                loaded.push((aggregate, last));
            }
        }
        Ok(loaded)
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
                fold_in(&mut aggregate, &recorded)?;
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

/// Takes one recorded event into an aggregate.
pub(crate) fn fold_in<A: Aggregate>(
    aggregate: &mut A,
    recorded: &Recorded,
) -> Result<(), CommandError<A::Error>> {
    let (kind, payload) = (&recorded.event_type, recorded.payload.as_str());
    aggregate.evolve(&A::Event::from_raw(kind, recorded.version, payload)?);
    Ok(())
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
        let (aggregate, last) = self.commands.load_for::<A>(self.ctx, &stream_id).await?;
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
        let (aggregate, last) = self.commands.load_for::<A>(self.ctx, &stream_id).await?;
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

    /// Whether anything was decided so far.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.appends.is_empty()
    }

    /// Attaches large bytes to the event that was decided last, if any was.
    pub fn attach(&mut self, name: &str, bytes: Bytes) {
        let events = self.appends.last_mut().map(|append| &mut append.events);
        if let Some(event) = events.and_then(|events| events.last_mut()) {
            event.attachments.push((name.to_owned(), bytes));
        }
    }

    /// The same to the first event of those that were decided last.
    pub fn attach_first(&mut self, name: &str, bytes: Bytes) {
        let events = self.appends.last_mut().map(|append| &mut append.events);
        if let Some(event) = events.and_then(|events| events.first_mut()) {
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
                // The key of the command named another wish before, which stands.
                Err(AppendError::Invalid(reason)) if self.ctx.is_keyed() => {
                    warn!(reason, "a command with a key was refused");
                    return Ok(None);
                }
                Err(error @ AppendError::Unknown(_)) if tries < APPEND_TRIES_MAX => {
                    warn!(%error, tries, "an append's answer was lost, repeating it");
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn next_event_id(&mut self) -> Uuid {
        let id = self.ctx.event_id(self.events);
        self.events += 1;
        id
    }
}
