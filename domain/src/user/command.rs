//! What an account may be asked.

use serde_json::Value;

use super::event::{AvatarColor, ProfileImage, UserRegistered};
use crate::license::License;

/// What changes about an account in one go; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProfileChange {
    /// The name others see.
    pub name: Option<String>,
    /// The address it logs in with, lower case.
    pub email: Option<String>,
    /// Hash of a new password.
    pub password_hash: Option<String>,
    /// Whether a new password must be chosen.
    pub should_change_password: Option<bool>,
    /// Whether it may administer.
    pub is_admin: Option<bool>,
    /// Colour of the avatar.
    pub avatar_color: Option<AvatarColor>,
    /// Folder name of the storage template.
    pub storage_label: Option<Option<String>>,
    /// How much it may store, in bytes.
    pub quota_size_bytes: Option<Option<u64>>,
}

/// A wish about the PIN of an account. Whoever wishes it has shown the old PIN or the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinWish {
    /// Set the first one.
    SetUp {
        /// argon2id hash in PHC form.
        pin_hash: String,
    },
    /// Set another in its place. Unlocked sessions stay unlocked.
    Change {
        /// argon2id hash in PHC form.
        pin_hash: String,
    },
    /// Set one whatever there was, and lock every session: an administrator's wish.
    Overrule {
        /// argon2id hash in PHC form.
        pin_hash: String,
    },
    /// Take it away, and lock every session.
    Remove,
}

/// A wish about one account.
#[derive(Clone, Debug, PartialEq)]
pub enum UserCommand {
    /// Make it.
    Register(Box<UserRegistered>),
    /// Change it.
    Change(Box<ProfileChange>),
    /// Lay changes over the preferences.
    ChangePreferences {
        /// The changed members.
        changes: Value,
    },
    /// Set the picture.
    SetProfileImage(ProfileImage),
    /// Take the picture away.
    RemoveProfileImage,
    /// Enter a product key.
    EnterLicense(License),
    /// Take the product key away.
    RemoveLicense,
    /// Mark the first steps as done or not.
    SetOnboarded(bool),
    /// Set, change or remove the PIN.
    Pin(PinWish),
    /// Mark for deletion.
    Delete {
        /// Purge without waiting.
        force: bool,
    },
    /// Take back from deletion.
    Restore,
    /// Remove for good, where it is marked for deletion.
    Purge,
}
