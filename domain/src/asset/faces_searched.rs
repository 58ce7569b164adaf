//! That a model has looked for faces. What it found is told on the stream of the asset's faces.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::{AssetEvent, AssetProcessingRequested};
use super::state::Asset;
use super::values::{ProcessorRef, Stage, Visibility};
use crate::model::ModelRef;

/// A model looked for faces in its preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssetFacesSearched {
    /// Which model.
    pub model: ModelRef,
    /// BLAKE3 of the original whose preview it looked at, lower-case hex.
    pub input_blake3: String,
    /// How many faces it found, those included that people removed.
    pub found: u32,
}

/// The program that lets models look for faces. What changes with a model is told by its name, not by this
/// version.
pub(super) fn processor() -> ProcessorRef {
    ProcessorRef { name: "faces".into(), version: 1 }
}

impl Asset {
    /// Whether this model has looked for faces, in the file as it is.
    #[must_use]
    pub fn is_searched_for_faces_by(&self, model: &ModelRef) -> bool {
        let done = self.done.get(&Stage::Faces);
        self.searched_by.as_ref() == Some(model)
            && done.is_some_and(|done| !done.failed && done.input_blake3 == self.original_blake3)
    }

    /// Asks for a search by a model, where there was none yet and none is asked for. What is part of another
    /// asset is shown by that one.
    pub(super) fn want_faces(&self, model: &ModelRef) -> Vec<AssetEvent> {
        let is_known =
            self.requested.contains(&Stage::Faces) || self.is_searched_for_faces_by(model);
        if self.owner_id().is_none() || self.visibility == Visibility::Hidden || is_known {
            return vec![];
        }
        vec![AssetProcessingRequested { stage: Stage::Faces }.into()]
    }

    /// Whether a search is one of the file as it is. Of another file nothing is recorded.
    #[must_use]
    pub fn is_the_file(&self, blake3: &str) -> bool {
        self.owner_id().is_some() && blake3 == self.original_blake3
    }

    /// A search is news where it is of the file as it is, and another model's than the last one, or asked for.
    pub(super) fn take_faces_searched(&self, searched: &AssetFacesSearched) -> Vec<AssetEvent> {
        let is_wanted = self.requested.contains(&Stage::Faces)
            || !self.is_searched_for_faces_by(&searched.model);
        if self.is_the_file(&searched.input_blake3) && is_wanted {
            vec![searched.clone().into()]
        } else {
            vec![]
        }
    }
}
