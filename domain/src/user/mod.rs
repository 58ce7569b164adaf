//! An account: who it is, what it prefers, whether it still exists.

mod aggregate;
mod command;
mod error;
mod event;
mod undo;

pub use aggregate::User;
pub use command::{PinWish, ProfileChange, UserCommand};
pub use error::UserError;
pub use event::{
    AvatarColor, Profile, ProfileImage, UserAdminGranted, UserAdminRevoked, UserAvatarColorChanged,
    UserDeleted, UserEmailChanged, UserEvent, UserOnboarded, UserOnboardingReset,
    UserPasswordChangeRequired, UserPasswordChanged, UserPinRemoved, UserPinSet,
    UserPreferencesChanged, UserPreferencesReverted, UserProfileImageChanged,
    UserProfileImageRemoved, UserPurged, UserQuotaChanged, UserRegistered, UserRenamed,
    UserRestored, UserStorageLabelChanged,
};
pub(crate) use undo::WAYS;
