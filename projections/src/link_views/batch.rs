//! What a batch of events says of links and their views, taken together.

use std::collections::{BTreeMap, BTreeSet};

use calotype_domain::AlbumId;
use calotype_domain::album::AlbumEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::link_view::{LinkViewEvent, LinkViewed};
use calotype_domain::shared_link::{LinkTarget, SharedLinkEvent};
use calotype_domain::user::UserEvent;
use uuid::Uuid;

use super::view::LinkViewRow;
use crate::event::Event;

/// Whose link it is and what it shows.
pub(super) struct Link {
    pub(super) owner_id: Uuid,
    pub(super) album_id: Option<Uuid>,
}

/// What a batch does: first links end, then links begin, then views are added to those that are there.
///
/// That is the order of the events too: a link, album or account that ended never comes back, and a link
/// that began and ended within the batch is in neither list of its own.
#[derive(Default)]
pub(super) struct Batch {
    /// Links, albums and accounts that ended.
    pub(super) ended: BTreeSet<Uuid>,
    /// Links that began, and did not end since.
    pub(super) links: BTreeMap<Uuid, Link>,
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
                    let album_id = match &created.target {
                        LinkTarget::Album(album_id) => Some(AlbumId::uuid(*album_id)),
                        LinkTarget::Assets(_) => None,
                    };
                    let owner_id = created.owner_id.uuid();
                    batch.links.insert(event.key, Link { owner_id, album_id });
                }
                AnyEvent::SharedLink(SharedLinkEvent::Revoked(_))
                | AnyEvent::Album(AlbumEvent::Deleted(_))
                | AnyEvent::User(UserEvent::Purged(_)) => batch.end(event.key),
                AnyEvent::LinkView(LinkViewEvent::Viewed(viewed)) => {
                    batch.views.push(row(event, viewed));
                }
                _ => {}
            }
        }
        batch
    }

    /// The id of a link, an album or an account: no two of them are the same.
    fn end(&mut self, id: Uuid) {
        self.ended.insert(id);
        self.links.retain(|link_id, link| {
            *link_id != id && link.owner_id != id && link.album_id != Some(id)
        });
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
