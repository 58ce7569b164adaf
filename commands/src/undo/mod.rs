//! Takes back what a command or a request did, checked for what has changed since.
//!
//! What goes back is decided by the aggregates ([`calotype_domain::undo::Undo`]); this use case finds the
//! events, compares three states of each stream, and writes the answers. An aggregate that can be taken
//! back is named in [`plan`]; another one is answered as impossible.

mod commit;
mod plan;
mod settle;

use calotype_domain::UserId;
use calotype_domain::undo::Facet;
use calotype_eventstore::{Actor, StreamId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

pub(crate) use plan::Plans;

use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;

/// Most events of one request that are taken back.
pub const UNDO_EVENTS_MAX: u32 = 10_000;

/// Why nothing is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UndoError {
    /// There is no such command, or somebody else gave it.
    #[error("no command of this person has the id")]
    NotFound,
    /// It did too much to be taken back at once.
    #[error("more than {UNDO_EVENTS_MAX} events")]
    TooLarge,
}

/// What somebody did to a stream after the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Later {
    /// The last event.
    pub event_id: Uuid,
    /// Its name.
    pub event_type: String,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Who did it.
    pub actor: Actor,
}

/// What taking back a command means for one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The stream.
    pub stream_id: StreamId,
    /// What goes back.
    pub undone: Vec<Facet>,
    /// What stays because it changed since.
    pub changed_since: Vec<Facet>,
    /// What cannot be taken back at all.
    pub impossible: Vec<Facet>,
    /// The last that happened to the stream after the command.
    pub later: Option<Later>,
}

impl Commands {
    /// Says what [`Commands::undo`] would do. `id` is that of a command, or the correlation id of a request.
    ///
    /// # Errors
    /// [`UndoError`] and see [`CommandError`].
    pub async fn preview_undo(
        &self,
        by: UserId,
        id: Uuid,
    ) -> Result<Vec<Item>, CommandError<UndoError>> {
        Ok(self.plan_undo(by, id).await?.items())
    }

    /// Takes back what a person's command or request did, as far as nothing else has changed since. Up to
    /// 500 streams, and all stacks, are one transaction; more are done in several.
    ///
    /// # Errors
    /// [`UndoError`] and see [`CommandError`].
    pub async fn undo(
        &self,
        ctx: &CommandContext,
        by: UserId,
        id: Uuid,
    ) -> Result<(Vec<Item>, Outcome), CommandError<UndoError>> {
        let mut told: Option<Vec<Item>> = None;
        for attempt in 0..ATTEMPTS_MAX {
            let plans = self.plan_undo(by, id).await?;
            let items = told.take().unwrap_or_else(|| plans.items());
            let ctx = self.part_of(ctx, usize::try_from(attempt).unwrap_or(usize::MAX));
            if let Some(outcome) = self.commit_undo(&ctx, plans).await? {
                return Ok((items, outcome));
            }
            // Parts that were written are as they were before now; what they were stays told.
            told = Some(items);
        }
        Err(CommandError::Contended)
    }
}
