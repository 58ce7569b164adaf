//! What the rules of an asset remember of its events, and what others may ask of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::derived::DerivedFile;
use super::edit::Editing;
use super::encoded::AssetVideoEncoded;
use super::error::AssetError;
use super::event::AssetPlaceFound;
use super::external::ExternalFile;
use super::live::{EmbeddedFilm, LiveParts};
use super::organize::Organized;
use super::places::Places;
use super::sidecar::Sidecar;
use super::text::TextReader;
use super::undo::Words;
use super::values::{Blob, DerivedImage, Position, ProcessorRef, Stage, Visibility};
use crate::id::{AssetId, DuplicateId, StackId, TagId, UserId};
use crate::model::ModelRef;

/// How far a step of processing got, and for which input and program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) processor: ProcessorRef,
    pub(super) input_blake3: String,
    pub(super) failed: bool,
}

/// One photo or film, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Asset {
    pub(super) owner_id: Option<UserId>,
    pub(super) original_blake3: String,
    pub(super) is_film: bool,
    pub(super) favorite: bool,
    pub(super) visibility: Visibility,
    /// What the file says about itself.
    pub(super) file: Words,
    /// What a person said over it.
    pub(super) person: Words,
    /// What its position was found to lie in last.
    pub(super) place: Option<AssetPlaceFound>,
    pub(super) trashed: bool,
    pub(super) purged: bool,
    pub(super) organized: Organized,
    pub(super) editing: Editing,
    /// Which of thumbnail and preview are there.
    pub(super) pictures: BTreeSet<DerivedFile>,
    pub(super) full_size: Option<DerivedImage>,
    pub(super) beside: Sidecar,
    pub(super) live: LiveParts,
    /// The file of an external library that it is.
    pub(super) external: Option<ExternalFile>,
    /// The copy that every player shows.
    pub(super) encoded: Option<AssetVideoEncoded>,
    /// The model whose vector of it is known.
    #[serde(default)]
    pub(super) embedded: Option<ModelRef>,
    /// Who read its text that is known.
    #[serde(default)]
    pub(super) text_reader: Option<TextReader>,
    /// The model that has looked for faces.
    #[serde(default)]
    pub(super) searched_by: Option<ModelRef>,
    /// Where its files lie.
    pub(super) places: Places,
    pub(super) done: BTreeMap<Stage, Done>,
    pub(super) requested: Vec<Stage>,
}

impl Asset {
    /// Whose it is, while it exists.
    #[must_use]
    pub fn owner_id(&self) -> Option<UserId> {
        if self.purged { None } else { self.owner_id }
    }

    /// Whether it is or was somebody's, also once it is deleted for good.
    #[must_use]
    pub fn was_of(&self, user_id: UserId) -> bool {
        self.owner_id == Some(user_id)
    }

    /// Whether a step still has to be done by this program for the file as it is.
    #[must_use]
    pub fn wants(&self, stage: Stage, processor: &ProcessorRef) -> bool {
        self.owner_id().is_some()
            && (stage != Stage::Edits || !self.editing.edits().is_empty())
            && (self.requested.contains(&stage)
                || self.done.get(&stage).is_none_or(|done| {
                    done.processor.version < processor.version
                        || done.input_blake3 != self.original_blake3
                }))
    }

    /// Whether somebody may say who is on it.
    ///
    /// # Errors
    /// [`AssetError::NotFound`], [`AssetError::NotOwner`].
    pub fn may_be_tagged(&self, by: UserId) -> Result<(), AssetError> {
        self.owned_by(by)
    }

    /// Where a person says it was taken; it stands above what the file says.
    #[must_use]
    pub fn position_by_person(&self) -> Option<Position> {
        self.person.position
    }

    /// Whether it is in the trash.
    #[must_use]
    pub fn is_trashed(&self) -> bool {
        self.trashed
    }

    /// The file of an external library that it is; none for what is stored here.
    #[must_use]
    pub fn external(&self) -> Option<&ExternalFile> {
        self.external.as_ref()
    }

    /// Whether it carries the mark of a favorite.
    #[must_use]
    pub fn is_favorite(&self) -> bool {
        self.favorite
    }

    /// Where it shows.
    #[must_use]
    pub fn visibility(&self) -> Visibility {
        self.visibility
    }

    /// The tags it carries.
    #[must_use]
    pub fn tags(&self) -> &BTreeSet<TagId> {
        &self.organized.tags
    }

    /// The stack it is in, and whether it stands for it.
    #[must_use]
    pub fn stack(&self) -> Option<(StackId, bool)> {
        self.organized.stack
    }

    /// The group of duplicates it is in.
    #[must_use]
    pub fn duplicates(&self) -> Option<DuplicateId> {
        self.organized.duplicates
    }

    /// Whether a person said that the two are no duplicates of each other.
    #[must_use]
    pub fn was_told_apart_from(&self, other: &Self) -> bool {
        self.organized.was_told_apart_from(&other.organized)
    }

    /// Its edits.
    #[must_use]
    pub fn editing(&self) -> &Editing {
        &self.editing
    }

    /// BLAKE3 of its file as it is, lower-case hex.
    #[must_use]
    pub fn original_blake3(&self) -> &str {
        &self.original_blake3
    }

    /// The XMP file that lies beside it.
    #[must_use]
    pub fn sidecar(&self) -> Option<&Blob> {
        self.beside.blob.as_ref()
    }

    /// Where its files lie.
    #[must_use]
    pub const fn places(&self) -> &Places {
        &self.places
    }

    /// The film that belongs to it.
    #[must_use]
    pub fn film(&self) -> Option<AssetId> {
        self.live.film
    }

    /// The film that is to be taken out of its file.
    #[must_use]
    pub fn film_to_extract(&self) -> Option<EmbeddedFilm> {
        self.live.film_to_extract().filter(|_| self.owner_id().is_some())
    }

    /// Whether it is known what its files say, as they are now.
    pub(super) fn is_read(&self) -> bool {
        self.done.contains_key(&Stage::Metadata) && !self.requested.contains(&Stage::Metadata)
    }

    /// The copy of the film that every player shows.
    #[must_use]
    pub fn encoded(&self) -> Option<&AssetVideoEncoded> {
        self.encoded.as_ref()
    }

    /// Whether somebody asked for a step that was not done since.
    #[must_use]
    pub fn is_asked_for(&self, stage: Stage) -> bool {
        self.owner_id().is_some() && self.requested.contains(&stage)
    }

    /// Whether a step was ever asked for, done or failed.
    #[must_use]
    pub fn knows(&self, stage: Stage) -> bool {
        self.requested.contains(&stage) || self.done.contains_key(&stage)
    }

    /// Whether a step is one that it can take: pictures are not encoded as films.
    pub(super) fn takes(&self, stage: Stage) -> bool {
        match stage {
            Stage::Metadata | Stage::Thumbnails | Stage::Embedding | Stage::Text | Stage::Faces => {
                true
            }
            Stage::Edits => !self.editing.edits().is_empty(),
            Stage::Video => self.is_film,
        }
    }

    pub(super) fn existing(&self) -> Result<UserId, AssetError> {
        self.owner_id().ok_or(AssetError::NotFound)
    }

    pub(super) fn owned_by(&self, by: UserId) -> Result<(), AssetError> {
        if self.existing()? == by { Ok(()) } else { Err(AssetError::NotOwner { by }) }
    }
}
