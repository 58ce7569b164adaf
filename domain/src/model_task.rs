//! What models are asked for, and the setting that names the model for each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::asset::Stage;

/// What a model is asked for. Finding faces and telling them apart is one task: the numbers of a face depend on
/// both models, and one setting names both.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ModelTask {
    /// What pictures show, for searches and duplicates.
    SmartSearch,
    /// Where faces are, and whose.
    FacialRecognition,
    /// What is written in pictures.
    Ocr,
}

impl ModelTask {
    /// Every task.
    pub const ALL: [Self; 3] = [Self::SmartSearch, Self::FacialRecognition, Self::Ocr];

    /// Its name for people, on the command line and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SmartSearch => "smartSearch",
            Self::FacialRecognition => "facialRecognition",
            Self::Ocr => "ocr",
        }
    }

    /// The task of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|task| task.as_str() == name)
    }

    /// The setting that names the model.
    #[must_use]
    pub const fn setting(self) -> &'static str {
        match self {
            Self::SmartSearch => "machineLearning.clip.modelName",
            Self::FacialRecognition => "machineLearning.facialRecognition.modelName",
            Self::Ocr => "machineLearning.ocr.modelName",
        }
    }

    /// The step of processing that asks the model.
    #[must_use]
    pub const fn stage(self) -> Stage {
        match self {
            Self::SmartSearch => Stage::Embedding,
            Self::FacialRecognition => Stage::Faces,
            Self::Ocr => Stage::Text,
        }
    }

    /// The queue of that step.
    #[must_use]
    pub const fn queue(self) -> &'static str {
        match self {
            Self::SmartSearch => "smartSearch",
            Self::FacialRecognition => "faceDetection",
            Self::Ocr => "ocr",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SETTINGS;
    use crate::queue::stage_of;

    #[test]
    fn every_task_has_a_setting_and_a_queue() {
        let settings = SETTINGS.settings();
        for task in ModelTask::ALL {
            assert!(settings.contains_key(task.setting()), "{task:?}");
            assert_eq!(stage_of(task.queue()), Some(task.stage()));
            assert_eq!(ModelTask::named(task.as_str()), Some(task));
        }
        assert_eq!(ModelTask::named("nothing"), None);
    }
}
