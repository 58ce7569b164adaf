//! What a batch of events says of links and their views, taken together.

use std::collections::{BTreeMap, BTreeSet};

use calotype_domain::catalogue::AnyEvent;
use calotype_domain::link_view::{LinkViewEvent, LinkViewed};
use calotype_domain::shared_link::SharedLinkEvent;
use calotype_domain::user::UserEvent;
use uuid::Uuid;

use super::view::LinkViewRow;
use crate::event::Event;

/// What a batch does: first accounts go, then links begin, then views are added to those that are there.
///
/// That is the order of the events too: an account that is gone never comes back, and a link that began and went
/// with its account within the batch is in neither list.
#[derive(Default)]
pub(super) struct Batch {
    /// Accounts that are gone.
    pub(super) purged: BTreeSet<Uuid>,
    /// Links that began, with who made them.
    pub(super) links: BTreeMap<Uuid, Uuid>,
    /// Views, of whichever links.
    pub(super) views: Vec<LinkViewRow>,
}

impl Batch {
    /// Of events in order.
    pub(super) fn of(events: &[&Event]) -> Self {
        let mut batch = Self::default();
        for event in events {
            match &event.what {
                AnyEvent::SharedLink(SharedLinkEvent::Created(created)) => {
                    batch.links.insert(event.key, created.owner_id.uuid());
                }
                AnyEvent::SharedLink(SharedLinkEvent::Restored(restored)) => {
                    batch.links.insert(event.key, restored.owner_id.uuid());
                }
                AnyEvent::User(UserEvent::Purged(_)) => {
                    batch.purged.insert(event.key);
                    batch.links.retain(|_, owner_id| *owner_id != event.key);
                }
                AnyEvent::LinkView(LinkViewEvent::Viewed(viewed)) => {
                    batch.views.push(row(event, viewed));
                }
                _ => {}
            }
        }
        batch
    }
}

fn row(event: &Event, viewed: &LinkViewed) -> LinkViewRow {
    let visitor = viewed.visitor.known();
    LinkViewRow {
        link_view_id: event.key,
        shared_link_id: viewed.shared_link_id.uuid(),
        // Told by the link when it is stored.
        owner_id: Uuid::nil(),
        hour: viewed.hour,
        viewed_at: event.recorded_at,
        address: visitor.and_then(|visitor| visitor.address.clone()),
        device_type: visitor.map(|visitor| visitor.device_type.clone()).unwrap_or_default(),
        device_os: visitor.map(|visitor| visitor.device_os.clone()).unwrap_or_default(),
    }
}
