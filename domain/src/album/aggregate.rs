//! The rules of an album.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::command::{AlbumChange, AlbumCommand, NewAlbum};
use super::error::AlbumError;
use super::event::{
    AlbumActivityDisabled, AlbumActivityEnabled, AlbumAssetsAdded, AlbumAssetsRemoved,
    AlbumCoverChosen, AlbumDeleted, AlbumDescriptionChanged, AlbumEvent, AlbumOrder,
    AlbumOrderChanged, AlbumRenamed, AlbumUserAdded, AlbumUserRemoved, AlbumUserRoleChanged,
};
use crate::access::{AlbumRole, role_allows};
use crate::event::{Aggregate, cqrs_aggregate};
use crate::id::{AssetId, UserId};
use crate::permission::Permission;

/// Assets named by one event; more are told by several events of the same transaction.
pub const ADDED_AT_ONCE_MAX: usize = 1_000;

/// An album, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Album {
    exists: bool,
    deleted: bool,
    name: Option<String>,
    description: Option<String>,
    order: AlbumOrder,
    cover_id: Option<AssetId>,
    activity_disabled: bool,
    users: BTreeMap<UserId, AlbumRole>,
    assets: BTreeSet<AssetId>,
}

impl Album {
    /// Whether an asset is in it.
    #[must_use]
    pub fn contains(&self, asset_id: AssetId) -> bool {
        self.assets.contains(&asset_id)
    }

    /// Somebody's part in it.
    #[must_use]
    pub fn role(&self, user_id: UserId) -> Option<AlbumRole> {
        self.users.get(&user_id).copied().filter(|_| !self.deleted)
    }

    /// Whether it takes comments and likes.
    #[must_use]
    pub fn takes_activity(&self) -> bool {
        self.exists && !self.deleted && !self.activity_disabled
    }

    fn existing(&self) -> Result<(), AlbumError> {
        if self.exists && !self.deleted { Ok(()) } else { Err(AlbumError::NotFound) }
    }

    fn allows(&self, by: UserId, permission: Permission) -> Result<(), AlbumError> {
        self.existing()?;
        let may = self.role(by).is_some_and(|role| role_allows(role, permission));
        if may { Ok(()) } else { Err(AlbumError::NoAccess(permission)) }
    }

    fn allows_or_server(
        &self,
        by: Option<UserId>,
        permission: Permission,
    ) -> Result<(), AlbumError> {
        by.map_or_else(|| self.existing(), |by| self.allows(by, permission))
    }

    fn is_last_owner(&self, user_id: UserId) -> bool {
        let others = self
            .users
            .iter()
            .filter(|(other, role)| **role == AlbumRole::Owner && **other != user_id);
        self.role(user_id) == Some(AlbumRole::Owner) && others.count() == 0
    }

    fn create(new: &NewAlbum) -> Result<Vec<AlbumEvent>, AlbumError> {
        let mut events = vec![new.created.clone().into()];
        let mut seen = BTreeSet::from([new.created.owner_id]);
        for (user_id, role) in &new.users {
            if *user_id == new.created.owner_id {
                return Err(AlbumError::IsOwner(*user_id));
            }
            if seen.insert(*user_id) {
                events.push(AlbumUserAdded { user_id: *user_id, role: *role }.into());
            }
        }
        let by = Some(new.created.owner_id);
        events.extend(added(by, &fresh(&BTreeSet::new(), &new.asset_ids)));
        Ok(events)
    }

    fn change(&self, change: &AlbumChange) -> Result<Vec<AlbumEvent>, AlbumError> {
        let mut events: Vec<AlbumEvent> = Vec::new();
        if let Some(name) = &change.name
            && self.name.as_ref() != Some(name)
        {
            events.push(AlbumRenamed { name: name.clone().into() }.into());
        }
        if let Some(description) = &change.description
            && self.description.as_ref() != Some(description)
        {
            let description = description.clone().into();
            events.push(AlbumDescriptionChanged { description }.into());
        }
        if let Some(asset_id) = change.cover_id {
            if !self.contains(asset_id) {
                return Err(AlbumError::CoverNotInside);
            }
            if self.cover_id != Some(asset_id) {
                events.push(AlbumCoverChosen { asset_id }.into());
            }
        }
        if let Some(order) = change.order.filter(|order| *order != self.order) {
            events.push(AlbumOrderChanged { order }.into());
        }
        match change.is_activity_enabled {
            Some(true) if self.activity_disabled => events.push(AlbumActivityEnabled {}.into()),
            Some(false) if !self.activity_disabled => events.push(AlbumActivityDisabled {}.into()),
            _ => {}
        }
        Ok(events)
    }

    fn add_users(&self, users: &[(UserId, AlbumRole)]) -> Result<Vec<AlbumEvent>, AlbumError> {
        let mut events = Vec::new();
        let mut seen = BTreeSet::new();
        for (user_id, role) in users {
            match self.role(*user_id) {
                Some(AlbumRole::Owner) => return Err(AlbumError::IsOwner(*user_id)),
                Some(_) => return Err(AlbumError::HasPart(*user_id)),
                None if !seen.insert(*user_id) => return Err(AlbumError::HasPart(*user_id)),
                None => events.push(AlbumUserAdded { user_id: *user_id, role: *role }.into()),
            }
        }
        Ok(events)
    }

    fn change_role(&self, user_id: UserId, role: AlbumRole) -> Result<Vec<AlbumEvent>, AlbumError> {
        match self.role(user_id) {
            None => Err(AlbumError::HasNoPart(user_id)),
            Some(known) if known == role => Ok(vec![]),
            Some(_) if self.is_last_owner(user_id) => Err(AlbumError::LastOwner),
            Some(_) => Ok(vec![AlbumUserRoleChanged { user_id, role }.into()]),
        }
    }

    fn remove_user(
        &self,
        by: Option<UserId>,
        user_id: UserId,
    ) -> Result<Vec<AlbumEvent>, AlbumError> {
        self.existing()?;
        if by.is_some() && by != Some(user_id) {
            self.allows_or_server(by, Permission::AlbumShare)?;
        }
        if self.role(user_id).is_none() {
            return Err(AlbumError::HasNoPart(user_id));
        }
        if self.is_last_owner(user_id) {
            return Err(AlbumError::LastOwner);
        }
        Ok(vec![AlbumUserRemoved { user_id }.into()])
    }
}

/// Those of `wanted` that are not in `known`, each once, in their order.
fn fresh(known: &BTreeSet<AssetId>, wanted: &[AssetId]) -> Vec<AssetId> {
    let mut seen = BTreeSet::new();
    wanted.iter().copied().filter(|id| !known.contains(id) && seen.insert(*id)).collect()
}

fn added(by: Option<UserId>, asset_ids: &[AssetId]) -> impl Iterator<Item = AlbumEvent> {
    asset_ids
        .chunks(ADDED_AT_ONCE_MAX)
        .map(move |part| AlbumAssetsAdded { by, asset_ids: part.to_vec() }.into())
}

impl Aggregate for Album {
    type Command = AlbumCommand;
    type Event = AlbumEvent;
    type Error = AlbumError;

    fn decide(&self, command: &AlbumCommand) -> Result<Vec<AlbumEvent>, AlbumError> {
        match command {
            AlbumCommand::Create(_) if self.exists => Err(AlbumError::AlreadyExists),
            AlbumCommand::Create(new) => Self::create(new),
            AlbumCommand::Change { by, change } => {
                self.allows(*by, Permission::AlbumUpdate)?;
                self.change(change)
            }
            AlbumCommand::AddAssets { by, asset_ids } => {
                self.allows_or_server(*by, Permission::AlbumAssetCreate)?;
                Ok(added(*by, &fresh(&self.assets, asset_ids)).collect())
            }
            AlbumCommand::RemoveAssets { by, asset_ids } => {
                self.allows_or_server(*by, Permission::AlbumAssetDelete)?;
                let inside: BTreeSet<AssetId> =
                    asset_ids.iter().copied().filter(|id| self.contains(*id)).collect();
                let inside: Vec<AssetId> = inside.into_iter().collect();
                Ok(inside
                    .chunks(ADDED_AT_ONCE_MAX)
                    .map(|part| AlbumAssetsRemoved { by: *by, asset_ids: part.to_vec() }.into())
                    .collect())
            }
            AlbumCommand::AddUsers { by, users } => {
                self.allows(*by, Permission::AlbumShare)?;
                self.add_users(users)
            }
            AlbumCommand::ChangeRole { by, user_id, role } => {
                self.allows(*by, Permission::AlbumShare)?;
                self.change_role(*user_id, *role)
            }
            AlbumCommand::RemoveUser { by, user_id } => self.remove_user(*by, *user_id),
            AlbumCommand::Delete { .. } if self.deleted => Ok(vec![]),
            AlbumCommand::Delete { by } => {
                self.allows_or_server(*by, Permission::AlbumDelete)?;
                Ok(vec![AlbumDeleted {}.into()])
            }
        }
    }

    fn evolve(&mut self, event: &AlbumEvent) {
        match event {
            AlbumEvent::Created(created) => {
                self.exists = true;
                let text = created.text.known();
                self.name = text.map(|text| text.name.clone());
                self.description = text.map(|text| text.description.clone());
                self.order = created.order;
                self.users.insert(created.owner_id, AlbumRole::Owner);
            }
            AlbumEvent::Renamed(renamed) => self.name = renamed.name.known().cloned(),
            AlbumEvent::DescriptionChanged(changed) => {
                self.description = changed.description.known().cloned();
            }
            AlbumEvent::OrderChanged(changed) => self.order = changed.order,
            AlbumEvent::CoverChosen(chosen) => self.cover_id = Some(chosen.asset_id),
            AlbumEvent::ActivityEnabled(AlbumActivityEnabled {}) => self.activity_disabled = false,
            AlbumEvent::ActivityDisabled(AlbumActivityDisabled {}) => self.activity_disabled = true,
            AlbumEvent::AssetsAdded(added) => self.assets.extend(&added.asset_ids),
            AlbumEvent::AssetsRemoved(removed) => {
                for asset_id in &removed.asset_ids {
                    self.assets.remove(asset_id);
                }
                self.cover_id = self.cover_id.filter(|cover_id| self.assets.contains(cover_id));
            }
            AlbumEvent::UserAdded(added) => {
                self.users.insert(added.user_id, added.role);
            }
            AlbumEvent::UserRoleChanged(changed) => {
                self.users.insert(changed.user_id, changed.role);
            }
            AlbumEvent::UserRemoved(removed) => {
                self.users.remove(&removed.user_id);
            }
            AlbumEvent::Deleted(AlbumDeleted {}) => self.deleted = true,
        }
    }
}

cqrs_aggregate!(Album, AlbumCommand, AlbumEvent, AlbumError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::super::event::{AlbumCreated, AlbumText};
    use super::*;

    const OWNER: UserId = UserId::new(Uuid::from_u128(1));
    const EDITOR: UserId = UserId::new(Uuid::from_u128(2));
    const VIEWER: UserId = UserId::new(Uuid::from_u128(3));
    const STRANGER: UserId = UserId::new(Uuid::from_u128(4));
    const A: AssetId = AssetId::new(Uuid::from_u128(10));
    const B: AssetId = AssetId::new(Uuid::from_u128(11));

    type Given = TestFramework<Album>;

    fn created() -> AlbumCreated {
        let text = AlbumText { name: "Summer".into(), description: String::new() };
        AlbumCreated { owner_id: OWNER, text: text.into(), order: AlbumOrder::Desc }
    }

    fn shared() -> Vec<AlbumEvent> {
        vec![
            created().into(),
            AlbumUserAdded { user_id: EDITOR, role: AlbumRole::Editor }.into(),
            AlbumUserAdded { user_id: VIEWER, role: AlbumRole::Viewer }.into(),
            AlbumAssetsAdded { by: Some(OWNER), asset_ids: vec![A] }.into(),
        ]
    }

    fn add(by: UserId, asset_ids: Vec<AssetId>) -> AlbumCommand {
        AlbumCommand::AddAssets { by: Some(by), asset_ids }
    }

    #[test]
    fn new_album_tells_everything_in_order() {
        let new = NewAlbum {
            created: created(),
            users: vec![(EDITOR, AlbumRole::Editor)],
            asset_ids: vec![A, A, B],
        };
        Given::with(())
            .given_no_previous_events()
            .when(AlbumCommand::Create(Box::new(new)))
            .then_expect_events(vec![
                created().into(),
                AlbumUserAdded { user_id: EDITOR, role: AlbumRole::Editor }.into(),
                AlbumAssetsAdded { by: Some(OWNER), asset_ids: vec![A, B] }.into(),
            ]);
    }

    #[test]
    fn editor_adds_only_what_is_not_inside() {
        Given::with(()).given(shared()).when(add(EDITOR, vec![A, B, B])).then_expect_events(vec![
            AlbumAssetsAdded { by: Some(EDITOR), asset_ids: vec![B] }.into(),
        ]);
    }

    #[test]
    fn adding_twice_happens_once() {
        Given::with(()).given(shared()).when(add(OWNER, vec![A])).then_expect_events(vec![]);
    }

    #[test]
    fn viewer_and_stranger_add_nothing() {
        for by in [VIEWER, STRANGER] {
            Given::with(())
                .given(shared())
                .when(add(by, vec![B]))
                .then_expect_error(AlbumError::NoAccess(Permission::AlbumAssetCreate));
        }
    }

    #[test]
    fn only_the_owner_changes_the_album() {
        let change =
            Box::new(AlbumChange { name: Some("Winter".into()), ..AlbumChange::default() });
        Given::with(())
            .given(shared())
            .when(AlbumCommand::Change { by: EDITOR, change: change.clone() })
            .then_expect_error(AlbumError::NoAccess(Permission::AlbumUpdate));
        Given::with(())
            .given(shared())
            .when(AlbumCommand::Change { by: OWNER, change })
            .then_expect_events(vec![AlbumRenamed { name: "Winter".to_owned().into() }.into()]);
    }

    #[test]
    fn cover_is_one_of_the_album() {
        let change = Box::new(AlbumChange { cover_id: Some(B), ..AlbumChange::default() });
        Given::with(())
            .given(shared())
            .when(AlbumCommand::Change { by: OWNER, change })
            .then_expect_error(AlbumError::CoverNotInside);
    }

    #[test]
    fn anybody_leaves_and_only_the_owner_sends_away() {
        Given::with(())
            .given(shared())
            .when(AlbumCommand::RemoveUser { by: Some(VIEWER), user_id: VIEWER })
            .then_expect_events(vec![AlbumUserRemoved { user_id: VIEWER }.into()]);
        Given::with(())
            .given(shared())
            .when(AlbumCommand::RemoveUser { by: Some(EDITOR), user_id: VIEWER })
            .then_expect_error(AlbumError::NoAccess(Permission::AlbumShare));
    }

    #[test]
    fn last_owner_stays() {
        Given::with(())
            .given(shared())
            .when(AlbumCommand::RemoveUser { by: Some(OWNER), user_id: OWNER })
            .then_expect_error(AlbumError::LastOwner);
        let role = AlbumRole::Viewer;
        Given::with(())
            .given(shared())
            .when(AlbumCommand::ChangeRole { by: OWNER, user_id: OWNER, role })
            .then_expect_error(AlbumError::LastOwner);
    }

    #[test]
    fn whoever_was_sent_away_adds_nothing() {
        let mut events = shared();
        events.push(AlbumUserRemoved { user_id: EDITOR }.into());
        Given::with(())
            .given(events)
            .when(add(EDITOR, vec![B]))
            .then_expect_error(AlbumError::NoAccess(Permission::AlbumAssetCreate));
    }

    #[test]
    fn deleted_album_is_not_found_and_deleting_twice_happens_once() {
        let mut events = shared();
        events.push(AlbumDeleted {}.into());
        Given::with(())
            .given(events.clone())
            .when(add(OWNER, vec![B]))
            .then_expect_error(AlbumError::NotFound);
        Given::with(())
            .given(events)
            .when(AlbumCommand::Delete { by: Some(OWNER) })
            .then_expect_events(vec![]);
    }

    #[test]
    fn many_assets_are_told_in_parts() {
        let asset_ids: Vec<AssetId> =
            (100..100 + 2_500).map(|id| AssetId::new(Uuid::from_u128(id))).collect();
        let mut album = Album::default();
        shared().iter().for_each(|event| album.evolve(event));
        assert_eq!(album.decide(&add(OWNER, asset_ids)).unwrap().len(), 3);
    }
}
