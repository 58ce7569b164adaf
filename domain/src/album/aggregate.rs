//! The rules of an album.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::command::{AlbumChange, AlbumCommand, NewAlbum};
use super::error::AlbumError;
use super::event::{
    AlbumActivityDisabled, AlbumActivityEnabled, AlbumAssetsAdded, AlbumAssetsRemoved,
    AlbumCoverChosen, AlbumCoverReset, AlbumDeleted, AlbumDescriptionChanged, AlbumEvent,
    AlbumOrder, AlbumOrderChanged, AlbumPurged, AlbumRenamed, AlbumText, AlbumUserAdded,
    AlbumUserRemoved, AlbumUserRoleChanged,
};
use crate::access::{AlbumRole, role_allows};
use crate::event::{Aggregate, cqrs_aggregate};
use crate::id::{AssetId, UserId};
use crate::permission::Permission;

/// Assets named by one event; more are told by several events of the same transaction.
pub const ADDED_AT_ONCE_MAX: usize = 1_000;

/// An album, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Album {
    pub(super) exists: bool,
    pub(super) deleted: bool,
    pub(super) purged: bool,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) order: AlbumOrder,
    pub(super) cover_id: Option<AssetId>,
    pub(super) activity_disabled: bool,
    pub(super) users: BTreeMap<UserId, AlbumRole>,
    /// Who has a part, in the order they came.
    pub(super) came: Vec<UserId>,
    /// Each with the place it came to.
    pub(super) assets: BTreeMap<AssetId, u64>,
    pub(super) places: u64,
}

impl Album {
    /// Whether an asset is in it.
    #[must_use]
    pub fn contains(&self, asset_id: AssetId) -> bool {
        self.assets.contains_key(&asset_id)
    }

    /// What is in it, in no order.
    pub fn asset_ids(&self) -> impl Iterator<Item = AssetId> {
        self.assets.keys().copied()
    }

    /// Somebody's part in it.
    #[must_use]
    pub fn role(&self, user_id: UserId) -> Option<AlbumRole> {
        self.users.get(&user_id).copied().filter(|_| !self.deleted)
    }

    /// What it is called; nothing when it is deleted or its name was forgotten.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref().filter(|_| !self.deleted)
    }

    /// Who has a part in it.
    pub fn members(&self) -> impl Iterator<Item = UserId> {
        self.users.keys().copied().filter(|_| !self.deleted)
    }

    /// Who decides about it, also of a deleted one.
    pub fn owners(&self) -> impl Iterator<Item = UserId> {
        let owners = self.users.iter().filter(|(_, role)| **role == AlbumRole::Owner);
        owners.map(|(user_id, _)| *user_id)
    }

    /// Whether it takes comments and likes.
    #[must_use]
    pub fn takes_activity(&self) -> bool {
        self.exists && !self.deleted && !self.activity_disabled
    }

    /// Whether it is deleted and may still be taken back.
    #[must_use]
    pub fn is_departed(&self) -> bool {
        self.deleted && !self.purged
    }

    /// What it is called and about, and in which order it shows what is in it, from the start.
    fn begin(&mut self, owner_id: UserId, text: Option<&AlbumText>, order: AlbumOrder) {
        self.exists = true;
        self.name = text.map(|text| text.name.clone());
        self.description = text.map(|text| text.description.clone());
        self.order = order;
        self.come(owner_id, AlbumRole::Owner);
    }

    fn come(&mut self, user_id: UserId, role: AlbumRole) {
        self.users.insert(user_id, role);
        self.came.retain(|came| *came != user_id);
        self.came.push(user_id);
    }

    fn existing(&self) -> Result<(), AlbumError> {
        if self.exists && !self.deleted { Ok(()) } else { Err(AlbumError::NotFound) }
    }

    fn allows(&self, by: UserId, permission: Permission) -> Result<(), AlbumError> {
        self.existing()?;
        let may = self.role(by).is_some_and(|role| role_allows(role, permission));
        if may { Ok(()) } else { Err(AlbumError::NoAccess(permission)) }
    }

    /// Whoever shares an album may bring people in; who is in already, and owners, are its owners' to decide on.
    fn decides_on_people(&self, by: UserId) -> Result<(), AlbumError> {
        self.allows(by, Permission::AlbumShare)?;
        let is_owner = self.role(by) == Some(AlbumRole::Owner);
        if is_owner { Ok(()) } else { Err(AlbumError::NoAccess(Permission::AlbumShare)) }
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
            // Whoever makes an album has the first part in it already.
            if seen.insert(*user_id) {
                events.push(AlbumUserAdded { user_id: *user_id, role: *role }.into());
            }
        }
        let by = Some(new.created.owner_id);
        events.extend(added(by, &fresh(&BTreeMap::new(), &new.asset_ids)));
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

    /// Whoever has a part already keeps it as it is.
    fn add_users(&self, users: &[(UserId, AlbumRole)]) -> Vec<AlbumEvent> {
        let mut seen = BTreeSet::new();
        users
            .iter()
            .filter(|(user_id, _)| self.role(*user_id).is_none() && seen.insert(*user_id))
            .map(|(user_id, role)| AlbumUserAdded { user_id: *user_id, role: *role }.into())
            .collect()
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
        if let Some(by) = by.filter(|by| *by != user_id) {
            self.decides_on_people(by)?;
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
fn fresh(known: &BTreeMap<AssetId, u64>, wanted: &[AssetId]) -> Vec<AssetId> {
    let mut seen = BTreeSet::new();
    wanted.iter().copied().filter(|id| !known.contains_key(id) && seen.insert(*id)).collect()
}

pub(super) fn added(by: Option<UserId>, asset_ids: &[AssetId]) -> impl Iterator<Item = AlbumEvent> {
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
                if users.iter().any(|(_, role)| *role == AlbumRole::Owner) {
                    self.decides_on_people(*by)?;
                }
                Ok(self.add_users(users))
            }
            AlbumCommand::ChangeRole { by, user_id, role } => {
                self.decides_on_people(*by)?;
                self.change_role(*user_id, *role)
            }
            AlbumCommand::RemoveUser { by, user_id } => self.remove_user(*by, *user_id),
            AlbumCommand::Delete { .. } if self.deleted => Ok(vec![]),
            AlbumCommand::Delete { by } => {
                self.allows_or_server(*by, Permission::AlbumDelete)?;
                Ok(vec![AlbumDeleted {}.into()])
            }
            AlbumCommand::Purge if self.is_departed() => Ok(vec![AlbumPurged {}.into()]),
            AlbumCommand::Purge => Ok(vec![]),
        }
    }

    fn evolve(&mut self, event: &AlbumEvent) {
        match event {
            AlbumEvent::Created(created) => {
                self.begin(created.owner_id, created.text.known(), created.order);
            }
            AlbumEvent::Renamed(renamed) => self.name = renamed.name.known().cloned(),
            AlbumEvent::DescriptionChanged(changed) => {
                self.description = changed.description.known().cloned();
            }
            AlbumEvent::OrderChanged(changed) => self.order = changed.order,
            AlbumEvent::CoverChosen(chosen) => self.cover_id = Some(chosen.asset_id),
            AlbumEvent::CoverReset(AlbumCoverReset {}) => self.cover_id = None,
            AlbumEvent::ActivityEnabled(AlbumActivityEnabled {}) => self.activity_disabled = false,
            AlbumEvent::ActivityDisabled(AlbumActivityDisabled {}) => self.activity_disabled = true,
            AlbumEvent::AssetsAdded(added) => {
                for asset_id in &added.asset_ids {
                    self.places += 1;
                    self.assets.entry(*asset_id).or_insert(self.places);
                }
            }
            AlbumEvent::AssetsRemoved(removed) => {
                for asset_id in &removed.asset_ids {
                    self.assets.remove(asset_id);
                }
                self.cover_id = self.cover_id.filter(|cover_id| self.contains(*cover_id));
            }
            AlbumEvent::UserAdded(added) => {
                self.come(added.user_id, added.role);
            }
            AlbumEvent::UserRoleChanged(changed) => {
                self.users.insert(changed.user_id, changed.role);
            }
            AlbumEvent::UserRemoved(removed) => {
                self.users.remove(&removed.user_id);
                self.came.retain(|came| *came != removed.user_id);
            }
            AlbumEvent::Deleted(AlbumDeleted {}) => self.deleted = true,
            AlbumEvent::Restored(restored) => {
                *self = Self::default();
                self.begin(restored.owner_id, restored.text.known(), restored.order);
            }
            AlbumEvent::Purged(AlbumPurged {}) => self.purged = true,
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
    fn owners_and_editors_change_the_album() {
        let change =
            Box::new(AlbumChange { name: Some("Winter".into()), ..AlbumChange::default() });
        Given::with(())
            .given(shared())
            .when(AlbumCommand::Change { by: VIEWER, change: change.clone() })
            .then_expect_error(AlbumError::NoAccess(Permission::AlbumUpdate));
        Given::with(())
            .given(shared())
            .when(AlbumCommand::Change { by: EDITOR, change })
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
    fn editors_bring_people_in_and_make_no_owners() {
        let add = |role| AlbumCommand::AddUsers { by: EDITOR, users: vec![(STRANGER, role)] };
        let (user_id, role) = (STRANGER, AlbumRole::Viewer);
        Given::with(())
            .given(shared())
            .when(add(role))
            .then_expect_events(vec![AlbumUserAdded { user_id, role }.into()]);
        let refused = || AlbumError::NoAccess(Permission::AlbumShare);
        Given::with(()).given(shared()).when(add(AlbumRole::Owner)).then_expect_error(refused());
        let role = AlbumRole::Owner;
        Given::with(())
            .given(shared())
            .when(AlbumCommand::ChangeRole { by: EDITOR, user_id: EDITOR, role })
            .then_expect_error(refused());
    }

    #[test]
    fn whoever_is_in_already_is_passed_over() {
        let role = AlbumRole::Viewer;
        let users = vec![(OWNER, role), (EDITOR, role), (VIEWER, role)];
        Given::with(())
            .given(shared())
            .when(AlbumCommand::AddUsers { by: OWNER, users })
            .then_expect_events(vec![]);
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
