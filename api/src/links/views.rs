//! Who looked at a link: the first use of a link by an address in an hour becomes an audit event.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use calotype_commands::CommandContext;
use calotype_commands::context::{Actor, ActorKind};
use calotype_domain::link_view::{LinkViewed, Visitor};
use calotype_domain::{SharedLinkId, UserId};
use calotype_projections::shared_links::SharedLinkRow;
use chrono::{DurationRound as _, TimeDelta};
use moka::sync::Cache;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::clients;
use crate::peer::Peer;
use crate::state::Api;

/// Visitors' hours remembered, so that their further requests ask nobody.
const VIEWS_REMEMBERED_MAX: u64 = 100_000;
/// An hour, after which a visitor is noted again.
const REMEMBERED_FOR: Duration = Duration::from_secs(3_600);
/// New visitors of all links that are written down at once; while more come, some are not written down.
const WRITING_AT_ONCE_MAX: usize = 16;

/// Remembers whose visit is written down; clones share it.
#[derive(Clone)]
pub(crate) struct LinkViews {
    noted: Cache<(Uuid, String), ()>,
    writing: Arc<Semaphore>,
}

impl Default for LinkViews {
    fn default() -> Self {
        Self {
            noted: Cache::builder()
                .max_capacity(VIEWS_REMEMBERED_MAX)
                .time_to_live(REMEMBERED_FOR)
                .build(),
            writing: Arc::new(Semaphore::new(WRITING_AT_ONCE_MAX)),
        }
    }
}

impl LinkViews {
    /// Forgets everybody, after a reset.
    pub(crate) fn clear(&self) {
        self.noted.invalidate_all();
    }
}

/// Notes that somebody uses a link. A failure is logged and harms nobody.
pub(crate) async fn note(api: &Api, link: &SharedLinkRow, peer: Peer, headers: &HeaderMap) {
    let now = api.commands.clock().now();
    let Ok(hour) = now.duration_trunc(TimeDelta::hours(1)) else { return };
    let address = peer.address.map(|address| address.to_string());
    let visitor = address.clone().unwrap_or_default();
    let key = (link.shared_link_id, format!("{}/{visitor}", hour.timestamp()));
    if !api.link_views.noted.entry(key.clone()).or_insert(()).is_fresh() {
        return;
    }
    let Ok(_place) = api.link_views.writing.try_acquire() else {
        api.link_views.noted.invalidate(&key);
        return;
    };
    let device = clients::device(headers);
    let viewed = LinkViewed {
        shared_link_id: SharedLinkId::new(link.shared_link_id),
        hour,
        visitor: Visitor { address, device_type: device.device_type, device_os: device.device_os }
            .into(),
    };
    let context = CommandContext {
        actor: Actor {
            kind: ActorKind::SharedLink,
            id: link.shared_link_id.to_string(),
            user_id: Some(link.owner_id),
        },
        ..api.system_context()
    };
    let owner_id = UserId::new(link.owner_id);
    if let Err(error) = api.commands.record_link_view(&context, owner_id, &visitor, viewed).await {
        api.link_views.noted.invalidate(&key);
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            shared_link.id = %link.shared_link_id,
            "a view of a shared link is not written down"
        );
    }
}
