//! Every event of every aggregate: decoding by stream, and the list that the published schemas are made from.

use schemars::Schema;

use crate::activity::ActivityEvent;
use crate::admin_view::AdminViewEvent;
use crate::album::AlbumEvent;
use crate::api_key::ApiKeyEvent;
use crate::asset::AssetEvent;
use crate::batch::BatchEvent;
use crate::config::ConfigEvent;
use crate::erasure::ErasureEvent;
use crate::event::{DecodeError, DomainEvent};
use crate::faces::FacesEvent;
use crate::hold::HoldEvent;
use crate::integrity::IntegrityEvent;
use crate::library::LibraryEvent;
use crate::link_view::LinkViewEvent;
use crate::memory::MemoryEvent;
use crate::notification::NotificationEvent;
use crate::partner::PartnerEvent;
use crate::person::PersonEvent;
use crate::queue::QueueEvent;
use crate::reservation::ReservationEvent;
use crate::session::SessionEvent;
use crate::shared_link::SharedLinkEvent;
use crate::stack::StackEvent;
use crate::tag::TagEvent;
use crate::trial::{AssetTrialEvent, ModelTrialEvent};
use crate::user::UserEvent;

macro_rules! catalogue {
    ($($variant:ident($event:ty)),+ $(,)?) => {
        /// An event of any aggregate.
        #[derive(Clone, Debug, PartialEq)]
        pub enum AnyEvent {
            $(
                #[doc = concat!("An event of the aggregate of [`", stringify!($event), "`].")]
                $variant($event),
            )+
        }

        /// Decodes an event by the aggregate its stream belongs to.
        ///
        /// # Errors
        /// See [`DomainEvent::from_raw`]; an unknown aggregate is an unknown type.
        pub fn decode(
            aggregate: &str,
            event_type: &str,
            version: u16,
            payload: &str,
        ) -> Result<AnyEvent, DecodeError> {
            $(if aggregate == <$event as DomainEvent>::AGGREGATE {
                return <$event as DomainEvent>::from_raw(event_type, version, payload).map(AnyEvent::$variant);
            })+
            Err(DecodeError::UnknownType { aggregate: "any", event_type: event_type.to_owned() })
        }

        /// Name, newest version and JSON Schema of every event, by aggregate.
        #[must_use]
        pub fn schemas() -> Vec<(&'static str, &'static str, u16, Schema)> {
            let mut all = Vec::new();
            $(for (event_type, version, schema) in <$event as DomainEvent>::schemas() {
                all.push((<$event as DomainEvent>::AGGREGATE, event_type, version, schema));
            })+
            all
        }
    };
}

catalogue! {
    Activity(ActivityEvent),
    AdminView(AdminViewEvent),
    Album(AlbumEvent),
    ApiKey(ApiKeyEvent),
    Asset(AssetEvent),
    AssetTrial(AssetTrialEvent),
    Batch(BatchEvent),
    Erasure(ErasureEvent),
    Hold(HoldEvent),
    Partner(PartnerEvent),
    Faces(FacesEvent),
    Person(PersonEvent),
    Integrity(IntegrityEvent),
    Library(LibraryEvent),
    LinkView(LinkViewEvent),
    Config(ConfigEvent),
    Notification(NotificationEvent),
    Queue(QueueEvent),
    Reservation(ReservationEvent),
    Session(SessionEvent),
    SharedLink(SharedLinkEvent),
    Memory(MemoryEvent),
    ModelTrial(ModelTrialEvent),
    Stack(StackEvent),
    Tag(TagEvent),
    User(UserEvent),
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn event_names_are_unique_in_the_library() {
        let all = schemas();
        let names: BTreeSet<_> = all.iter().map(|(_, event_type, ..)| *event_type).collect();
        assert_eq!(names.len(), all.len());
    }

    #[test]
    fn event_from_the_future_is_refused() {
        let error = decode("asset", "AssetFavorited", 99, "{}").unwrap_err();
        assert!(matches!(error, DecodeError::FromTheFuture { found: 99, .. }));
    }

    #[test]
    fn unknown_aggregate_is_refused() {
        decode("castle", "CastleBuilt", 1, "{}").unwrap_err();
    }
}
