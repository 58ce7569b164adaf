//! What an asset shows, as a vector of a model.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::{AssetEvent, AssetProcessingRequested};
use super::state::Asset;
use super::values::{ProcessorRef, Stage, Visibility};
use crate::id::UserId;
use crate::model::ModelRef;

/// A model looked at its preview; what it shows is a vector now, which takes the place of an older one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssetEmbedded {
    /// Whose asset it is.
    pub owner_id: UserId,
    /// Which model.
    pub model: ModelRef,
    /// BLAKE3 of the original whose preview it looked at, lower-case hex.
    pub input_blake3: String,
    /// Numbers of the vector.
    pub dims: u32,
    /// BLAKE3 of the attachment `vector` (f16, little-endian, unit length), lower-case hex.
    pub vector_blake3: String,
}

/// The program that lets models look. What changes with a model is told by its name, not by this version.
pub(super) fn processor() -> ProcessorRef {
    ProcessorRef { name: "embed".into(), version: 1 }
}

impl Asset {
    /// Whether what it shows is known of this model, for the file as it is.
    #[must_use]
    pub fn is_embedded_by(&self, model: &ModelRef) -> bool {
        let done = self.done.get(&Stage::Embedding);
        self.embedded.as_ref() == Some(model)
            && done.is_some_and(|done| !done.failed && done.input_blake3 == self.original_blake3)
    }

    /// Asks for its vector of a model, where that is not known or asked for already. What is part of another
    /// asset is found as that one.
    pub(super) fn want_embedding(&self, model: &ModelRef) -> Vec<AssetEvent> {
        let is_known = self.requested.contains(&Stage::Embedding) || self.is_embedded_by(model);
        if self.owner_id().is_none() || self.visibility == Visibility::Hidden || is_known {
            return vec![];
        }
        vec![AssetProcessingRequested { stage: Stage::Embedding }.into()]
    }

    /// A vector is news where it is of the file as it is, and another model's than the one that is known, or
    /// asked for.
    pub(super) fn take_embedding(&self, found: &AssetEmbedded) -> Vec<AssetEvent> {
        let is_of_this =
            self.owner_id() == Some(found.owner_id) && found.input_blake3 == self.original_blake3;
        let is_wanted =
            self.requested.contains(&Stage::Embedding) || !self.is_embedded_by(&found.model);
        if is_of_this && is_wanted { vec![found.clone().into()] } else { vec![] }
    }
}
