//! The rules of a shared link.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::command::{LINK_ASSETS_MAX, LinkChange, SharedLinkCommand, SharedLinkError};
use super::event::{
    LinkSwitches, LinkTarget, SharedLinkAssetsAdded, SharedLinkAssetsRemoved, SharedLinkCreated,
    SharedLinkDescriptionChanged, SharedLinkEvent, SharedLinkExpiryChanged,
    SharedLinkPasswordChanged, SharedLinkRevoked, SharedLinkSlugChanged, SharedLinkSwitchesChanged,
};
use crate::event::{Aggregate, cqrs_aggregate};
use crate::id::{AlbumId, AssetId, UserId};

/// A shared link, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SharedLink {
    pub(super) owner_id: Option<UserId>,
    pub(super) revoked: bool,
    pub(super) album_id: Option<AlbumId>,
    pub(super) assets: BTreeSet<AssetId>,
    pub(super) switches: Option<LinkSwitches>,
    pub(super) expires_at: Option<DateTime<Utc>>,
    pub(super) key: Option<String>,
    pub(super) slug: Option<String>,
    /// `None` where it was forgotten.
    pub(super) password_hash: Option<Option<String>>,
    pub(super) description: Option<String>,
}

impl SharedLink {
    /// The name that stands for its key, while it opens something.
    #[must_use]
    pub fn slug(&self) -> Option<&str> {
        self.slug.as_deref().filter(|_| !self.revoked)
    }

    /// Whose it is, or was.
    #[must_use]
    pub fn owner_id(&self) -> Option<UserId> {
        self.owner_id
    }

    /// The album it shows.
    #[must_use]
    pub fn album_id(&self) -> Option<AlbumId> {
        self.album_id
    }

    fn owned_by(&self, by: UserId) -> Result<(), SharedLinkError> {
        if self.owner_id == Some(by) && !self.revoked {
            return Ok(());
        }
        Err(SharedLinkError::NotFound)
    }

    fn create(
        &self,
        now: DateTime<Utc>,
        created: &SharedLinkCreated,
    ) -> Result<Vec<SharedLinkEvent>, SharedLinkError> {
        if self.owner_id.is_some() {
            return Err(SharedLinkError::AlreadyExists);
        }
        if created.expires_at.is_some_and(|end| end <= now) {
            return Err(SharedLinkError::AlreadyOver);
        }
        match &created.target {
            LinkTarget::Assets(assets) if assets.is_empty() => Err(SharedLinkError::NoAssets),
            LinkTarget::Assets(assets) if assets.len() > LINK_ASSETS_MAX => {
                Err(SharedLinkError::TooManyAssets)
            }
            LinkTarget::Assets(_) | LinkTarget::Album(_) => Ok(vec![created.clone().into()]),
        }
    }

    fn change(&self, change: &LinkChange) -> Vec<SharedLinkEvent> {
        let mut events: Vec<SharedLinkEvent> = Vec::new();
        if let Some(before) = self.switches {
            let switches = LinkSwitches {
                allow_upload: change.allow_upload.unwrap_or(before.allow_upload),
                allow_download: change.allow_download.unwrap_or(before.allow_download),
                show_metadata: change.show_metadata.unwrap_or(before.show_metadata),
            };
            if switches != before {
                events.push(SharedLinkSwitchesChanged { switches }.into());
            }
        }
        if let Some(expires_at) = change.expires_at.filter(|wish| *wish != self.expires_at) {
            events.push(SharedLinkExpiryChanged { expires_at }.into());
        }
        if let Some(slug) = &change.slug
            && *slug != self.slug
        {
            events.push(SharedLinkSlugChanged { slug: slug.clone().into() }.into());
        }
        match &change.password_hash {
            None => {}
            Some(None) if self.password_hash == Some(None) => {}
            Some(password_hash) => {
                let password_hash = password_hash.clone().into();
                events.push(SharedLinkPasswordChanged { password_hash }.into());
            }
        }
        if let Some(description) = &change.description
            && *description != self.description
        {
            let description = description.clone().into();
            events.push(SharedLinkDescriptionChanged { description }.into());
        }
        events
    }

    fn add(&self, asset_ids: &[AssetId]) -> Result<Vec<SharedLinkEvent>, SharedLinkError> {
        if self.album_id.is_some() {
            return Err(SharedLinkError::ShowsAlbum);
        }
        let mut known = self.assets.clone();
        let fresh: Vec<AssetId> =
            asset_ids.iter().copied().filter(|asset_id| known.insert(*asset_id)).collect();
        if known.len() > LINK_ASSETS_MAX {
            return Err(SharedLinkError::TooManyAssets);
        }
        Ok(if fresh.is_empty() {
            vec![]
        } else {
            vec![SharedLinkAssetsAdded { asset_ids: fresh }.into()]
        })
    }

    fn remove(&self, asset_ids: &[AssetId]) -> Result<Vec<SharedLinkEvent>, SharedLinkError> {
        if self.album_id.is_some() {
            return Err(SharedLinkError::ShowsAlbum);
        }
        let mut known = self.assets.clone();
        let gone: Vec<AssetId> =
            asset_ids.iter().copied().filter(|asset_id| known.remove(asset_id)).collect();
        Ok(if gone.is_empty() {
            vec![]
        } else {
            vec![SharedLinkAssetsRemoved { asset_ids: gone }.into()]
        })
    }
}

impl Aggregate for SharedLink {
    type Command = SharedLinkCommand;
    type Event = SharedLinkEvent;
    type Error = SharedLinkError;

    fn decide(&self, command: &SharedLinkCommand) -> Result<Vec<SharedLinkEvent>, SharedLinkError> {
        match command {
            SharedLinkCommand::Create { now, created } => self.create(*now, created),
            SharedLinkCommand::Change { by, change } => {
                self.owned_by(*by).map(|()| self.change(change))
            }
            SharedLinkCommand::AddAssets { by, asset_ids } => {
                self.owned_by(*by).and_then(|()| self.add(asset_ids))
            }
            SharedLinkCommand::RemoveAssets { by, asset_ids } => {
                self.owned_by(*by).and_then(|()| self.remove(asset_ids))
            }
            SharedLinkCommand::Revoke { by } => {
                self.owned_by(*by).map(|()| vec![SharedLinkRevoked {}.into()])
            }
        }
    }

    fn evolve(&mut self, event: &SharedLinkEvent) {
        match event {
            SharedLinkEvent::Created(created) => {
                self.owner_id = Some(created.owner_id);
                match &created.target {
                    LinkTarget::Album(album_id) => self.album_id = Some(*album_id),
                    LinkTarget::Assets(assets) => self.assets.extend(assets),
                }
                self.switches = Some(created.switches);
                self.expires_at = created.expires_at;
                self.key = created.key.known().cloned();
                self.slug = created.slug.known().cloned().flatten();
                self.password_hash = created.password_hash.known().cloned();
                self.description = created.description.known().cloned().flatten();
            }
            SharedLinkEvent::SwitchesChanged(changed) => self.switches = Some(changed.switches),
            SharedLinkEvent::ExpiryChanged(changed) => self.expires_at = changed.expires_at,
            SharedLinkEvent::SlugChanged(changed) => {
                self.slug = changed.slug.known().cloned().flatten();
            }
            SharedLinkEvent::PasswordChanged(changed) => {
                self.password_hash = changed.password_hash.known().cloned();
            }
            SharedLinkEvent::DescriptionChanged(changed) => {
                self.description = changed.description.known().cloned().flatten();
            }
            SharedLinkEvent::AssetsAdded(added) => self.assets.extend(&added.asset_ids),
            SharedLinkEvent::AssetsRemoved(removed) => {
                for asset_id in &removed.asset_ids {
                    self.assets.remove(asset_id);
                }
            }
            SharedLinkEvent::Revoked(SharedLinkRevoked {}) => self.revoked = true,
            SharedLinkEvent::Restored(restored) => {
                self.revoked = false;
                self.assets.clear();
                if let LinkTarget::Assets(assets) = &restored.target {
                    self.assets.extend(assets);
                }
                self.slug = restored.slug.known().cloned().flatten();
            }
        }
    }
}

cqrs_aggregate!(SharedLink, SharedLinkCommand, SharedLinkEvent, SharedLinkError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::*;

    const OWNER: UserId = UserId::new(Uuid::from_u128(1));
    const STRANGER: UserId = UserId::new(Uuid::from_u128(2));
    const A: AssetId = AssetId::new(Uuid::from_u128(3));
    const B: AssetId = AssetId::new(Uuid::from_u128(4));

    type Given = TestFramework<SharedLink>;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_000_000, 0).unwrap()
    }

    fn created(target: LinkTarget) -> SharedLinkCreated {
        SharedLinkCreated {
            owner_id: OWNER,
            target,
            switches: LinkSwitches {
                allow_upload: false,
                allow_download: true,
                show_metadata: true,
            },
            expires_at: None,
            key: "key".to_owned().into(),
            slug: None.into(),
            password_hash: None.into(),
            description: None.into(),
        }
    }

    fn of_a() -> SharedLinkEvent {
        created(LinkTarget::Assets(vec![A])).into()
    }

    fn create(created: SharedLinkCreated) -> SharedLinkCommand {
        SharedLinkCommand::Create { now: now(), created: Box::new(created) }
    }

    #[test]
    fn album_link_is_created() {
        let created = created(LinkTarget::Album(AlbumId::new(Uuid::from_u128(9))));
        Given::with(())
            .given_no_previous_events()
            .when(create(created.clone()))
            .then_expect_events(vec![created.into()]);
    }

    #[test]
    fn link_to_no_assets_is_refused() {
        Given::with(())
            .given_no_previous_events()
            .when(create(created(LinkTarget::Assets(vec![]))))
            .then_expect_error(SharedLinkError::NoAssets);
    }

    #[test]
    fn expiry_in_the_past_is_refused() {
        let over =
            SharedLinkCreated { expires_at: Some(now()), ..created(LinkTarget::Assets(vec![A])) };
        Given::with(())
            .given_no_previous_events()
            .when(create(over))
            .then_expect_error(SharedLinkError::AlreadyOver);
    }

    #[test]
    fn revoked_link_cannot_be_changed() {
        let change = Box::new(LinkChange { allow_upload: Some(true), ..LinkChange::default() });
        Given::with(())
            .given(vec![of_a(), SharedLinkRevoked {}.into()])
            .when(SharedLinkCommand::Change { by: OWNER, change })
            .then_expect_error(SharedLinkError::NotFound);
    }

    #[test]
    fn only_the_owner_changes() {
        Given::with(())
            .given(vec![of_a()])
            .when(SharedLinkCommand::Revoke { by: STRANGER })
            .then_expect_error(SharedLinkError::NotFound);
    }

    #[test]
    fn asset_is_added_once_and_removed_once() {
        Given::with(())
            .given(vec![of_a()])
            .when(SharedLinkCommand::AddAssets { by: OWNER, asset_ids: vec![A, B, B] })
            .then_expect_events(vec![SharedLinkAssetsAdded { asset_ids: vec![B] }.into()]);
        Given::with(())
            .given(vec![of_a()])
            .when(SharedLinkCommand::RemoveAssets { by: OWNER, asset_ids: vec![B, A, A] })
            .then_expect_events(vec![SharedLinkAssetsRemoved { asset_ids: vec![A] }.into()]);
    }

    #[test]
    fn album_link_takes_no_assets_of_its_own() {
        Given::with(())
            .given(vec![created(LinkTarget::Album(AlbumId::new(Uuid::from_u128(9)))).into()])
            .when(SharedLinkCommand::AddAssets { by: OWNER, asset_ids: vec![A] })
            .then_expect_error(SharedLinkError::ShowsAlbum);
    }

    #[test]
    fn what_holds_already_changes_nothing() {
        let change = Box::new(LinkChange {
            allow_download: Some(true),
            slug: Some(None),
            password_hash: Some(None),
            description: Some(None),
            expires_at: Some(None),
            ..LinkChange::default()
        });
        Given::with(())
            .given(vec![of_a()])
            .when(SharedLinkCommand::Change { by: OWNER, change })
            .then_expect_events(vec![]);
    }
}
