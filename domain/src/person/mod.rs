//! Somebody who is on photos: named, dated, hidden, merged with themselves, deleted.

mod aggregate;
mod command;
mod error;
mod event;
mod undo;

pub use aggregate::Person;
pub use command::{PersonCommand, PersonDetails};
pub use error::PersonError;
pub use event::{
    FeatureFace, PersonBirthDateChanged, PersonColorChanged, PersonCreated, PersonDeleted,
    PersonEvent, PersonFavorited, PersonFeatureFaceChosen, PersonFeatureFaceReset, PersonHidden,
    PersonMergedInto, PersonNamed, PersonRestored, PersonShown, PersonThumbnailFailed,
    PersonThumbnailRecorded, PersonUnfavorited, PersonsMerged, PersonsParted,
};
pub(crate) use undo::WAYS;
