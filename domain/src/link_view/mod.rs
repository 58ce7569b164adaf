//! Somebody looked at a shared link: an audit event, gathered per link, visitor and hour.
//!
//! Each such triple is a stream of its own, which takes one event: looking again in the same hour is no news.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{Aggregate, cqrs_aggregate, events};
use crate::id::SharedLinkId;
use crate::sealed::Sealed;
use crate::undo::way::{Row, never};

/// From where somebody looked; personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Visitor {
    /// The address, where it is known.
    pub address: Option<String>,
    /// Browser or model.
    pub device_type: String,
    /// Operating system.
    pub device_os: String,
}

/// Somebody looked, for the first time in this hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LinkViewed {
    /// The link.
    pub shared_link_id: SharedLinkId,
    /// The hour, by its first instant.
    pub hour: DateTime<Utc>,
    /// From where.
    pub visitor: Sealed<Visitor>,
}

/// How what visitors did goes back: not at all.
pub(crate) const WAYS: &[Row] =
    &[never("LinkViewed", "view", "Somebody looked at a link; that cannot be undone")];

events! {
    /// Everything that can have happened to one visitor's hour with a link.
    LinkViewEvent for "link_view" {
        Viewed(LinkViewed) 1,
    }
}

/// Looking.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordView(pub LinkViewed);

/// Looking is never refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkViewError {}

/// One visitor's hour with a link, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LinkView {
    is_recorded: bool,
}

impl Aggregate for LinkView {
    type Command = RecordView;
    type Event = LinkViewEvent;
    type Error = LinkViewError;

    fn decide(&self, RecordView(viewed): &RecordView) -> Result<Vec<LinkViewEvent>, LinkViewError> {
        Ok(if self.is_recorded { vec![] } else { vec![viewed.clone().into()] })
    }

    fn evolve(&mut self, event: &LinkViewEvent) {
        match event {
            LinkViewEvent::Viewed(_) => self.is_recorded = true,
        }
    }
}

cqrs_aggregate!(LinkView, RecordView, LinkViewEvent, LinkViewError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    #[test]
    fn looking_twice_in_an_hour_is_recorded_once() {
        let viewed = LinkViewed {
            shared_link_id: SharedLinkId::default(),
            hour: DateTime::from_timestamp(3_600, 0).unwrap(),
            visitor: Visitor {
                address: None,
                device_type: String::new(),
                device_os: String::new(),
            }
            .into(),
        };
        TestFramework::<LinkView>::with(())
            .given(vec![viewed.clone().into()])
            .when(RecordView(viewed))
            .then_expect_events(vec![]);
    }
}
