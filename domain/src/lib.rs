//! What can happen in Calotype: aggregates, the commands they take and the events they decide.
//!
//! This room is pure.
//! It reads no clock, draws no random number, does no I/O and knows no other room:
//! what a decision needs (`now`, a fresh id, a password's hash) comes in with the command.
//!
//! Aggregates, one folder each:
//!
//! | aggregate | stream | what it stands for |
//! |---|---|---|
//! | [`asset`] | `asset-<uuid>` | one photo or film, from upload to purge |
//! | [`album`] | `album-<uuid>` | an album: what is in it, and who has which part in it |
//! | [`activity`] | `activity-<uuid>` | a comment or a like in an album |
//! | [`partner`] | `partner-<uuid>` | one person shares their timeline with another |
//! | [`person`] | `person-<uuid>` | somebody who is on photos |
//! | [`faces`] | `faces-<asset uuid>` | the faces on one photo, as models found them and people decided |
//! | [`user`] | `user-<uuid>` | an account with its preferences |
//! | [`session`] | `session-<uuid>` | one login of a device |
//! | [`api_key`] | `api_key-<uuid>` | a key with permissions |
//! | [`tag`] | `tag-<uuid>` | a word of a person's hierarchy of tags |
//! | [`stack`] | `stack-<uuid>` | several assets of one owner that show as one |
//! | [`integrity`] | `integrity-<check>` | a check of the stored files, asked for and done |
//! | [`library`] | `library-<uuid>` | folders outside whose files are assets |
//! | [`batch`] | `batch-<uuid>` | files that were taken in together, and can be taken back together |
//! | [`memory`] | `memory-<uuid>` | assets of the same day in an earlier year |
//! | [`reservation`] | `reservation-<hmac>` | a value that must be unique |
//! | [`shared_link`] | `shared_link-<uuid>` | a link that anybody may hold |
//! | [`link_view`] | `link_view-<uuid>` | one visitor's hour with a link |
//! | [`admin_view`] | `admin_view-<uuid>` | one hour in which an administrator looked at what is another's |
//! | [`hold`] | `hold-register` | what must not be deleted for good |
//! | [`erasure`] | `erasure-receipts` | what was forgotten for good, with a receipt |
//! | [`config`] | `config-server` | settings, first steps and product key of the server |
//! | [`notification`] | `notification-<uuid>` | something a person is told |
//! | [`queue`] | `queue-<name>` | a work queue people may pause and re-run |
//! | [`trial`] | `model_trial-<uuid>`, `asset_trial-<asset uuid>` | a model that is tried, and what it says of one asset |
//!
//! Words used here and everywhere: *aggregate*, *command*, *event*, *stream*, *revision*.

pub mod access;
pub mod activity;
pub mod admin_view;
pub mod album;
pub mod api_key;
pub mod asset;
pub mod batch;
pub mod catalogue;
pub mod clock;
pub mod config;
pub mod erasure;
pub mod event;
pub mod faces;
pub mod hold;
pub mod id;
pub mod integrity;
pub mod library;
pub mod license;
pub mod link_view;
pub mod memory;
pub mod model;
pub mod model_task;
pub mod notification;
pub mod partner;
pub mod permission;
pub mod person;
pub mod queue;
pub mod reservation;
pub mod sealed;
pub mod session;
pub mod shared_link;
pub mod stack;
pub mod tag;
pub mod trial;
pub mod undo;
pub mod user;

pub use clock::{Clock, IdGen};
pub use event::{Aggregate, DecodeError, DomainEvent, EventPayload, RawEvent};
pub use id::{
    ActivityId, AlbumId, ApiKeyId, AssetId, BatchId, CommandId, DuplicateId, EditId, ErasureId,
    EventId, FaceId, LibraryId, MemoryId, NotificationId, PartnerId, PersonId, SessionId,
    SharedLinkId, StackId, TagId, UserId,
};
pub use model_task::ModelTask;
pub use sealed::Sealed;
