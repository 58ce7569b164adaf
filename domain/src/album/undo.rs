//! Taking back what was done to an album. A deleted one begins anew, with its id and what was in it.

use std::collections::BTreeSet;

use super::aggregate::{ADDED_AT_ONCE_MAX, Album, added};
use super::event::{
    AlbumActivityDisabled, AlbumActivityEnabled, AlbumAssetsRemoved, AlbumCoverChosen,
    AlbumCoverReset, AlbumDeleted, AlbumDescriptionChanged, AlbumEvent, AlbumOrderChanged,
    AlbumRenamed, AlbumRestored, AlbumText, AlbumUserAdded, AlbumUserRemoved, AlbumUserRoleChanged,
};
use crate::access::{AlbumRole, Object};
use crate::id::{AssetId, UserId};
use crate::permission::Permission;
use crate::undo::way::{Row, back, never};
use crate::undo::{Asked, Need, Plan, States, Undo};

const FORGOTTEN: &str = "It was deleted too long ago: what it was called is forgotten";
const UPDATE: Need = Need::of(Permission::AlbumUpdate);
const DELETE: Need = Need::of(Permission::AlbumDelete);
const COVER: &[&str] = &["AlbumCoverChosen", "AlbumCoverReset"];

/// How events of albums go back. Whoever may share an album brings people in; who goes is its owners' matter.
pub(crate) const WAYS: &[Row] = &[
    back("AlbumActivityDisabled", "activity", &["AlbumActivityEnabled"], UPDATE),
    back("AlbumActivityEnabled", "activity", &["AlbumActivityDisabled"], UPDATE),
    back(
        "AlbumAssetsAdded",
        "assets",
        &["AlbumAssetsRemoved"],
        Need::of(Permission::AlbumAssetCreate),
    ),
    back(
        "AlbumAssetsRemoved",
        "assets",
        &["AlbumAssetsAdded"],
        Need::of(Permission::AlbumAssetDelete),
    ),
    back("AlbumCoverChosen", "cover", COVER, UPDATE),
    back("AlbumCoverReset", "cover", COVER, UPDATE),
    back(
        "AlbumCreated",
        "created",
        &["AlbumDeleted"],
        Need { key: Permission::AlbumCreate, person: Permission::AlbumDelete, admin: None },
    ),
    back("AlbumDeleted", "deleted", &["AlbumRestored"], DELETE),
    back("AlbumRestored", "deleted", &["AlbumDeleted"], DELETE),
    never("AlbumPurged", "deleted", FORGOTTEN),
    back("AlbumDescriptionChanged", "description", &["AlbumDescriptionChanged"], UPDATE),
    back("AlbumOrderChanged", "order", &["AlbumOrderChanged"], UPDATE),
    back("AlbumRenamed", "name", &["AlbumRenamed"], UPDATE),
    back(
        "AlbumUserAdded",
        "users",
        &["AlbumUserRemoved"],
        Need { key: Permission::AlbumUserCreate, person: Permission::AlbumShare, admin: None },
    ),
    back("AlbumUserRemoved", "users", &["AlbumUserAdded"], Need::of(Permission::AlbumUserDelete)),
    back(
        "AlbumUserRoleChanged",
        "users",
        &["AlbumUserRoleChanged"],
        Need::of(Permission::AlbumUserUpdate),
    ),
];

impl Album {
    fn is_there(&self) -> bool {
        self.exists && !self.deleted
    }

    fn there(&self) -> Option<&Self> {
        Some(self).filter(|album| album.is_there())
    }

    /// What is in it, in the order it came.
    fn in_order(&self) -> Vec<AssetId> {
        let mut assets: Vec<(u64, AssetId)> =
            self.assets.iter().map(|(asset_id, place)| (*place, *asset_id)).collect();
        assets.sort_unstable();
        assets.into_iter().map(|(_, asset_id)| asset_id).collect()
    }

    /// Everything it takes to be there again; nothing where its name is forgotten.
    fn anew(&self, asked: &Asked) -> Vec<AlbumEvent> {
        let role = |user_id: &UserId| self.users.get(user_id).copied();
        let owner = self.came.iter().find(|id| role(id) == Some(AlbumRole::Owner)).copied();
        let (Some(owner_id), Some(name), Some(description)) =
            (owner, self.name.clone(), self.description.clone())
        else {
            return Vec::new();
        };
        let text = AlbumText { name, description }.into();
        let (order, created_at) = (self.order, asked.began_at);
        let mut events: Vec<AlbumEvent> =
            vec![AlbumRestored { owner_id, text, order, created_at }.into()];
        let others = self.came.iter().filter(|user_id| **user_id != owner_id);
        events.extend(others.filter_map(|user_id| {
            Some(AlbumUserAdded { user_id: *user_id, role: role(user_id)? }.into())
        }));
        events.extend(added(Some(asked.by), &self.in_order()));
        events.extend(self.cover_id.map(|asset_id| AlbumCoverChosen { asset_id }.into()));
        if self.activity_disabled {
            events.push(AlbumActivityDisabled {}.into());
        }
        events
    }
}

impl Undo for Album {
    /// A deleted album is still its members' matter.
    fn object(&self, by: UserId) -> Option<Object> {
        Some(Object::Album { role: self.users.get(&by).copied(), by_link: false })
    }

    fn undo(states: &States<Self>, asked: &Asked) -> Plan<AlbumEvent> {
        let mut plan = Plan::default();
        let there = states.map(Self::there);
        match (there.before, there.after) {
            (None, _) => plan.facet("created", &there, |_| vec![AlbumDeleted {}.into()]),
            (Some(before), None) => {
                let again = before.anew(asked);
                if states.now.purged || again.is_empty() {
                    plan.never("deleted", FORGOTTEN);
                } else {
                    plan.facet("deleted", &there, |_| again);
                }
            }
            // Whoever deleted it since decided about all that was done before.
            (Some(_), Some(_)) if there.now.is_none() => plan.changed_since.push("deleted"),
            (Some(_), Some(_)) => {
                described(&mut plan, states);
                assets(&mut plan, states, asked);
                users(&mut plan, states);
            }
        }
        plan
    }
}

fn described(plan: &mut Plan<AlbumEvent>, states: &States<Album>) {
    plan.facet("name", &states.map(|album| &album.name), |name| {
        name.iter().map(|name| AlbumRenamed { name: name.clone().into() }.into()).collect()
    });
    plan.facet("description", &states.map(|album| &album.description), |description| {
        let words = description.iter().cloned();
        words
            .map(|description| AlbumDescriptionChanged { description: description.into() }.into())
            .collect()
    });
    plan.facet("order", &states.map(|album| album.order), |order| {
        vec![AlbumOrderChanged { order: *order }.into()]
    });
    plan.facet("activity", &states.map(|album| album.activity_disabled), |disabled| {
        vec![if *disabled {
            AlbumActivityDisabled {}.into()
        } else {
            AlbumActivityEnabled {}.into()
        }]
    });
}

/// What was put in goes out, and what was taken out comes back, each by itself; then the cover.
fn assets(plan: &mut Plan<AlbumEvent>, states: &States<Album>, asked: &Asked) {
    let States { before, after, now } = states;
    let out: Vec<AssetId> = after
        .in_order()
        .into_iter()
        .filter(|id| !before.contains(*id) && now.contains(*id))
        .collect();
    let back: Vec<AssetId> = before
        .in_order()
        .into_iter()
        .filter(|id| !after.contains(*id) && !now.contains(*id))
        .collect();
    if !out.is_empty() || !back.is_empty() {
        plan.undone.push("assets");
    }
    plan.events
        .extend(out.chunks(ADDED_AT_ONCE_MAX).map(|part| {
            AlbumAssetsRemoved { by: Some(asked.by), asset_ids: part.to_vec() }.into()
        }));
    plan.events.extend(added(Some(asked.by), &back));
    plan.facet("cover", &states.map(|album| album.cover_id), |cover_id| {
        // A cover that is taken out goes by itself.
        let goes = now.cover_id.is_some_and(|cover_id| out.contains(&cover_id));
        match cover_id {
            Some(asset_id) => vec![AlbumCoverChosen { asset_id: *asset_id }.into()],
            None if goes => vec![],
            None => vec![AlbumCoverReset {}.into()],
        }
    });
}

fn users(plan: &mut Plan<AlbumEvent>, states: &States<Album>) {
    let all = [&states.before, &states.after, &states.now];
    let ids: BTreeSet<UserId> = all.iter().flat_map(|album| album.users.keys()).copied().collect();
    let mut going: Plan<AlbumEvent> = Plan::default();
    for user_id in ids {
        let roles = states.map(|album| album.users.get(&user_id).copied());
        going.facet("users", &roles, |role| {
            vec![match (role, roles.now) {
                (None, _) => AlbumUserRemoved { user_id }.into(),
                (Some(role), None) => AlbumUserAdded { user_id, role: *role }.into(),
                (Some(role), Some(_)) => AlbumUserRoleChanged { user_id, role: *role }.into(),
            }]
        });
    }
    // An album keeps an owner.
    let mut left = states.now.users.clone();
    for event in &going.events {
        match event {
            AlbumEvent::UserAdded(added) => {
                left.insert(added.user_id, added.role);
            }
            AlbumEvent::UserRoleChanged(changed) => {
                left.insert(changed.user_id, changed.role);
            }
            AlbumEvent::UserRemoved(removed) => {
                left.remove(&removed.user_id);
            }
            _ => {}
        }
    }
    if !left.values().any(|role| *role == AlbumRole::Owner) {
        going.events.clear();
        going.changed_since.append(&mut going.undone);
    }
    plan.events.append(&mut going.events);
    plan.undone.append(&mut going.undone);
    plan.changed_since.append(&mut going.changed_since);
}
