//! What a person may be asked.

use chrono::NaiveDate;

use super::event::{PersonCreated, PersonThumbnailFailed, PersonThumbnailRecorded};
use crate::id::{AssetId, FaceId, PersonId, UserId};

/// What somebody changes about a person in one go; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonDetails {
    /// What they are called; empty for nothing.
    pub name: Option<String>,
    /// When they were born; `Some(None)` takes it back.
    pub birth_date: Option<Option<NaiveDate>>,
    /// Whether they are left out of lists.
    pub hidden: Option<bool>,
    /// Whether they come first in lists.
    pub favorite: Option<bool>,
    /// Their colour; `Some(None)` takes it away.
    pub color: Option<Option<String>>,
}

/// A wish about one person.
#[derive(Clone, Debug, PartialEq)]
pub enum PersonCommand {
    /// Tell somebody apart.
    Create {
        /// Who they are.
        created: Box<PersonCreated>,
        /// The day of the wish, UTC.
        today: NaiveDate,
    },
    /// Change what may be changed.
    Change {
        /// Who wishes it.
        by: UserId,
        /// What changes.
        details: Box<PersonDetails>,
        /// The day of the wish, UTC.
        today: NaiveDate,
    },
    /// Let a face stand for them; that it is theirs was looked up.
    ChooseFeatureFace {
        /// Who wishes it.
        by: UserId,
        /// The photo.
        asset_id: AssetId,
        /// The face on it.
        face_id: FaceId,
    },
    /// Take over somebody who is the same. Name and day of birth are taken over where there is none yet.
    Absorb {
        /// Who wishes it.
        by: UserId,
        /// Who is the same.
        person_id: PersonId,
        /// What they are called.
        name: Option<String>,
        /// When they were born.
        birth_date: Option<NaiveDate>,
    },
    /// Be somebody else; the other side of [`PersonCommand::Absorb`].
    MergeInto {
        /// Who wishes it.
        by: UserId,
        /// Who they are.
        into_id: PersonId,
    },
    /// Be nobody any more.
    Delete {
        /// Who wishes it.
        by: UserId,
    },
    /// A processor made their picture.
    RecordThumbnail(Box<PersonThumbnailRecorded>),
    /// A processor gave up on their picture.
    RecordThumbnailFailure(Box<PersonThumbnailFailed>),
}
