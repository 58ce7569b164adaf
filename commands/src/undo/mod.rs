//! Takes back what a command, a request, a session or a key did, checked for what has changed since; and brings
//! something back to what it was, which is the same of everything that happened since.
//!
//! What goes back is decided by the aggregates ([`calotype_domain::undo::Undo`]); this use case finds the
//! events (`find.rs`), compares three states of each stream (`compare.rs`), asks what else stands in the way and whether
//! the person may do it, and writes the answers. An aggregate that can be taken back is named in `compare.rs`; of
//! others the tables say why not.

mod commit;
mod compare;
mod find;
mod keep;
mod plan;
mod rights;
mod settle;
mod settle_people;
mod settle_sharing;
mod wish;

use calotype_domain::access::{Denied, Viewer};
use calotype_domain::permission::Permission;
use calotype_domain::undo::{Facet, Impossible};
use calotype_eventstore::{Actor, StreamId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

pub(crate) use plan::Plans;
pub use wish::{Since, Span, Whole, Wish};

use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;

/// Most events of one request, session or key that are taken back.
pub const UNDO_EVENTS_MAX: u32 = 40_000;
/// Most events of the log that are looked through for those of a session, a key or a library.
pub const SPAN_EVENTS_MAX: i64 = 1_000_000;
/// Most photos, albums and so on of a library that are brought back at once.
pub const STREAMS_CHANGED_MAX: usize = 20_000;

/// Why nothing is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UndoError {
    /// There is nothing of the kind, or it is somebody else's.
    #[error("nothing of this person's is meant")]
    NotFound,
    /// It is too much to be taken back at once, or too much of the log to look through for it.
    #[error("more than {UNDO_EVENTS_MAX} events, or {STREAMS_CHANGED_MAX} objects")]
    TooLarge,
    /// They may not do any more what would have to be done.
    #[error("{permission:?} is needed")]
    Denied {
        /// Why not.
        denied: Denied,
        /// What is needed.
        permission: Permission,
    },
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
    pub impossible: Vec<Impossible>,
    /// The last that happened to the stream after the command.
    pub later: Option<Later>,
}

impl Commands {
    /// Says what [`Commands::undo`] would do.
    ///
    /// # Errors
    /// [`UndoError`] and see [`CommandError`].
    pub async fn preview_undo(
        &self,
        viewer: &Viewer,
        wish: &Wish,
    ) -> Result<Vec<Item>, CommandError<UndoError>> {
        Ok(self.plan_undo(viewer, wish).await?.items())
    }

    /// Takes back what is wished for, as far as nothing else has changed since and the person may do it. Up to 1,000 assets, with everything else, are one transaction; more are done in several.
    ///
    /// # Errors
    /// [`UndoError`] and see [`CommandError`].
    pub async fn undo(
        &self,
        ctx: &CommandContext,
        viewer: &Viewer,
        wish: &Wish,
    ) -> Result<(Vec<Item>, Outcome), CommandError<UndoError>> {
        let mut told: Option<Vec<Item>> = None;
        for attempt in 0..ATTEMPTS_MAX {
            let plans = self.plan_undo(viewer, wish).await?;
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
