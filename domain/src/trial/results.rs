//! What models that are tried say of one asset.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::asset::TextReader;
use crate::event::{Aggregate, cqrs_aggregate, events};
use crate::faces::{Area, PictureSize};
use crate::id::{FaceId, UserId};
use crate::model::ModelRef;
use crate::model_task::ModelTask;
use crate::sealed::Sealed;

/// Results that are remembered so that none is recorded twice; of more, the oldest are forgotten.
const KNOWN_MAX: usize = 32;

/// A model that is tried looked at its preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssetTrialEmbedded {
    /// The trial.
    pub trial_id: Uuid,
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

/// A model that is tried read its preview.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetTrialTextRead {
    /// The trial.
    pub trial_id: Uuid,
    /// Whose asset it is.
    pub owner_id: UserId,
    /// Which model, and how it was told to look.
    pub reader: TextReader,
    /// BLAKE3 of the original whose preview it looked at, lower-case hex.
    pub input_blake3: String,
    /// What the lines say, from the top.
    pub lines: Sealed<Vec<String>>,
    /// BLAKE3 of the attachment `boxes`, lower-case hex, as `AssetTextRead` has it.
    pub boxes_blake3: String,
}

/// One face that a model that is tried found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TriedFace {
    /// The id that the face gets where none is known at its place.
    pub face_id: FaceId,
    /// Where.
    pub area: Area,
    /// How sure the model was, 0 to 1.
    pub score: f32,
}

/// A model that is tried looked for faces in its preview.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetTrialFacesFound {
    /// The trial.
    pub trial_id: Uuid,
    /// Whose asset it is.
    pub owner_id: UserId,
    /// Which model.
    pub model: ModelRef,
    /// BLAKE3 of the original whose preview it looked at, lower-case hex.
    pub input_blake3: String,
    /// The size of the picture it looked at.
    pub size: PictureSize,
    /// What it found, in the order of the vectors.
    pub faces: Sealed<Vec<TriedFace>>,
    /// BLAKE3 of the attachment `vectors` (f16, little-endian, a row for each face), lower-case hex, where there
    /// is one.
    pub vectors_blake3: Option<String>,
    /// Numbers of each of these vectors.
    pub dims: Option<u32>,
}

events! {
    /// Everything that models that are tried can have said of an asset.
    AssetTrialEvent for "asset_trial" {
        Embedded(AssetTrialEmbedded) 1,
        FacesFound(AssetTrialFacesFound) 1,
        TextRead(AssetTrialTextRead) 1,
    }
}

/// What a result is of: recorded once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    task: ModelTask,
    /// The model, or the reader.
    by: Uuid,
    input_blake3: String,
}

impl Known {
    fn of(event: &AssetTrialEvent) -> Self {
        let (task, by, input_blake3) = match event {
            AssetTrialEvent::Embedded(found) => {
                (ModelTask::SmartSearch, found.model.id(), &found.input_blake3)
            }
            AssetTrialEvent::TextRead(read) => {
                (ModelTask::Ocr, read.reader.id(), &read.input_blake3)
            }
            AssetTrialEvent::FacesFound(found) => {
                (ModelTask::FacialRecognition, found.model.id(), &found.input_blake3)
            }
        };
        Self { task, by, input_blake3: input_blake3.clone() }
    }
}

/// A result is to be recorded. Whether it is of the asset as it is, is asked of the asset first.
#[derive(Clone, Debug, PartialEq)]
pub struct AssetTrialCommand(pub Box<AssetTrialEvent>);

/// Nothing is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssetTrialError {}

/// What models that are tried said of one asset, folded from their events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AssetTrial {
    known: Vec<Known>,
}

impl Aggregate for AssetTrial {
    type Command = AssetTrialCommand;
    type Event = AssetTrialEvent;
    type Error = AssetTrialError;

    fn decide(&self, command: &AssetTrialCommand) -> Result<Vec<AssetTrialEvent>, AssetTrialError> {
        let AssetTrialCommand(event) = command;
        let is_known = self.known.contains(&Known::of(event));
        Ok(if is_known { vec![] } else { vec![(**event).clone()] })
    }

    fn evolve(&mut self, event: &AssetTrialEvent) {
        if self.known.len() >= KNOWN_MAX {
            self.known.remove(0);
        }
        self.known.push(Known::of(event));
    }
}

cqrs_aggregate!(AssetTrial, AssetTrialCommand, AssetTrialEvent, AssetTrialError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    fn embedded(model: &str, input: &str) -> AssetTrialEvent {
        AssetTrialEmbedded {
            trial_id: Uuid::from_u128(1),
            owner_id: UserId::new(Uuid::from_u128(2)),
            model: ModelRef { name: model.into(), revision: "1".into(), sha256: "0".into() },
            input_blake3: input.into(),
            dims: 2,
            vector_blake3: "v".into(),
        }
        .into()
    }

    fn record(event: AssetTrialEvent) -> AssetTrialCommand {
        AssetTrialCommand(Box::new(event))
    }

    #[test]
    fn a_result_is_recorded_once() {
        TestFramework::<AssetTrial>::with(())
            .given(vec![embedded("b", "x")])
            .when(record(embedded("b", "x")))
            .then_expect_events(vec![]);
    }

    #[test]
    fn another_model_or_another_file_is_another_result() {
        for other in [embedded("c", "x"), embedded("b", "y")] {
            TestFramework::<AssetTrial>::with(())
                .given(vec![embedded("b", "x")])
                .when(record(other.clone()))
                .then_expect_events(vec![other]);
        }
    }
}
