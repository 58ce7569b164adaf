//! Somebody who is on photos: named, dated, hidden, merged with themselves, deleted.

mod aggregate;
mod command;
mod error;
mod event;

pub use aggregate::Person;
pub use command::{PersonCommand, PersonDetails};
pub use error::PersonError;
pub use event::{
    PersonBirthDateChanged, PersonColorChanged, PersonCreated, PersonDeleted, PersonEvent,
    PersonFavorited, PersonFeatureFaceChosen, PersonHidden, PersonMergedInto, PersonNamed,
    PersonShown, PersonThumbnailFailed, PersonThumbnailRecorded, PersonUnfavorited, PersonsMerged,
};
