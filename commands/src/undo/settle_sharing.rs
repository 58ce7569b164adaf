//! What else stands in the way of giving access back: people who are gone, assets that the person may not
//! share, names that others have by now.

use std::collections::{BTreeMap, BTreeSet};

use calotype_domain::access::{AlbumRole, Object, Reach, Viewer, check};
use calotype_domain::activity::ActivityEvent;
use calotype_domain::album::{Album, AlbumEvent};
use calotype_domain::asset::Asset;
use calotype_domain::partner::PartnerEvent;
use calotype_domain::permission::Permission;
use calotype_domain::reservation::Reservation;
use calotype_domain::shared_link::{LinkTarget, SharedLink, SharedLinkEvent};
use calotype_domain::undo::Undo as _;
use calotype_domain::user::{User, UserEvent};
use calotype_domain::{AlbumId, AssetId, Sealed, UserId};
use calotype_eventstore::StreamId;
use uuid::Uuid;

use super::commit::as_undo_refusal;
use super::plan::Planned;
use super::rights::allows;
use super::{Plans, UndoError};
use crate::dispatch::Commands;
use crate::error::CommandError;

type Refused = CommandError<UndoError>;

/// Whether the album that a link shows is deleted by the same taking back, or comes back by it.
fn goes_with_album(albums: &BTreeMap<AlbumId, Planned<Album>>, link: &SharedLink) -> bool {
    let album = link.album_id().and_then(|album_id| albums.get(&album_id));
    album.is_some_and(|album| {
        let mut events = album.plan.events.iter();
        events.any(|event| matches!(event, AlbumEvent::Restored(_) | AlbumEvent::Deleted(_)))
    })
}

impl Commands {
    /// People who are gone do not come back into an album, nor assets that the person may not put there.
    pub(super) async fn settle_albums(
        &self,
        plans: &mut Plans,
        viewer: &Viewer,
    ) -> Result<(), Refused> {
        for planned in plans.albums.values_mut() {
            // Who is no owner makes nobody one.
            let owns =
                matches!(planned.object, Some(Object::Album { role: Some(AlbumRole::Owner), .. }));
            let makes_owner = planned.plan.events.iter().any(
                |event| matches!(event, AlbumEvent::UserAdded(it) if it.role == AlbumRole::Owner),
            );
            if !allows(viewer, planned) || (makes_owner && !owns) {
                planned.refuse();
            }
            let mut events = std::mem::take(&mut planned.plan.events);
            let (mut coming, mut users) = (Vec::new(), Vec::new());
            for event in &events {
                match event {
                    AlbumEvent::AssetsAdded(added) => coming.extend_from_slice(&added.asset_ids),
                    AlbumEvent::UserAdded(added) => users.push(added.user_id),
                    AlbumEvent::UserRoleChanged(changed) => users.push(changed.user_id),
                    AlbumEvent::Restored(restored) => users.push(restored.owner_id),
                    _ => {}
                }
            }
            let users = self.active(&users).await?;
            let shared = self.shareable(viewer, &coming).await?;
            let (count, mut is_gone) = (events.len(), false);
            events.retain(|event| match event {
                AlbumEvent::UserAdded(added) => users.contains(&added.user_id),
                AlbumEvent::UserRoleChanged(changed) => users.contains(&changed.user_id),
                AlbumEvent::Restored(restored) => {
                    is_gone |= !users.contains(&restored.owner_id);
                    true
                }
                _ => true,
            });
            if events.len() < count {
                planned.leave("users");
            }
            if shared.len() < coming.iter().collect::<BTreeSet<_>>().len() {
                planned.leave("assets");
                for event in &mut events {
                    if let AlbumEvent::AssetsAdded(added) = event {
                        added.asset_ids.retain(|asset_id| shared.contains(asset_id));
                    }
                }
            }
            let stays = |event: &AlbumEvent| !matches!(event, AlbumEvent::AssetsAdded(it) if it.asset_ids.is_empty());
            events.retain(stays);
            planned.plan.events = events;
            let after = planned.taken_back();
            planned.plan.events.retain(
                |event| !matches!(event, AlbumEvent::CoverChosen(it) if !after.contains(it.asset_id)),
            );
            if is_gone {
                planned.refuse();
            } else if planned.plan.events.is_empty() {
                planned.plan.undone.clear();
            }
        }
        Ok(())
    }

    /// A link comes back without a name that another has by now, and with what its owner may still share.
    pub(super) async fn settle_links(
        &self,
        plans: &mut Plans,
        viewer: &Viewer,
    ) -> Result<(), Refused> {
        let Plans { albums, links, .. } = plans;
        for (link_id, planned) in links {
            let owner_id = planned.now.owner_id().unwrap_or(viewer.user_id);
            if goes_with_album(albums, &planned.now) {
                // Whoever deletes an album ends everybody's links to it, and takes that back with the album.
                planned.object = Some(Object::Owned { owner_id: viewer.user_id });
            } else if !allows(viewer, planned) {
                // Nobody gives back what others gave.
                planned.refuse();
                continue;
            }
            let mut events = std::mem::take(&mut planned.plan.events);
            for event in &mut events {
                let (slug, asset_ids, album_id) = match event {
                    SharedLinkEvent::Restored(restored) => match &mut restored.target {
                        LinkTarget::Album(album_id) => {
                            (Some(&mut restored.slug), None, Some(*album_id))
                        }
                        LinkTarget::Assets(ids) => (Some(&mut restored.slug), Some(ids), None),
                    },
                    SharedLinkEvent::AssetsAdded(added) => (None, Some(&mut added.asset_ids), None),
                    SharedLinkEvent::SlugChanged(changed) => (Some(&mut changed.slug), None, None),
                    _ => continue,
                };
                if let Some(slug) = slug
                    && let Sealed::Known(Some(wish)) = slug
                    && !self.is_free(&self.slug_stream(wish), link_id.uuid()).await?
                {
                    *slug = planned.now.slug().map(str::to_owned).into();
                    planned.plan.undone.retain(|facet| *facet != "slug");
                    planned.plan.changed_since.push("slug");
                }
                if let Some(asset_ids) = asset_ids {
                    let shared = self.shareable(viewer, asset_ids).await?;
                    if asset_ids.iter().any(|asset_id| !shared.contains(asset_id)) {
                        planned.plan.changed_since.push("assets");
                        asset_ids.retain(|asset_id| shared.contains(asset_id));
                    }
                }
                if let Some(album_id) = album_id {
                    let back = albums.get(&album_id).map(Planned::taken_back);
                    let album = match back {
                        Some(album) => album,
                        None => self.album_of(album_id).await?,
                    };
                    let object = Object::Album { role: album.role(owner_id), by_link: false };
                    if check(&viewer.person(), Permission::AlbumShare, object).is_err() {
                        planned.plan.changed_since.push("album");
                    }
                }
            }
            events.retain(|event| match event {
                SharedLinkEvent::AssetsAdded(added) => !added.asset_ids.is_empty(),
                SharedLinkEvent::SlugChanged(changed) => {
                    changed.slug.known().is_some_and(|slug| slug.as_deref() != planned.now.slug())
                }
                _ => true,
            });
            let is_empty = events.iter().any(|event| {
                matches!(event, SharedLinkEvent::Restored(it) if it.target == LinkTarget::Assets(vec![]))
            });
            planned.plan.events = events;
            if is_empty || planned.plan.changed_since.contains(&"album") {
                planned.refuse();
            } else if planned.plan.events.is_empty() {
                planned.plan.undone.clear();
            }
        }
        Ok(())
    }

    /// A sharing that was begun anew since, or whose other end is gone, stays as it is.
    pub(super) async fn settle_partners(&self, plans: &mut Plans) -> Result<(), Refused> {
        for (partner_id, planned) in &mut plans.partners {
            let restored = planned.plan.events.iter().find_map(|event| match event {
                PartnerEvent::Restored(restored) => Some(restored.clone()),
                _ => None,
            });
            let Some(restored) = restored else { continue };
            let (by, with) = (restored.shared_by_id, restored.shared_with_id);
            let is_free = self.is_free(&self.pair_stream(by, with), partner_id.uuid()).await?;
            if !is_free || !self.active(&[with]).await?.contains(&with) {
                planned.refuse();
            }
        }
        Ok(())
    }

    /// What was said comes back while its album takes comments, and a like unless it was given again. Says
    /// also by what access is decided.
    pub(super) async fn settle_activities(&self, plans: &mut Plans) -> Result<(), Refused> {
        let Plans { albums, activities, by, .. } = plans;
        for (activity_id, planned) in activities {
            let Some((target, author_id)) = planned.now.was_about() else { continue };
            let back = albums.get(&target.album_id).map(Planned::taken_back);
            let album = match back {
                Some(album) => album,
                None => self.album_of(target.album_id).await?,
            };
            let (role, is_enabled) = (album.role(*by), album.takes_activity());
            planned.object =
                Some(Object::Activity { author_id: Some(author_id), role, is_enabled });
            let comes =
                planned.plan.events.iter().any(|it| matches!(it, ActivityEvent::Restored(_)));
            if !comes {
                continue;
            }
            let once = self.like_stream(author_id, target);
            let is_free = !planned.now.is_like() || self.is_free(&once, activity_id.uuid()).await?;
            let is_active = self.active(&[author_id]).await?.contains(&author_id);
            // Who has no part in the album any more says nothing in it.
            if role.is_none() || !is_enabled || !is_free || !is_active {
                planned.refuse();
            }
        }
        Ok(())
    }

    /// An e-mail or a storage label that another account has by now does not come back.
    pub(super) async fn settle_users(&self, plans: &mut Plans) -> Result<(), Refused> {
        for (user_id, planned) in &mut plans.users {
            let mut taken = Vec::new();
            for event in &planned.plan.events {
                let (held, what) = match event {
                    UserEvent::EmailChanged(changed) => {
                        (changed.email.known().map(|email| self.email_stream(email)), "email")
                    }
                    UserEvent::StorageLabelChanged(changed) => {
                        let label = changed.storage_label.known().cloned().flatten();
                        (label.map(|label| self.label_stream(&label)), "storageLabel")
                    }
                    _ => continue,
                };
                if let Some(held) = held
                    && !self.is_free(&held, user_id.uuid()).await?
                {
                    taken.push(what);
                }
            }
            planned.plan.events.retain(|event| match event {
                UserEvent::EmailChanged(_) => !taken.contains(&"email"),
                UserEvent::StorageLabelChanged(_) => !taken.contains(&"storageLabel"),
                _ => true,
            });
            for what in taken {
                planned.refuse_one(what);
            }
        }
        Ok(())
    }

    async fn album_of(&self, album_id: AlbumId) -> Result<Album, Refused> {
        let stream_id = crate::albums::stream(album_id);
        let (album, _) = self.load::<Album>(&stream_id).await.map_err(as_undo_refusal)?;
        Ok(album)
    }

    /// Whether nobody else holds a unique value.
    async fn is_free(&self, stream_id: &StreamId, holder_id: Uuid) -> Result<bool, Refused> {
        let (held, _) = self.load::<Reservation>(stream_id).await.map_err(as_undo_refusal)?;
        Ok(held.holder_id().is_none_or(|holder| holder == holder_id))
    }

    /// Those whose accounts are there and not marked for deletion.
    async fn active(&self, user_ids: &[UserId]) -> Result<BTreeSet<UserId>, Refused> {
        let streams: Vec<StreamId> = user_ids.iter().copied().map(crate::users::stream).collect();
        let loaded = self.load_each::<User>(&streams).await.map_err(as_undo_refusal)?;
        let pairs = user_ids.iter().zip(loaded);
        Ok(pairs.filter(|(_, (user, _))| user.is_active()).map(|(id, _)| *id).collect())
    }

    /// Those assets that the viewer may share with others: the same that they may put into an album.
    async fn shareable(
        &self,
        viewer: &Viewer,
        asset_ids: &[AssetId],
    ) -> Result<BTreeSet<AssetId>, Refused> {
        let person = viewer.person();
        let streams: Vec<StreamId> = asset_ids.iter().copied().map(crate::assets::stream).collect();
        let loaded = self.load_each::<Asset>(&streams).await.map_err(as_undo_refusal)?;
        let mut partners: BTreeMap<UserId, bool> = BTreeMap::new();
        let mut shareable = BTreeSet::new();
        for (asset_id, (asset, _)) in asset_ids.iter().zip(loaded) {
            let Some(Object::Asset { owner_id, visibility, is_trashed, .. }) =
                asset.object(viewer.user_id)
            else {
                continue;
            };
            let is_partner = match partners.get(&owner_id) {
                _ if owner_id == viewer.user_id => false,
                Some(known) => *known,
                None => {
                    let pair = self.pair_stream(owner_id, viewer.user_id);
                    let (held, _) =
                        self.load::<Reservation>(&pair).await.map_err(as_undo_refusal)?;
                    let is_partner = held.holder_id().is_some();
                    partners.insert(owner_id, is_partner);
                    is_partner
                }
            };
            let reach = Reach { is_partner, ..Reach::default() };
            let object = Object::Asset { owner_id, visibility, is_trashed, reach };
            if check(&person, Permission::AssetShare, object).is_ok() {
                shareable.insert(*asset_id);
            }
        }
        Ok(shareable)
    }
}
