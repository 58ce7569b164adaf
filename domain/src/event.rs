//! What every event and every aggregate of this room can do, and how stored events are decoded.
//!
//! A published event never changes its shape: a new shape is a new version, and an upcaster climbs from
//! the old one (`v1 -> v2 -> v3`). Only the newest version exists as a Rust struct.

use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The payload of one type of event, in its newest version.
pub trait EventPayload: Serialize + DeserializeOwned + JsonSchema {
    /// Its name, `<Aggregate><PastTense>`, unique in the library and never reused.
    const TYPE: &'static str;
    /// Its newest version, from 1.
    const VERSION: u16;
}

/// One step of an upcaster: the payload of version `n` to that of version `n + 1`. Pure and total.
pub type Upcaster = fn(Value) -> Value;

/// An event as it is stored: a name, a version and JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct RawEvent {
    /// The event's name, for instance `AssetFavorited`.
    pub event_type: String,
    /// The version of the payload's shape.
    pub version: u16,
    /// The payload, with `$seal` marks round personal values.
    pub payload: Value,
}

/// What an enum of events of one aggregate can do; made by the `events!` macro.
pub trait DomainEvent: Sized {
    /// The name of the aggregate whose events these are, also the prefix of its streams.
    const AGGREGATE: &'static str;

    /// Name and version of this event.
    fn kind(&self) -> (&'static str, u16);

    /// The event as it is stored.
    ///
    /// # Errors
    /// When the payload cannot be written as JSON.
    fn to_raw(&self) -> Result<RawEvent, DecodeError>;

    /// Reads a stored event out of its JSON, climbing over the upcasters where its version is old.
    ///
    /// # Errors
    /// [`DecodeError::UnknownType`] for a name that is not of this aggregate,
    /// [`DecodeError::FromTheFuture`] for a version newer than this code,
    /// [`DecodeError::Payload`] when the JSON does not fit the shape.
    fn from_raw(event_type: &str, version: u16, payload: &str) -> Result<Self, DecodeError>;

    /// Name, newest version and JSON Schema of every event of the aggregate.
    fn schemas() -> Vec<(&'static str, u16, Schema)>;
}

/// An aggregate: a pure function from past events and a command to new events.
pub trait Aggregate: Clone + Default + Send + Sync + 'static {
    /// What it may be asked.
    type Command: Send + Sync;
    /// What it may say.
    type Event: DomainEvent + Clone + Send + Sync;
    /// How it may refuse.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Decides; an empty list means that the wish already holds.
    ///
    /// # Errors
    /// The aggregate's own refusals.
    fn decide(&self, command: &Self::Command) -> Result<Vec<Self::Event>, Self::Error>;

    /// Takes in one event. Total: it never fails, whatever the order.
    fn evolve(&mut self, event: &Self::Event);
}

/// Why a stored event could not be read, or a new one not be written.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The name belongs to no event of this aggregate.
    #[error("unknown event type {event_type} in aggregate {aggregate}")]
    UnknownType {
        /// The aggregate asked.
        aggregate: &'static str,
        /// The name found.
        event_type: String,
    },
    /// Written by a newer release: the reader must stop.
    #[error("{event_type} has version {found}, newer than {newest}: written by a newer release")]
    FromTheFuture {
        /// The event's name.
        event_type: &'static str,
        /// The version found.
        found: u16,
        /// The newest version this code knows.
        newest: u16,
    },
    /// The JSON does not fit the shape.
    #[error("payload of {event_type} version {version} does not fit its shape")]
    Payload {
        /// The event's name.
        event_type: &'static str,
        /// The version found.
        version: u16,
        /// What serde said.
        source: serde_json::Error,
    },
}

/// Climbs from `version` to the newest and decodes. Used by the `events!` macro.
///
/// # Errors
/// See [`DomainEvent::from_raw`].
pub fn decode<P: EventPayload>(
    version: u16,
    payload: &str,
    upcasters: &[Upcaster],
) -> Result<P, DecodeError> {
    if version > P::VERSION {
        return Err(DecodeError::FromTheFuture {
            event_type: P::TYPE,
            found: version,
            newest: P::VERSION,
        });
    }
    let steps = upcasters.get(usize::from(version.saturating_sub(1))..).unwrap_or_default();
    let decoded = if steps.is_empty() {
        serde_json::from_str(payload)
    } else {
        serde_json::from_str(payload).and_then(|old: Value| {
            serde_json::from_value(steps.iter().fold(old, |payload, upcast| upcast(payload)))
        })
    };
    decoded.map_err(|source| DecodeError::Payload { event_type: P::TYPE, version, source })
}

/// Makes the enum of an aggregate's events out of its payload structs.
///
/// `events! { AssetEvent for "asset" { Favorited(AssetFavorited) 1, … } }`: variant, payload, version;
/// a list of upcasters may follow the version in brackets.
macro_rules! events {
    ($(#[$doc:meta])* $name:ident for $aggregate:literal {
        $($variant:ident($payload:ident) $version:literal $([$($upcast:path),*])?),+ $(,)?
    }) => {
        $(impl $crate::event::EventPayload for $payload {
            const TYPE: &'static str = stringify!($payload);
            const VERSION: u16 = $version;
        })+

        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $(
                #[doc = concat!("See `", stringify!($payload), "`.")]
                $variant($payload),
            )+
        }

        $(impl From<$payload> for $name {
            fn from(payload: $payload) -> Self {
                Self::$variant(payload)
            }
        })+

        impl $crate::event::DomainEvent for $name {
            const AGGREGATE: &'static str = $aggregate;

            fn kind(&self) -> (&'static str, u16) {
                match self {
                    $(Self::$variant(_) => (
                        <$payload as $crate::event::EventPayload>::TYPE,
                        <$payload as $crate::event::EventPayload>::VERSION,
                    ),)+
                }
            }

            fn to_raw(&self) -> Result<$crate::event::RawEvent, $crate::event::DecodeError> {
                let (event_type, version) = self.kind();
                let payload = match self {
                    $(Self::$variant(payload) => serde_json::to_value(payload),)+
                }
                .map_err(|source| $crate::event::DecodeError::Payload { event_type, version, source })?;
                Ok($crate::event::RawEvent { event_type: event_type.to_owned(), version, payload })
            }

            fn from_raw(
                event_type: &str,
                version: u16,
                payload: &str,
            ) -> Result<Self, $crate::event::DecodeError> {
                match event_type {
                    $(stringify!($payload) => {
                        $crate::event::decode::<$payload>(version, payload, &[$($($upcast),*)?])
                            .map(Self::$variant)
                    })+
                    other => Err($crate::event::DecodeError::UnknownType {
                        aggregate: $aggregate,
                        event_type: other.to_owned(),
                    }),
                }
            }

            fn schemas() -> Vec<(&'static str, u16, schemars::Schema)> {
                vec![$((
                    stringify!($payload),
                    $version,
                    schemars::schema_for!($payload),
                ),)+]
            }
        }

        impl cqrs_es::DomainEvent for $name {
            fn event_type(&self) -> String {
                $crate::event::DomainEvent::kind(self).0.to_owned()
            }

            fn event_version(&self) -> String {
                $crate::event::DomainEvent::kind(self).1.to_string()
            }
        }
    };
}
pub(crate) use events;

/// Gives a type that has `decide` and `evolve` cqrs-es's `Aggregate`, for its `TestFramework`.
macro_rules! cqrs_aggregate {
    ($aggregate:ty, $command:ty, $event:ty, $error:ty) => {
        impl cqrs_es::Aggregate for $aggregate {
            const TYPE: &'static str = <$event as $crate::event::DomainEvent>::AGGREGATE;
            type Command = $command;
            type Event = $event;
            type Error = $error;
            type Services = ();

            async fn handle(
                &mut self,
                command: Self::Command,
                _services: &Self::Services,
                sink: &cqrs_es::event_sink::EventSink<Self>,
            ) -> Result<(), Self::Error> {
                for event in $crate::event::Aggregate::decide(self, &command)? {
                    sink.write(event, self).await;
                }
                Ok(())
            }

            fn apply(&mut self, event: Self::Event) {
                $crate::event::Aggregate::evolve(self, &event);
            }
        }
    };
}
pub(crate) use cqrs_aggregate;
