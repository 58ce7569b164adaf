//! The events of a person. A published shape never changes; see [`crate::event`].

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::asset::{DerivedImage, ProcessorRef};
use crate::event::events;
use crate::id::{AssetId, FaceId, PersonId, UserId};
use crate::sealed::Sealed;

/// Somebody was told apart from others, by a person or by a run of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonCreated {
    /// In whose library.
    pub owner_id: UserId,
    /// What they are called; empty for nobody knows.
    pub name: Sealed<String>,
    /// When they were born.
    pub birth_date: Sealed<Option<NaiveDate>>,
    /// Whether they are left out of lists.
    pub is_hidden: bool,
    /// Whether they come first in lists.
    pub is_favorite: bool,
    /// A colour, as the client wrote it: `#rgb`, `#rgba`, `#rrggbb` or `#rrggbbaa`.
    pub color: Option<String>,
}

/// They got a name, or another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonNamed {
    /// The name; empty for none.
    pub name: Sealed<String>,
}

/// Their day of birth was told, or taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonBirthDateChanged {
    /// The day.
    pub birth_date: Sealed<Option<NaiveDate>>,
}

/// They are left out of lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonHidden {}

/// They are in lists again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonShown {}

/// They come first in lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonFavorited {}

/// They come among the others again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonUnfavorited {}

/// They got a colour, or none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonColorChanged {
    /// The colour.
    pub color: Option<String>,
}

/// A person chose the face that stands for them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonFeatureFaceChosen {
    /// The photo.
    pub asset_id: AssetId,
    /// The face on it.
    pub face_id: FaceId,
}

/// Somebody else turned out to be the same; told on the stream of the one who stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonsMerged {
    /// Who is no longer told apart.
    pub absorbed_id: PersonId,
}

/// They turned out to be somebody else; told on the stream of the one who goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonMergedInto {
    /// Who they are.
    pub into_id: PersonId,
}

/// They are nobody any more: faces said to be theirs are nobody's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonDeleted {}

/// Nobody chooses the face that stands for them any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonFeatureFaceReset {}

/// They are told apart again: a merge or a deletion was taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonRestored {
    /// In whose library.
    pub owner_id: UserId,
    /// What they are called; empty for nobody knows.
    pub name: Sealed<String>,
    /// When they were born.
    pub birth_date: Sealed<Option<NaiveDate>>,
    /// Whether they are left out of lists.
    pub is_hidden: bool,
    /// Whether they come first in lists.
    pub is_favorite: bool,
    /// Their colour.
    pub color: Option<String>,
    /// The face that a person chose to stand for them.
    pub feature_face: Option<FeatureFace>,
    /// When they were first told apart.
    pub created_at: DateTime<Utc>,
    /// Everybody who turned out to be them before, and so is again.
    pub stand_for: Vec<PersonId>,
}

/// A face that stands for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeatureFace {
    /// The photo.
    pub asset_id: AssetId,
    /// The face on it.
    pub face_id: FaceId,
}

/// Somebody is told apart from them again; told on the stream of the one who had stayed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonsParted {
    /// Who is told apart again.
    pub absorbed_id: PersonId,
}

/// A picture of the face that stands for them was cut out of a photo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonThumbnailRecorded {
    /// Which program made it.
    pub processor: ProcessorRef,
    /// The face; none for a picture that shows no face of the library.
    pub face_id: Option<FaceId>,
    /// BLAKE3 of the original of the photo; empty where there is none.
    pub input_blake3: String,
    /// The picture.
    pub image: DerivedImage,
}

/// No picture could be made of the face; it is not tried again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonThumbnailFailed {
    /// Which program gave up.
    pub processor: ProcessorRef,
    /// The face.
    pub face_id: FaceId,
    /// A short code, as of `AssetProcessingFailed`.
    pub code: String,
    /// Why, for a person; holds no names.
    pub reason: String,
}

events! {
    /// Everything that can have happened to a person.
    PersonEvent for "person" {
        BirthDateChanged(PersonBirthDateChanged) 1,
        ColorChanged(PersonColorChanged) 1,
        Created(PersonCreated) 1,
        Deleted(PersonDeleted) 1,
        Favorited(PersonFavorited) 1,
        FeatureFaceChosen(PersonFeatureFaceChosen) 1,
        FeatureFaceReset(PersonFeatureFaceReset) 1,
        Hidden(PersonHidden) 1,
        Merged(PersonsMerged) 1,
        MergedInto(PersonMergedInto) 1,
        Named(PersonNamed) 1,
        Parted(PersonsParted) 1,
        Restored(PersonRestored) 1,
        Shown(PersonShown) 1,
        ThumbnailFailed(PersonThumbnailFailed) 1,
        ThumbnailRecorded(PersonThumbnailRecorded) 1,
        Unfavorited(PersonUnfavorited) 1,
    }
}
