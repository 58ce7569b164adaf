//! Takes back what a command or a request did, checked for what has changed since.
//!
//! What goes back is decided by the aggregates ([`calotype_domain::undo::Undo`]); this use case finds the
//! events, compares three states of each stream, asks what else stands in the way and whether the person may
//! do it, and writes the answers. An aggregate that can be taken back is named in [`plan`]; of others the
//! tables say why not.

mod commit;
mod keep;
mod plan;
mod rights;
mod settle;
mod settle_people;
mod settle_sharing;

use calotype_domain::AlbumId;
use calotype_domain::access::{Denied, Viewer};
use calotype_domain::permission::Permission;
use calotype_domain::undo::{Facet, Impossible};
use calotype_eventstore::{Actor, StreamId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

pub(crate) use plan::Plans;

use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;

/// Most events of one request that are taken back.
pub const UNDO_EVENTS_MAX: u32 = 40_000;

/// Why nothing is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UndoError {
    /// There is no such command, or somebody else gave it.
    #[error("no command of this person has the id")]
    NotFound,
    /// It did too much to be taken back at once.
    #[error("more than {UNDO_EVENTS_MAX} events")]
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
    /// Says what [`Commands::undo`] would do. `id` is that of a command, or the correlation id of a request.
    ///
    /// # Errors
    /// [`UndoError`] and see [`CommandError`].
    pub async fn preview_undo(
        &self,
        viewer: &Viewer,
        id: Uuid,
    ) -> Result<Vec<Item>, CommandError<UndoError>> {
        Ok(self.plan_undo(viewer, id).await?.items())
    }

    /// The albums that a person's command or request made, or brought back: taking that back deletes them.
    ///
    /// # Errors
    /// [`UndoError`] and see [`CommandError`].
    pub async fn albums_begun_by(
        &self,
        viewer: &Viewer,
        id: Uuid,
    ) -> Result<Vec<AlbumId>, CommandError<UndoError>> {
        let events = self.events_of(viewer.user_id, id).await?;
        let begun = events
            .iter()
            .filter(|event| matches!(event.event_type.as_str(), "AlbumCreated" | "AlbumRestored"));
        Ok(begun.filter_map(|event| event.stream_id.key().parse().ok()).collect())
    }

    /// Takes back what a person's command or request did, as far as nothing else has changed since and they
    /// may do it. Up to 1,000 assets, with everything else, are one transaction; more are done in several.
    ///
    /// # Errors
    /// [`UndoError`] and see [`CommandError`].
    pub async fn undo(
        &self,
        ctx: &CommandContext,
        viewer: &Viewer,
        id: Uuid,
    ) -> Result<(Vec<Item>, Outcome), CommandError<UndoError>> {
        let mut told: Option<Vec<Item>> = None;
        for attempt in 0..ATTEMPTS_MAX {
            let plans = self.plan_undo(viewer, id).await?;
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
