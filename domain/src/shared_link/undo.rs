//! Taking back what was done to a shared link. A deleted one opens by the same key again.

use super::aggregate::SharedLink;
use super::event::{
    LinkTarget, SharedLinkAssetsAdded, SharedLinkAssetsRemoved, SharedLinkDescriptionChanged,
    SharedLinkEvent, SharedLinkExpiryChanged, SharedLinkPasswordChanged, SharedLinkRestored,
    SharedLinkRevoked, SharedLinkSlugChanged, SharedLinkSwitchesChanged,
};
use crate::access::Object;
use crate::id::{AssetId, UserId};
use crate::permission::Permission;
use crate::undo::way::{Row, back};
use crate::undo::{Asked, Need, Plan, States, Undo};

const FORGOTTEN: &str = "Its key is forgotten";
const UPDATE: Need = Need::of(Permission::SharedLinkUpdate);
const DELETE: Need = Need::of(Permission::SharedLinkDelete);

/// How events of links go back.
pub(crate) const WAYS: &[Row] = &[
    back("SharedLinkAssetsAdded", "assets", &["SharedLinkAssetsRemoved"], UPDATE),
    back("SharedLinkAssetsRemoved", "assets", &["SharedLinkAssetsAdded"], UPDATE),
    back(
        "SharedLinkCreated",
        "created",
        &["SharedLinkRevoked"],
        Need::of(Permission::SharedLinkCreate),
    ),
    back("SharedLinkDescriptionChanged", "description", &["SharedLinkDescriptionChanged"], UPDATE),
    back("SharedLinkExpiryChanged", "expiry", &["SharedLinkExpiryChanged"], UPDATE),
    back("SharedLinkPasswordChanged", "password", &["SharedLinkPasswordChanged"], UPDATE),
    back("SharedLinkRestored", "deleted", &["SharedLinkRevoked"], DELETE),
    back("SharedLinkRevoked", "deleted", &["SharedLinkRestored"], DELETE),
    back("SharedLinkSlugChanged", "slug", &["SharedLinkSlugChanged"], UPDATE),
    back("SharedLinkSwitchesChanged", "switches", &["SharedLinkSwitchesChanged"], UPDATE),
];

impl SharedLink {
    fn there(&self) -> Option<&Self> {
        Some(self).filter(|link| link.owner_id.is_some() && !link.revoked)
    }

    fn anew(&self, asked: &Asked) -> Option<SharedLinkRestored> {
        Some(SharedLinkRestored {
            owner_id: self.owner_id?,
            target: self.album_id.map_or_else(
                || LinkTarget::Assets(self.assets.iter().copied().collect()),
                LinkTarget::Album,
            ),
            switches: self.switches?,
            expires_at: self.expires_at,
            key: self.key.clone()?.into(),
            slug: self.slug.clone().into(),
            // Without its password, where that is forgotten, it would open to more than before.
            password_hash: self.password_hash.clone()?.into(),
            description: self.description.clone().into(),
            created_at: asked.began_at,
        })
    }
}

impl Undo for SharedLink {
    fn object(&self, _by: UserId) -> Option<Object> {
        self.owner_id.map(|owner_id| Object::Owned { owner_id })
    }

    fn undo(states: &States<Self>, asked: &Asked) -> Plan<SharedLinkEvent> {
        let mut plan = Plan::default();
        let there = states.map(Self::there);
        match (there.before, there.after) {
            (None, _) => plan.facet("created", &there, |_| vec![SharedLinkRevoked {}.into()]),
            (Some(before), None) => match before.anew(asked) {
                Some(again) => plan.facet("deleted", &there, |_| vec![again.into()]),
                None => plan.never("deleted", FORGOTTEN),
            },
            (Some(_), Some(_)) if there.now.is_none() => plan.changed_since.push("deleted"),
            (Some(_), Some(_)) => changed(&mut plan, states),
        }
        plan
    }
}

fn changed(plan: &mut Plan<SharedLinkEvent>, states: &States<SharedLink>) {
    plan.facet("switches", &states.map(|link| link.switches), |switches| {
        switches.iter().map(|it| SharedLinkSwitchesChanged { switches: *it }.into()).collect()
    });
    plan.facet("expiry", &states.map(|link| link.expires_at), |expires_at| {
        vec![SharedLinkExpiryChanged { expires_at: *expires_at }.into()]
    });
    plan.facet("slug", &states.map(|link| &link.slug), |slug| {
        vec![SharedLinkSlugChanged { slug: (*slug).clone().into() }.into()]
    });
    plan.facet("password", &states.map(|link| &link.password_hash), |password_hash| {
        let known = password_hash.iter().cloned();
        known.map(|hash| SharedLinkPasswordChanged { password_hash: hash.into() }.into()).collect()
    });
    plan.facet("description", &states.map(|link| &link.description), |description| {
        vec![SharedLinkDescriptionChanged { description: (*description).clone().into() }.into()]
    });
    let States { before, after, now } = states.map(|link| &link.assets);
    let out: Vec<AssetId> =
        after.difference(before).filter(|id| now.contains(id)).copied().collect();
    let back: Vec<AssetId> =
        before.difference(after).filter(|id| !now.contains(id)).copied().collect();
    if !out.is_empty() || !back.is_empty() {
        plan.undone.push("assets");
    }
    if !out.is_empty() {
        plan.events.push(SharedLinkAssetsRemoved { asset_ids: out }.into());
    }
    if !back.is_empty() {
        plan.events.push(SharedLinkAssetsAdded { asset_ids: back }.into());
    }
}
