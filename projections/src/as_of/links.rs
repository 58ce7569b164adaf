//! Shared links as they were.

use std::collections::{BTreeSet, HashMap};

use calotype_domain::album::AlbumEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::shared_link::{LinkTarget, SharedLinkEvent};
use calotype_eventstore::GlobalPosition;
use uuid::Uuid;

use super::reading::{Reading, row_of};
use crate::error::ProjectionError;
use crate::event::Event;
use crate::query::Queries;
use crate::shared_links::{SharedLinkRow, SharedLinks};

/// Most links of a person that are told at once.
const LINKS_MAX: i64 = 10_000;

/// A link at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkThen {
    /// The link. Its key and its password are not for telling.
    pub row: SharedLinkRow,
    /// The assets that it showed one by one, in no order.
    pub asset_ids: Vec<Uuid>,
    /// Where it was made, or opened again last.
    began: GlobalPosition,
}

impl Queries {
    /// The links of a person that opened something at a moment, the newest first; also those that have ended since.
    ///
    /// # Errors
    /// What the database said.
    pub async fn links_then(
        &self,
        owner_id: Uuid,
        position: GlobalPosition,
    ) -> Result<Vec<LinkThen>, ProjectionError> {
        let ids = self.links_ever_of(owner_id, LINKS_MAX).await?;
        let found = self.folded(&ids, Reading::whole("shared_link", position), link).await?;
        let mut links: Vec<LinkThen> =
            found.into_values().filter(|link| link.row.owner_id == owner_id).collect();
        let album_ids: Vec<Uuid> = links.iter().filter_map(|link| link.row.album_id).collect();
        let deleted: HashMap<Uuid, GlobalPosition> =
            self.folded(&album_ids, Reading::whole("album", position), deleted).await?;
        // A link to an album ends with the album, and does not open by itself when that comes back.
        links.retain(|link| {
            let ended = link.row.album_id.and_then(|album_id| deleted.get(&album_id));
            ended.is_none_or(|ended| *ended < link.began)
        });
        links.sort_by_key(|link| (std::cmp::Reverse(link.row.created_at), link.row.shared_link_id));
        Ok(links)
    }
}

/// Where an album was deleted last.
fn deleted(events: &[Event]) -> Option<GlobalPosition> {
    let is_end = |event: &&Event| matches!(event.what, AnyEvent::Album(AlbumEvent::Deleted(_)));
    events.iter().rfind(is_end).map(|event| event.position)
}

fn link(events: &[Event]) -> Option<LinkThen> {
    let row = row_of::<SharedLinks>(events)?;
    let mut began = GlobalPosition::START;
    let mut shown: BTreeSet<Uuid> = BTreeSet::new();
    for event in events {
        let AnyEvent::SharedLink(what) = &event.what else { continue };
        let target = match what {
            SharedLinkEvent::Created(created) => &created.target,
            SharedLinkEvent::Restored(restored) => &restored.target,
            SharedLinkEvent::AssetsAdded(added) => {
                shown.extend(added.asset_ids.iter().map(|asset_id| asset_id.uuid()));
                continue;
            }
            SharedLinkEvent::AssetsRemoved(removed) => {
                for asset_id in &removed.asset_ids {
                    shown.remove(&asset_id.uuid());
                }
                continue;
            }
            SharedLinkEvent::Revoked(_) => {
                shown.clear();
                continue;
            }
            SharedLinkEvent::DescriptionChanged(_)
            | SharedLinkEvent::ExpiryChanged(_)
            | SharedLinkEvent::PasswordChanged(_)
            | SharedLinkEvent::SlugChanged(_)
            | SharedLinkEvent::SwitchesChanged(_) => continue,
        };
        began = event.position;
        if let LinkTarget::Assets(asset_ids) = target {
            shown.extend(asset_ids.iter().map(|asset_id| asset_id.uuid()));
        }
    }
    Some(LinkThen { row, asset_ids: shown.into_iter().collect(), began })
}
