//! What of a batch of events is told, before anything is looked up. Whose sockets are closed says `cutter`.

use calotype_domain::album::AlbumEvent;
use calotype_domain::asset::{AssetEvent, Visibility};
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::config::ConfigEvent;
use calotype_domain::notification::NotificationEvent;
use calotype_domain::person::PersonEvent;
use calotype_domain::user::UserEvent;
use calotype_projections::Event;
use moka::sync::Cache;
use uuid::Uuid;

/// Uploads whose pictures are waited for at once; of more, the oldest are told only by chance of order.
const UPLOADS_WAITING_MAX: u64 = 200_000;
/// A second event of an asset at the latest is its metadata, a third its pictures.
const FIRST_PICTURES_REVISION_MAX: i64 = 2;

/// One thing to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// An uploaded asset has its pictures.
    Ready(Uuid),
    /// A photo shows as edited, or as its file has it again.
    EditReady(Uuid),
    /// An asset went into the trash.
    Trashed(Uuid),
    /// An asset came out of the trash.
    Restored(Uuid),
    /// An asset is gone.
    Deleted(Uuid),
    /// An asset is hidden.
    Hidden(Uuid),
    /// What people say about an asset is not what it was.
    Updated(Uuid),
    /// What is in an album, or who, is not what it was.
    AlbumChanged(Uuid),
    /// A person has a picture, or another one.
    PersonPictured(Uuid),
    /// A stack changed.
    StackChanged(Uuid),
    /// An account is gone.
    UserDeleted(Uuid),
    /// Settings of the server changed.
    ConfigChanged,
    /// A person was told something.
    Notified {
        /// Who.
        user_id: Uuid,
        /// What.
        notification_id: Uuid,
    },
}

/// Whether everybody in an album hears of it.
fn changes_album(what: &AlbumEvent) -> bool {
    match what {
        AlbumEvent::AssetsAdded(_)
        | AlbumEvent::AssetsRemoved(_)
        | AlbumEvent::CoverChosen(_)
        | AlbumEvent::CoverReset(_)
        | AlbumEvent::Restored(_)
        | AlbumEvent::DescriptionChanged(_)
        | AlbumEvent::Renamed(_)
        | AlbumEvent::UserAdded(_)
        | AlbumEvent::UserRemoved(_)
        | AlbumEvent::UserRoleChanged(_) => true,
        AlbumEvent::ActivityDisabled(_)
        | AlbumEvent::ActivityEnabled(_)
        | AlbumEvent::Created(_)
        | AlbumEvent::Deleted(_)
        | AlbumEvent::OrderChanged(_)
        | AlbumEvent::Purged(_) => false,
    }
}

/// Whether whoever looks at an asset would see that something about it changed: what Immich writes into a
/// file beside it, and tells of when it has read that again.
const fn changes_words(what: &AssetEvent) -> bool {
    matches!(
        what,
        AssetEvent::DateChanged(_)
            | AssetEvent::DateReverted(_)
            | AssetEvent::DescriptionChanged(_)
            | AssetEvent::DescriptionReverted(_)
            | AssetEvent::FilmLinked(_)
            | AssetEvent::FilmUnlinked(_)
            | AssetEvent::LocationChanged(_)
            | AssetEvent::LocationReverted(_)
            | AssetEvent::RatingChanged(_)
            | AssetEvent::RatingReverted(_)
            | AssetEvent::Tagged(_)
            | AssetEvent::Untagged(_)
    )
}

/// Knows which uploads still wait for their pictures.
#[derive(Clone)]
pub(super) struct Waiting(Cache<Uuid, ()>);

impl Default for Waiting {
    fn default() -> Self {
        Self(Cache::new(UPLOADS_WAITING_MAX))
    }
}

impl Waiting {
    /// Sorts out what of a batch is told.
    pub(super) fn sort_out(&self, events: &[Event]) -> Vec<Told> {
        events.iter().filter_map(|event| self.one(event)).collect()
    }

    fn one(&self, event: &Event) -> Option<Told> {
        match &event.what {
            AnyEvent::Asset(AssetEvent::Uploaded(_)) => {
                self.0.insert(event.key, ());
                None
            }
            // Pictures that are made again later are no news.
            AnyEvent::Asset(AssetEvent::ThumbnailsRecorded(_)) => {
                let first = self.0.remove(&event.key).is_some()
                    || event.revision <= FIRST_PICTURES_REVISION_MAX;
                first.then_some(Told::Ready(event.key))
            }
            AnyEvent::Asset(
                AssetEvent::EditedPicturesRecorded(_) | AssetEvent::EditsRemoved(_),
            ) => Some(Told::EditReady(event.key)),
            AnyEvent::Asset(AssetEvent::Trashed(_)) => Some(Told::Trashed(event.key)),
            AnyEvent::Asset(AssetEvent::Restored(_)) => Some(Told::Restored(event.key)),
            AnyEvent::Asset(AssetEvent::Purged(_)) => Some(Told::Deleted(event.key)),
            AnyEvent::Asset(AssetEvent::VisibilityChanged(changed)) => {
                (changed.visibility == Visibility::Hidden).then_some(Told::Hidden(event.key))
            }
            AnyEvent::Asset(what) => changes_words(what).then_some(Told::Updated(event.key)),
            AnyEvent::Person(PersonEvent::ThumbnailRecorded(_)) => {
                Some(Told::PersonPictured(event.key))
            }
            AnyEvent::Stack(_) => Some(Told::StackChanged(event.key)),
            AnyEvent::User(UserEvent::Purged(_)) => Some(Told::UserDeleted(event.key)),
            AnyEvent::Album(what) => changes_album(what).then_some(Told::AlbumChanged(event.key)),
            AnyEvent::Config(
                ConfigEvent::Changed(_)
                | ConfigEvent::ModelRolledBack(_)
                | ConfigEvent::ModelSwitched(_)
                | ConfigEvent::SecretsChanged(_),
            ) => Some(Told::ConfigChanged),
            AnyEvent::Notification(NotificationEvent::Sent(sent)) => {
                Some(Told::Notified { user_id: sent.user_id.uuid(), notification_id: event.key })
            }
            AnyEvent::Activity(_)
            | AnyEvent::AdminView(_)
            | AnyEvent::ApiKey(_)
            | AnyEvent::AssetTrial(_)
            | AnyEvent::ModelTrial(_)
            | AnyEvent::Batch(_)
            | AnyEvent::Erasure(_)
            | AnyEvent::Hold(_)
            | AnyEvent::Partner(_)
            | AnyEvent::Faces(_)
            | AnyEvent::Person(_)
            | AnyEvent::Integrity(_)
            | AnyEvent::Library(_)
            | AnyEvent::LinkView(_)
            | AnyEvent::Config(_)
            | AnyEvent::Notification(_)
            | AnyEvent::Queue(_)
            | AnyEvent::Reservation(_)
            | AnyEvent::Session(_)
            | AnyEvent::SharedLink(_)
            | AnyEvent::Memory(_)
            | AnyEvent::Tag(_)
            | AnyEvent::User(_) => None,
        }
    }
}
