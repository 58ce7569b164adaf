//! One trial of a model: begun, and cancelled or finished.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{Aggregate, cqrs_aggregate, events};
use crate::id::UserId;
use crate::model::ModelRef;
use crate::model_task::ModelTask;

/// Somebody wants to see what a model would say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelTrialBegun {
    /// What it is asked for.
    pub task: ModelTask,
    /// The name that it is asked by.
    pub name: String,
    /// Which model that was when the trial began; no other is asked.
    pub model: ModelRef,
    /// Whose assets it is shown; everybody's where nobody is named.
    pub user_ids: Vec<UserId>,
    /// How many assets it is shown at most; all where there is no number.
    pub sample: Option<u32>,
}

/// Somebody ended a trial before its end. What the model said until then stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelTrialCancelled {}

/// The model was shown everything that it was to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelTrialFinished {
    /// Assets that it said something of.
    pub tried: u64,
    /// Assets that it could say nothing of.
    pub failed: u64,
}

events! {
    /// Everything that can have happened to a trial.
    ModelTrialEvent for "model_trial" {
        Begun(ModelTrialBegun) 1,
        Cancelled(ModelTrialCancelled) 1,
        Finished(ModelTrialFinished) 1,
    }
}

/// A wish about a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelTrialCommand {
    /// Begin it.
    Begin(Box<ModelTrialBegun>),
    /// End it before its end.
    Cancel,
    /// It is done.
    Finish(ModelTrialFinished),
}

/// How a trial refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelTrialError {
    /// There is no such trial.
    #[error("trial does not exist")]
    NotFound,
    /// It has begun already.
    #[error("trial exists already")]
    AlreadyExists,
}

/// A trial, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ModelTrial {
    begun: Option<ModelTrialBegun>,
    is_ended: bool,
}

impl ModelTrial {
    /// What is to be tried, while that is still wanted.
    #[must_use]
    pub fn open(&self) -> Option<&ModelTrialBegun> {
        self.begun.as_ref().filter(|_| !self.is_ended)
    }
}

impl Aggregate for ModelTrial {
    type Command = ModelTrialCommand;
    type Event = ModelTrialEvent;
    type Error = ModelTrialError;

    fn decide(&self, command: &ModelTrialCommand) -> Result<Vec<ModelTrialEvent>, ModelTrialError> {
        match (command, &self.begun) {
            (ModelTrialCommand::Begin(_), Some(_)) => Err(ModelTrialError::AlreadyExists),
            (ModelTrialCommand::Begin(begun), None) => Ok(vec![(**begun).clone().into()]),
            (_, None) => Err(ModelTrialError::NotFound),
            (_, Some(_)) if self.is_ended => Ok(vec![]),
            (ModelTrialCommand::Cancel, Some(_)) => Ok(vec![ModelTrialCancelled {}.into()]),
            (ModelTrialCommand::Finish(finished), Some(_)) => Ok(vec![finished.clone().into()]),
        }
    }

    fn evolve(&mut self, event: &ModelTrialEvent) {
        match event {
            ModelTrialEvent::Begun(begun) => self.begun = Some(begun.clone()),
            ModelTrialEvent::Cancelled(ModelTrialCancelled {}) | ModelTrialEvent::Finished(_) => {
                self.is_ended = true;
            }
        }
    }
}

cqrs_aggregate!(ModelTrial, ModelTrialCommand, ModelTrialEvent, ModelTrialError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    fn begun() -> ModelTrialBegun {
        let model = ModelRef { name: "b".into(), revision: "1".into(), sha256: "0".into() };
        let name = "b".to_owned();
        ModelTrialBegun {
            task: ModelTask::SmartSearch,
            name,
            model,
            user_ids: vec![],
            sample: None,
        }
    }

    fn finished() -> ModelTrialFinished {
        ModelTrialFinished { tried: 3, failed: 1 }
    }

    #[test]
    fn a_trial_ends_once() {
        TestFramework::<ModelTrial>::with(())
            .given(vec![begun().into()])
            .when(ModelTrialCommand::Finish(finished()))
            .then_expect_events(vec![finished().into()]);
        TestFramework::<ModelTrial>::with(())
            .given(vec![begun().into(), ModelTrialCancelled {}.into()])
            .when(ModelTrialCommand::Finish(finished()))
            .then_expect_events(vec![]);
        TestFramework::<ModelTrial>::with(())
            .given(vec![begun().into(), finished().into()])
            .when(ModelTrialCommand::Cancel)
            .then_expect_events(vec![]);
    }

    #[test]
    fn a_trial_that_never_began_cannot_end() {
        TestFramework::<ModelTrial>::with(())
            .given_no_previous_events()
            .when(ModelTrialCommand::Cancel)
            .then_expect_error(ModelTrialError::NotFound);
    }
}
