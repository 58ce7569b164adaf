//! A newtype for every kind of id, so that an album's id cannot be passed for an asset's.
//!
//! Ids that clients see are UUIDs of version 4, because Immich's clients check for it;
//! they come from an id generator in the caller, never from here.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that is known to name this kind of thing.
            #[must_use]
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bare UUID, for storage.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }
    )+};
}

ids! {
    /// A comment or a like.
    ActivityId,
    /// An album.
    AlbumId,
    /// An API key.
    ApiKeyId,
    /// A photo or film.
    AssetId,
    /// Files that were taken in together.
    BatchId,
    /// One command; event ids are derived from it. Version 7.
    CommandId,
    /// A group of assets that show the same.
    DuplicateId,
    /// One edit of a photo.
    EditId,
    /// The forgetting of somebody or something for good.
    ErasureId,
    /// One event. Version 5, derived from the command's id and the event's place in it.
    EventId,
    /// A sharing of somebody's timeline with somebody.
    PartnerId,
    /// A face on a photo.
    FaceId,
    /// Somebody who is on photos.
    PersonId,
    /// Something a person is told.
    NotificationId,
    /// An external library.
    LibraryId,
    /// A memory.
    MemoryId,
    /// A login of a device.
    SessionId,
    /// A shared link.
    SharedLinkId,
    /// A stack of assets.
    StackId,
    /// A tag.
    TagId,
    /// An account.
    UserId,
}
