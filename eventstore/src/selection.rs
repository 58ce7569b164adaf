//! Which events of the whole log somebody asks for, and what of them was found.

use chrono::{DateTime, Utc};

use crate::event::Recorded;
use crate::stream::GlobalPosition;

/// Positions that one look at the log passes at most, so that a question that fits nothing ends soon, too.
pub const LOOKED_POSITIONS_MAX: u32 = 50_000;

/// What an event must be; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The id of who did it (a session, key, link or processor), or of the user in whose name.
    pub actor: Option<String>,
    /// What stands before the first hyphen of its stream, such as `asset`.
    pub aggregate: Option<String>,
    /// Its type, such as `AssetFavorited`.
    pub event_type: Option<String>,
    /// Recorded then or later.
    pub from: Option<DateTime<Utc>>,
    /// Recorded before.
    pub to: Option<DateTime<Utc>>,
}

/// What a look at the log found.
#[derive(Clone, Debug, PartialEq)]
pub struct Selected {
    /// The events, in the order of the log.
    pub events: Vec<Recorded>,
    /// Up to here the log was looked through; the next look begins behind it.
    pub looked_to: GlobalPosition,
}

impl Selection {
    /// Whether an event is asked for.
    #[must_use]
    pub fn takes(&self, event: &Recorded) -> bool {
        let envelope = &event.envelope;
        let user_id = envelope.actor.user_id.map(|id| id.to_string());
        let is_by = |actor: &String| envelope.actor.id == *actor || user_id.as_ref() == Some(actor);
        self.actor.as_ref().is_none_or(is_by)
            && self.aggregate.as_ref().is_none_or(|name| event.stream_id.aggregate() == name)
            && self.event_type.as_ref().is_none_or(|name| event.event_type == *name)
            && self.from.is_none_or(|from| envelope.recorded_at >= from)
            && self.to.is_none_or(|to| envelope.recorded_at < to)
    }
}
