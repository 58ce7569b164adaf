//! The rules of an account.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::command::{PinWish, ProfileChange, UserCommand};
use super::error::UserError;
use super::event::{
    AvatarColor, UserAdminGranted, UserAdminRevoked, UserAvatarColorChanged, UserDeleted,
    UserEmailChanged, UserEvent, UserLicenseEntered, UserLicenseRemoved, UserOnboarded,
    UserOnboardingReset, UserPasswordChangeRequired, UserPasswordChanged, UserPinRemoved,
    UserPinSet, UserPreferencesChanged, UserProfileImageChanged, UserProfileImageRemoved,
    UserPurged, UserQuotaChanged, UserRenamed, UserRestored, UserStorageLabelChanged,
};
use crate::event::{Aggregate, cqrs_aggregate};
use crate::license::License;

/// An account, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct User {
    pub(super) registered: bool,
    pub(super) purged: bool,
    pub(super) deleted: bool,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) is_admin: bool,
    pub(super) should_change_password: bool,
    pub(super) avatar_color: Option<AvatarColor>,
    pub(super) storage_label: Option<String>,
    pub(super) quota_size_bytes: Option<u64>,
    pub(super) has_image: bool,
    #[serde(default)]
    pub(super) has_pin: bool,
    pub(super) onboarded: bool,
    pub(super) license: Option<License>,
    /// What was changed of the preferences.
    #[serde(default)]
    pub(super) preferences: Value,
}

impl User {
    /// Whether it exists and is not marked for deletion.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.registered && !self.deleted && !self.purged
    }

    /// Whether it exists, marked for deletion or not.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.registered && !self.purged
    }

    /// Whether it may administer the server.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.is_admin
    }

    /// Folder name of its storage template, while known.
    #[must_use]
    pub fn storage_label(&self) -> Option<&str> {
        self.storage_label.as_deref()
    }

    /// The address it logs in with, while known.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    fn pin(&self, wish: &PinWish) -> Result<Vec<UserEvent>, UserError> {
        let set = |pin_hash: &String| UserPinSet { pin_hash: pin_hash.clone().into() }.into();
        match wish {
            PinWish::SetUp { .. } if self.has_pin => Err(UserError::PinExists),
            PinWish::SetUp { pin_hash } => Ok(vec![set(pin_hash)]),
            PinWish::Change { .. } if !self.has_pin => Err(UserError::NoPin),
            PinWish::Change { pin_hash } => Ok(vec![set(pin_hash)]),
            PinWish::Overrule { pin_hash } if self.has_pin => {
                Ok(vec![UserPinRemoved {}.into(), set(pin_hash)])
            }
            PinWish::Overrule { pin_hash } => Ok(vec![set(pin_hash)]),
            PinWish::Remove if self.has_pin => Ok(vec![UserPinRemoved {}.into()]),
            PinWish::Remove => Ok(vec![]),
        }
    }

    fn change(&self, change: &ProfileChange) -> Vec<UserEvent> {
        let mut events: Vec<UserEvent> = Vec::new();
        if let Some(name) = &change.name
            && self.name.as_ref() != Some(name)
        {
            events.push(UserRenamed { name: name.clone().into() }.into());
        }
        if let Some(email) = &change.email
            && self.email.as_ref() != Some(email)
        {
            events.push(UserEmailChanged { email: email.clone().into() }.into());
        }
        if let Some(hash) = &change.password_hash {
            events.push(UserPasswordChanged { password_hash: hash.clone().into() }.into());
        }
        // A new password counts as the change that was asked for.
        let should_change = self.should_change_password && change.password_hash.is_none();
        if let Some(required) = change.should_change_password.filter(|wish| *wish != should_change)
        {
            events.push(UserPasswordChangeRequired { required }.into());
        }
        match change.is_admin {
            Some(true) if !self.is_admin => events.push(UserAdminGranted {}.into()),
            Some(false) if self.is_admin => events.push(UserAdminRevoked {}.into()),
            _ => {}
        }
        if let Some(avatar_color) =
            change.avatar_color.filter(|wish| Some(*wish) != self.avatar_color)
        {
            events.push(UserAvatarColorChanged { avatar_color }.into());
        }
        if let Some(label) = &change.storage_label
            && *label != self.storage_label
        {
            events.push(UserStorageLabelChanged { storage_label: label.clone().into() }.into());
        }
        if let Some(quota_size_bytes) =
            change.quota_size_bytes.filter(|wish| *wish != self.quota_size_bytes)
        {
            events.push(UserQuotaChanged { quota_size_bytes }.into());
        }
        events
    }
}

impl Aggregate for User {
    type Command = UserCommand;
    type Event = UserEvent;
    type Error = UserError;

    fn decide(&self, command: &UserCommand) -> Result<Vec<UserEvent>, UserError> {
        if let UserCommand::Register(registered) = command {
            return if self.registered {
                Err(UserError::AlreadyExists)
            } else {
                Ok(vec![UserEvent::Registered((**registered).clone())])
            };
        }
        if !self.registered || self.purged {
            return Err(UserError::NotFound);
        }
        Ok(match command {
            UserCommand::Register(_) => vec![],
            UserCommand::Change(change) => self.change(change),
            UserCommand::ChangePreferences { changes } if is_empty(changes) => vec![],
            UserCommand::ChangePreferences { changes } => {
                vec![UserPreferencesChanged { changes: changes.clone() }.into()]
            }
            UserCommand::SetProfileImage(image) => {
                vec![UserProfileImageChanged { image: image.clone() }.into()]
            }
            UserCommand::RemoveProfileImage if self.has_image => {
                vec![UserProfileImageRemoved {}.into()]
            }
            UserCommand::RemoveProfileImage => vec![],
            UserCommand::Pin(wish) => self.pin(wish)?,
            UserCommand::EnterLicense(license) if self.license.as_ref() == Some(license) => vec![],
            UserCommand::EnterLicense(license) => {
                if license.licensee().is_none() {
                    return Err(UserError::BadLicense);
                }
                vec![UserLicenseEntered { license: license.clone().into() }.into()]
            }
            UserCommand::RemoveLicense if self.license.is_some() => {
                vec![UserLicenseRemoved {}.into()]
            }
            UserCommand::RemoveLicense => vec![],
            UserCommand::SetOnboarded(true) if !self.onboarded => vec![UserOnboarded {}.into()],
            UserCommand::SetOnboarded(false) if self.onboarded => {
                vec![UserOnboardingReset {}.into()]
            }
            UserCommand::SetOnboarded(_) => vec![],
            UserCommand::Delete { force } if !self.deleted || *force => {
                vec![UserDeleted { force: *force }.into()]
            }
            UserCommand::Delete { .. } => vec![],
            UserCommand::Restore if self.deleted => vec![UserRestored {}.into()],
            UserCommand::Restore => vec![],
            UserCommand::Purge if self.deleted => vec![UserPurged {}.into()],
            UserCommand::Purge => return Err(UserError::NotDeleted),
        })
    }

    fn evolve(&mut self, event: &UserEvent) {
        match event {
            UserEvent::Registered(registered) => {
                self.registered = true;
                if let Some(profile) = registered.profile.known() {
                    self.name = Some(profile.name.clone());
                    self.email = Some(profile.email.clone());
                }
                self.is_admin = registered.is_admin;
                self.should_change_password = registered.should_change_password;
                self.avatar_color = Some(registered.avatar_color);
                self.storage_label = registered.storage_label.known().cloned().flatten();
                self.quota_size_bytes = registered.quota_size_bytes;
            }
            UserEvent::Renamed(renamed) => self.name = renamed.name.known().cloned(),
            UserEvent::EmailChanged(changed) => self.email = changed.email.known().cloned(),
            UserEvent::PasswordChanged(_) => self.should_change_password = false,
            UserEvent::PasswordChangeRequired(changed) => {
                self.should_change_password = changed.required;
            }
            UserEvent::AdminGranted(UserAdminGranted {}) => self.is_admin = true,
            UserEvent::AdminRevoked(UserAdminRevoked {}) => self.is_admin = false,
            UserEvent::QuotaChanged(changed) => self.quota_size_bytes = changed.quota_size_bytes,
            UserEvent::StorageLabelChanged(changed) => {
                self.storage_label = changed.storage_label.known().cloned().flatten();
            }
            UserEvent::AvatarColorChanged(changed) => {
                self.avatar_color = Some(changed.avatar_color);
            }
            UserEvent::PinSet(_) => self.has_pin = true,
            UserEvent::PinRemoved(UserPinRemoved {}) => self.has_pin = false,
            UserEvent::PreferencesChanged(changed) => {
                lay_over(&mut self.preferences, &changed.changes);
            }
            UserEvent::PreferencesReverted(reverted) => reverted.lay_over(&mut self.preferences),
            UserEvent::ProfileImageChanged(_) => self.has_image = true,
            UserEvent::ProfileImageRemoved(UserProfileImageRemoved {}) => self.has_image = false,
            UserEvent::LicenseEntered(entered) => self.license = entered.license.known().cloned(),
            UserEvent::LicenseRemoved(UserLicenseRemoved {}) => self.license = None,
            UserEvent::Onboarded(UserOnboarded {}) => self.onboarded = true,
            UserEvent::OnboardingReset(UserOnboardingReset {}) => self.onboarded = false,
            UserEvent::Deleted(_) => self.deleted = true,
            UserEvent::Restored(UserRestored {}) => self.deleted = false,
            UserEvent::Purged(UserPurged {}) => self.purged = true,
        }
    }
}

/// Lays changes over a document, member by member.
fn lay_over(document: &mut Value, changes: &Value) {
    match (document, changes) {
        (Value::Object(document), Value::Object(changes)) => {
            for (name, change) in changes {
                lay_over(document.entry(name.clone()).or_insert(Value::Null), change);
            }
        }
        (document, change) => *document = change.clone(),
    }
}

fn is_empty(changes: &Value) -> bool {
    changes.as_object().is_none_or(serde_json::Map::is_empty)
}

cqrs_aggregate!(User, UserCommand, UserEvent, UserError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::super::event::{Profile, UserRegistered};
    use super::*;

    fn registered() -> UserEvent {
        UserEvent::Registered(UserRegistered {
            profile: Profile { email: "a@b.c".into(), name: "A".into() }.into(),
            password_hash: "hash".to_owned().into(),
            is_admin: false,
            should_change_password: true,
            avatar_color: AvatarColor::Gray,
            storage_label: None.into(),
            quota_size_bytes: None,
        })
    }

    fn change(change: ProfileChange) -> UserCommand {
        UserCommand::Change(Box::new(change))
    }

    #[test]
    fn only_what_differs_is_changed() {
        let wish = ProfileChange {
            name: Some("A".into()),
            email: Some("new@b.c".into()),
            ..ProfileChange::default()
        };
        TestFramework::<User>::with(())
            .given(vec![registered()])
            .when(change(wish))
            .then_expect_events(vec![
                UserEmailChanged { email: "new@b.c".to_owned().into() }.into(),
            ]);
    }

    #[test]
    fn new_password_may_be_asked_for_again() {
        let wish = ProfileChange {
            password_hash: Some("new".into()),
            should_change_password: Some(true),
            ..ProfileChange::default()
        };
        TestFramework::<User>::with(())
            .given(vec![registered()])
            .when(change(wish))
            .then_expect_events(vec![
                UserPasswordChanged { password_hash: "new".to_owned().into() }.into(),
                UserPasswordChangeRequired { required: true }.into(),
            ]);
    }

    #[test]
    fn registering_twice_is_refused() {
        let UserEvent::Registered(again) = registered() else { unreachable!() };
        TestFramework::<User>::with(())
            .given(vec![registered()])
            .when(UserCommand::Register(Box::new(again)))
            .then_expect_error(UserError::AlreadyExists);
    }

    fn pin_set() -> UserEvent {
        UserPinSet { pin_hash: "pin".to_owned().into() }.into()
    }

    #[test]
    fn second_pin_must_take_the_place_of_the_first() {
        TestFramework::<User>::with(())
            .given(vec![registered(), pin_set()])
            .when(UserCommand::Pin(PinWish::SetUp { pin_hash: "pin".into() }))
            .then_expect_error(UserError::PinExists);
        TestFramework::<User>::with(())
            .given(vec![registered()])
            .when(UserCommand::Pin(PinWish::Change { pin_hash: "pin".into() }))
            .then_expect_error(UserError::NoPin);
    }

    #[test]
    fn administrator_replaces_a_pin_and_locks() {
        TestFramework::<User>::with(())
            .given(vec![registered(), pin_set()])
            .when(UserCommand::Pin(PinWish::Overrule { pin_hash: "pin".into() }))
            .then_expect_events(vec![UserPinRemoved {}.into(), pin_set()]);
    }

    #[test]
    fn removing_a_pin_twice_happens_once() {
        TestFramework::<User>::with(())
            .given(vec![registered(), pin_set(), UserPinRemoved {}.into()])
            .when(UserCommand::Pin(PinWish::Remove))
            .then_expect_events(vec![]);
    }

    #[test]
    fn deleted_user_can_be_restored() {
        TestFramework::<User>::with(())
            .given(vec![registered(), UserDeleted { force: false }.into()])
            .when(UserCommand::Restore)
            .then_expect_events(vec![UserRestored {}.into()]);
    }

    #[test]
    fn deleted_user_goes_for_good() {
        for force in [false, true] {
            TestFramework::<User>::with(())
                .given(vec![registered(), UserDeleted { force }.into()])
                .when(UserCommand::Purge)
                .then_expect_events(vec![UserPurged {}.into()]);
        }
    }

    #[test]
    fn user_who_was_never_deleted_or_is_restored_does_not_go_for_good() {
        let restored = vec![UserDeleted { force: true }.into(), UserRestored {}.into()];
        for since in [vec![], restored] {
            TestFramework::<User>::with(())
                .given([vec![registered()], since].concat())
                .when(UserCommand::Purge)
                .then_expect_error(UserError::NotDeleted);
        }
    }

    #[test]
    fn user_who_is_gone_for_good_does_not_go_again() {
        TestFramework::<User>::with(())
            .given(vec![registered(), UserDeleted { force: true }.into(), UserPurged {}.into()])
            .when(UserCommand::Purge)
            .then_expect_error(UserError::NotFound);
    }

    #[test]
    fn purged_user_is_not_found() {
        TestFramework::<User>::with(())
            .given(vec![registered(), UserPurged {}.into()])
            .when(UserCommand::Restore)
            .then_expect_error(UserError::NotFound);
    }
}
