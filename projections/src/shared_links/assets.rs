//! Which assets links show: rows of `shared_link_assets_v1`.

use std::collections::{BTreeMap, BTreeSet};

use calotype_domain::AssetId;
use calotype_domain::asset::AssetEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::shared_link::{LinkTarget, SharedLinkEvent};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::event::Event;

/// What a batch of events does to the rows, taken together.
#[derive(Default)]
pub(super) struct Moves {
    /// Whether a link shows an asset at the end.
    pairs: BTreeMap<(Uuid, Uuid), bool>,
    links_gone: BTreeSet<Uuid>,
    assets_gone: BTreeSet<Uuid>,
}

impl Moves {
    /// Of a batch, in order.
    pub(super) fn of(events: &[&Event]) -> Self {
        let mut moves = Self::default();
        for event in events {
            match &event.what {
                AnyEvent::SharedLink(what) => moves.link(event.key, what),
                AnyEvent::Asset(AssetEvent::Purged(_)) => {
                    moves.assets_gone.insert(event.key);
                    moves.pairs.retain(|(_, asset_id), _| *asset_id != event.key);
                }
                _ => {}
            }
        }
        moves
    }

    fn link(&mut self, link_id: Uuid, what: &SharedLinkEvent) {
        match what {
            SharedLinkEvent::Created(created) => {
                if let LinkTarget::Assets(asset_ids) = &created.target {
                    self.pair(link_id, asset_ids, true);
                }
            }
            SharedLinkEvent::Restored(restored) => {
                if let LinkTarget::Assets(asset_ids) = &restored.target {
                    self.pair(link_id, asset_ids, true);
                }
            }
            SharedLinkEvent::AssetsAdded(added) => self.pair(link_id, &added.asset_ids, true),
            SharedLinkEvent::AssetsRemoved(removed) => {
                self.pair(link_id, &removed.asset_ids, false);
            }
            SharedLinkEvent::Revoked(_) => {
                self.links_gone.insert(link_id);
                self.pairs.retain(|(link, _), _| *link != link_id);
            }
            SharedLinkEvent::DescriptionChanged(_)
            | SharedLinkEvent::ExpiryChanged(_)
            | SharedLinkEvent::PasswordChanged(_)
            | SharedLinkEvent::SlugChanged(_)
            | SharedLinkEvent::SwitchesChanged(_) => {}
        }
    }

    fn pair(&mut self, link_id: Uuid, asset_ids: &[AssetId], is_shown: bool) {
        for asset_id in asset_ids {
            self.pairs.insert((link_id, asset_id.uuid()), is_shown);
        }
    }
}

/// Writes what a batch does: what goes first, then what comes.
pub(super) async fn move_in_tx(
    tx: &mut PgConnection,
    moves: &Moves,
) -> Result<(), ProjectionError> {
    let (shown, gone): (Vec<_>, Vec<_>) = moves.pairs.iter().partition(|(_, is_shown)| **is_shown);
    if !moves.links_gone.is_empty() || !moves.assets_gone.is_empty() || !gone.is_empty() {
        let links: Vec<Uuid> = moves.links_gone.iter().copied().collect();
        let assets: Vec<Uuid> = moves.assets_gone.iter().copied().collect();
        let (link_ids, asset_ids): (Vec<Uuid>, Vec<Uuid>) =
            gone.iter().map(|(pair, _)| **pair).unzip();
        sqlx::query(
            "delete from shared_link_assets_v1
              where shared_link_id = any($1)
                 or asset_id = any($2)
                 or (shared_link_id, asset_id) in (select * from unnest($3::uuid[], $4::uuid[]))",
        )
        .bind(&links)
        .bind(&assets)
        .bind(&link_ids)
        .bind(&asset_ids)
        .execute(&mut *tx)
        .await?;
    }
    if !shown.is_empty() {
        let (link_ids, asset_ids): (Vec<Uuid>, Vec<Uuid>) =
            shown.iter().map(|(pair, _)| **pair).unzip();
        // A link whose owner is gone for good shows nothing more.
        sqlx::query(
            "insert into shared_link_assets_v1 (shared_link_id, asset_id)
             select link_id, asset_id
               from unnest($1::uuid[], $2::uuid[]) as shown (link_id, asset_id)
              where exists (select from shared_links_v1 where shared_link_id = link_id)
             on conflict do nothing",
        )
        .bind(&link_ids)
        .bind(&asset_ids)
        .execute(tx)
        .await?;
    }
    Ok(())
}
