//! Who wishes something, when, and as part of what.

use calotype_domain::CommandId;
use calotype_eventstore::Envelope;
pub use calotype_eventstore::{Actor, ActorKind};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// What surrounds one command. Everything random or timed comes in here.
#[derive(Clone, Debug)]
pub struct CommandContext {
    /// Who wishes it.
    pub actor: Actor,
    /// The program they use, as it names itself.
    pub client: Option<String>,
    /// Names the command; event ids are derived from it, so a repeated append is recognised.
    pub command_id: CommandId,
    /// Ties together everything that one request set off.
    pub correlation_id: Uuid,
    /// The event this reacts to, for processors.
    pub causation_id: Option<Uuid>,
    /// The instant of the wish.
    pub now: DateTime<Utc>,
}

impl CommandContext {
    /// The id of the event at a place, counted from 0, among all that this command leads to. Version 5 of the
    /// command's id and the place, so that a repeated append is recognised.
    #[must_use]
    pub fn event_id(&self, place: u32) -> Uuid {
        Uuid::new_v5(&self.command_id.uuid(), &place.to_be_bytes())
    }

    /// The envelope of the events this command leads to.
    #[must_use]
    pub fn envelope(&self) -> Envelope {
        Envelope {
            actor: self.actor.clone(),
            client: self.client.clone(),
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            recorded_at: self.now,
        }
    }
}
