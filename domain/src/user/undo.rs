//! Taking back what was changed about an account. What opens it is never taken back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::aggregate::User;
use super::event::{
    UserAvatarColorChanged, UserDeleted, UserEmailChanged, UserEvent, UserLicenseEntered,
    UserLicenseRemoved, UserOnboarded, UserOnboardingReset, UserPreferencesReverted,
    UserQuotaChanged, UserRenamed, UserRestored, UserStorageLabelChanged,
};
use crate::access::Object;
use crate::id::UserId;
use crate::permission::Permission;
use crate::undo::way::{Row, back, follows, never};
use crate::undo::{Asked, Need, Plan, States, Undo};

const OPENS: &str = "It opens the account; set it anew by hand";
const RIGHTS: &str = "Who administers the server is decided anew, not taken back";
const PICTURE: &str = "The former picture is not kept";
const PROFILE: Need = Need::of(Permission::UserUpdate).or_admin(Permission::AdminUserUpdate);
const PREFERENCES: Need =
    Need::of(Permission::UserPreferenceUpdate).or_admin(Permission::AdminUserUpdate);
const ADMIN: Need = Need::of(Permission::AdminUserUpdate).or_admin(Permission::AdminUserUpdate);
const DELETE: Need = Need::of(Permission::AdminUserDelete).or_admin(Permission::AdminUserDelete);
const PREFERRED: &[&str] = &["UserPreferencesReverted"];
const ENTERED: Need = Need::of(Permission::UserLicenseUpdate).or_admin(Permission::AdminUserUpdate);
const REMOVED: Need = Need::of(Permission::UserLicenseDelete).or_admin(Permission::AdminUserUpdate);
const ONBOARDING: Need =
    Need::of(Permission::UserOnboardingUpdate).or_admin(Permission::AdminUserUpdate);

/// How events of accounts go back.
pub(crate) const WAYS: &[Row] = &[
    never("UserAdminGranted", "rights", RIGHTS),
    never("UserAdminRevoked", "rights", RIGHTS),
    back("UserAvatarColorChanged", "avatarColor", &["UserAvatarColorChanged"], PROFILE),
    back("UserDeleted", "deleted", &["UserRestored"], DELETE),
    back("UserEmailChanged", "email", &["UserEmailChanged"], PROFILE),
    back("UserLicenseEntered", "license", &["UserLicenseRemoved"], ENTERED),
    back("UserLicenseRemoved", "license", &["UserLicenseEntered"], REMOVED),
    back("UserOnboarded", "onboarding", &["UserOnboardingReset"], ONBOARDING),
    back("UserOnboardingReset", "onboarding", &["UserOnboarded"], ONBOARDING),
    follows("UserPasswordChangeRequired", "belongs to the password, which is not taken back"),
    never("UserPasswordChanged", "password", OPENS),
    never("UserPinRemoved", "pin", OPENS),
    never("UserPinSet", "pin", OPENS),
    back("UserPreferencesChanged", "preferences", PREFERRED, PREFERENCES),
    back("UserPreferencesReverted", "preferences", PREFERRED, PREFERENCES),
    never("UserProfileImageChanged", "profileImage", PICTURE),
    never("UserProfileImageRemoved", "profileImage", PICTURE),
    never("UserPurged", "purged", "The account was removed for good"),
    back("UserQuotaChanged", "quota", &["UserQuotaChanged"], ADMIN),
    never("UserRegistered", "registered", "An account is deleted, not taken back"),
    back("UserRenamed", "name", &["UserRenamed"], PROFILE),
    back("UserRestored", "deleted", &["UserDeleted"], DELETE),
    back("UserStorageLabelChanged", "storageLabel", &["UserStorageLabelChanged"], ADMIN),
];

impl Undo for User {
    /// One's own account, or somebody else's: the use case knows which.
    fn object(&self, _by: UserId) -> Option<Object> {
        None
    }

    fn undo(states: &States<Self>, _asked: &Asked) -> Plan<UserEvent> {
        let mut plan = Plan::default();
        if !states.before.registered || states.now.purged {
            // The tables say why.
            return plan;
        }
        plan.facet("deleted", &states.map(|user| user.deleted), |deleted| {
            vec![if *deleted {
                UserDeleted { force: false }.into()
            } else {
                UserRestored {}.into()
            }]
        });
        profile(&mut plan, states);
        preferences(&mut plan, states);
        plan.facet("onboarding", &states.map(|user| user.onboarded), |onboarded| {
            vec![if *onboarded { UserOnboarded {}.into() } else { UserOnboardingReset {}.into() }]
        });
        plan.facet("license", &states.map(|user| &user.license), |license| {
            vec![match license {
                Some(license) => UserLicenseEntered { license: license.clone().into() }.into(),
                None => UserLicenseRemoved {}.into(),
            }]
        });
        plan
    }
}

fn profile(plan: &mut Plan<UserEvent>, states: &States<User>) {
    plan.facet("name", &states.map(|user| &user.name), |name| {
        name.iter().map(|name| UserRenamed { name: name.clone().into() }.into()).collect()
    });
    plan.facet("email", &states.map(|user| &user.email), |email| {
        email.iter().map(|email| UserEmailChanged { email: email.clone().into() }.into()).collect()
    });
    plan.facet("avatarColor", &states.map(|user| user.avatar_color), |avatar_color| {
        let known = avatar_color.iter();
        known.map(|color| UserAvatarColorChanged { avatar_color: *color }.into()).collect()
    });
    plan.facet("quota", &states.map(|user| user.quota_size_bytes), |quota_size_bytes| {
        vec![UserQuotaChanged { quota_size_bytes: *quota_size_bytes }.into()]
    });
    plan.facet("storageLabel", &states.map(|user| &user.storage_label), |label| {
        vec![UserStorageLabelChanged { storage_label: (*label).clone().into() }.into()]
    });
}

/// Every changed member by its path.
fn members(document: &Value, path: &str, found: &mut BTreeMap<String, Value>) {
    match document {
        Value::Object(group) => {
            for (name, value) in group {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                members(value, &path, found);
            }
        }
        Value::Null if path.is_empty() => {}
        value => {
            found.insert(path.to_owned(), value.clone());
        }
    }
}

fn preferences(plan: &mut Plan<UserEvent>, states: &States<User>) {
    let changed = states.map(|user| {
        let mut found = BTreeMap::new();
        members(&user.preferences, "", &mut found);
        found
    });
    let all = [&changed.before, &changed.after, &changed.now];
    let paths: BTreeSet<&String> = all.iter().flat_map(|found| found.keys()).collect();
    let mut again: Plan<(String, Option<Value>)> = Plan::default();
    for path in paths {
        again.facet("preferences", &changed.map(|found| found.get(path)), |value| {
            vec![(path.clone(), value.cloned())]
        });
    }
    plan.undone.append(&mut again.undone);
    plan.changed_since.append(&mut again.changed_since);
    if again.events.is_empty() {
        return;
    }
    let mut reverted = UserPreferencesReverted { set: BTreeMap::new(), unset: Vec::new() };
    for (path, value) in again.events {
        match value {
            Some(value) => {
                reverted.set.insert(path, value);
            }
            None => reverted.unset.push(path),
        }
    }
    plan.events.push(reverted.into());
}
