//! The events of an account.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::shape::put;
use crate::event::events;
use crate::license::License;
use crate::sealed::Sealed;

/// The colours an avatar may have, as Immich names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AvatarColor {
    /// The theme's own colour.
    Primary,
    /// Pink.
    Pink,
    /// Red.
    Red,
    /// Yellow.
    Yellow,
    /// Blue.
    Blue,
    /// Green.
    Green,
    /// Purple.
    Purple,
    /// Orange.
    Orange,
    /// Gray.
    Gray,
    /// Amber.
    Amber,
}

/// Who the account belongs to; personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// The address it logs in with, lower case.
    pub email: String,
    /// The name others see.
    pub name: String,
}

/// An account was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserRegistered {
    /// Whose it is.
    pub profile: Sealed<Profile>,
    /// argon2id hash of the password in PHC form.
    pub password_hash: Sealed<String>,
    /// Whether it may administer the server.
    pub is_admin: bool,
    /// Whether the person must choose a new password.
    pub should_change_password: bool,
    /// Colour of the avatar.
    pub avatar_color: AvatarColor,
    /// Name of the folder of a storage template; personal.
    pub storage_label: Sealed<Option<String>>,
    /// How much it may store, in bytes; nothing for no limit.
    pub quota_size_bytes: Option<u64>,
}

/// The name others see changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserRenamed {
    /// The new name.
    pub name: Sealed<String>,
}

/// The address it logs in with changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserEmailChanged {
    /// The new address, lower case.
    pub email: Sealed<String>,
}

/// The password changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserPasswordChanged {
    /// argon2id hash in PHC form.
    pub password_hash: Sealed<String>,
}

/// Whether the person must choose a new password was set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserPasswordChangeRequired {
    /// Whether they must.
    pub required: bool,
}

/// May administer the server from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserAdminGranted {}

/// May no longer administer the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserAdminRevoked {}

/// The limit of what it may store changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserQuotaChanged {
    /// In bytes; nothing for no limit.
    pub quota_size_bytes: Option<u64>,
}

/// The folder name of its storage template changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserStorageLabelChanged {
    /// The new name, or none.
    pub storage_label: Sealed<Option<String>>,
}

/// The avatar's colour changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserAvatarColorChanged {
    /// The new colour.
    pub avatar_color: AvatarColor,
}

/// What the person prefers changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserPreferencesChanged {
    /// The changed members of the preferences document, to be laid over what was there.
    pub changes: Value,
}

/// What the person preferred before is preferred again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserPreferencesReverted {
    /// Members by path (`memories.enabled`) with what they are again.
    pub set: BTreeMap<String, Value>,
    /// Members that are again what they are when nobody says otherwise.
    pub unset: Vec<String>,
}

impl UserPreferencesReverted {
    /// Lays it over the changed members of a preferences document.
    pub fn lay_over(&self, document: &mut Value) {
        for (path, value) in &self.set {
            put(document, path, value.clone());
        }
        for path in &self.unset {
            let (group, name) = path.rsplit_once('.').unwrap_or(("", path));
            let place = if group.is_empty() {
                Some(&mut *document)
            } else {
                group.split('.').try_fold(&mut *document, |value, name| value.get_mut(name))
            };
            if let Some(Value::Object(members)) = place {
                members.remove(name);
            }
        }
    }
}

/// A picture of the person, stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileImage {
    /// Its key in the blob store.
    pub key: String,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// BLAKE3, lower-case hex.
    pub blake3: String,
}

/// The picture of the person was set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserProfileImageChanged {
    /// The stored picture.
    pub image: ProfileImage,
}

/// The picture of the person was taken away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserProfileImageRemoved {}

/// The person went through the first steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserOnboarded {}

/// The first steps are to be shown again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserOnboardingReset {}

/// A PIN that opens the locked folder was set, for the first time or in place of another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserPinSet {
    /// argon2id hash in PHC form.
    pub pin_hash: Sealed<String>,
}

/// The PIN was taken away. Every session that it had unlocked is locked again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserPinRemoved {}
/// The person entered a product key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserLicenseEntered {
    /// The key.
    pub license: Sealed<License>,
}

/// The person's product key was taken away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserLicenseRemoved {}

/// Marked for deletion; it can be restored for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserDeleted {
    /// Whether to purge without waiting.
    pub force: bool,
}

/// Taken back from deletion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserRestored {}

/// Gone for good; its key is destroyed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserPurged {}

events! {
    /// Everything that can have happened to an account.
    UserEvent for "user" {
        AdminGranted(UserAdminGranted) 1,
        AdminRevoked(UserAdminRevoked) 1,
        AvatarColorChanged(UserAvatarColorChanged) 1,
        Deleted(UserDeleted) 1,
        EmailChanged(UserEmailChanged) 1,
        LicenseEntered(UserLicenseEntered) 1,
        LicenseRemoved(UserLicenseRemoved) 1,
        Onboarded(UserOnboarded) 1,
        OnboardingReset(UserOnboardingReset) 1,
        PasswordChangeRequired(UserPasswordChangeRequired) 1,
        PasswordChanged(UserPasswordChanged) 1,
        PinRemoved(UserPinRemoved) 1,
        PinSet(UserPinSet) 1,
        PreferencesChanged(UserPreferencesChanged) 1,
        PreferencesReverted(UserPreferencesReverted) 1,
        ProfileImageChanged(UserProfileImageChanged) 1,
        ProfileImageRemoved(UserProfileImageRemoved) 1,
        Purged(UserPurged) 1,
        QuotaChanged(UserQuotaChanged) 1,
        Registered(UserRegistered) 1,
        Renamed(UserRenamed) 1,
        Restored(UserRestored) 1,
        StorageLabelChanged(UserStorageLabelChanged) 1,
    }
}
