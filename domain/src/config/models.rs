//! Which model's results show: one event says so, and names the model that did before.
//!
//! The setting that names the model changes with it. Whoever changes that setting by hand afterwards has left the
//! way back.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ConfigError, ConfigEvent, SETTINGS, shape};
use crate::model::ModelRef;
use crate::model_task::ModelTask;

/// What another model said shows from now on, and it is asked from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigModelSwitched {
    /// What it is asked for.
    pub task: ModelTask,
    /// The name that it is asked by, as the setting has it.
    pub name: String,
    /// Which model that is.
    pub model: ModelRef,
    /// What the setting was before.
    pub former_name: String,
    /// Which model that was.
    pub former: ModelRef,
}

/// What the model before a switch said shows again, and it is asked again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigModelRolledBack {
    /// What it is asked for.
    pub task: ModelTask,
    /// The name that it is asked by, as the setting has it.
    pub name: String,
    /// Which model that is.
    pub model: ModelRef,
    /// What the setting was before.
    pub former_name: String,
    /// Which model that was.
    pub former: ModelRef,
}

/// The switches that can be rolled back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Switches(BTreeMap<ModelTask, ConfigModelSwitched>);

impl Switches {
    /// Another model shows, unless it does so already.
    pub(super) fn switch(&self, wish: &ConfigModelSwitched) -> Vec<ConfigEvent> {
        let is_so = wish.model == wish.former
            || self.0.get(&wish.task).is_some_and(|known| known.model == wish.model);
        if is_so { vec![] } else { vec![wish.clone().into()] }
    }

    /// The model before the last switch shows.
    pub(super) fn roll_back(&self, task: ModelTask) -> Result<Vec<ConfigEvent>, ConfigError> {
        let Some(switched) = self.0.get(&task).cloned() else {
            return Err(ConfigError::NothingToRollBack);
        };
        let ConfigModelSwitched { task, name, model, former_name, former } = switched;
        let back = ConfigModelRolledBack {
            task,
            name: former_name,
            model: former,
            former_name: name,
            former: model,
        };
        Ok(vec![back.into()])
    }

    pub(super) fn evolve(&mut self, event: &ConfigEvent) {
        match event {
            ConfigEvent::ModelSwitched(switched) => {
                self.0.insert(switched.task, switched.clone());
            }
            ConfigEvent::ModelRolledBack(back) => {
                self.0.remove(&back.task);
            }
            ConfigEvent::Changed(changed) => {
                self.0.retain(|task, _| {
                    let path = task.setting();
                    !changed.set.contains_key(path) && !changed.unset.iter().any(|it| it == path)
                });
            }
            ConfigEvent::LicenseEntered(_)
            | ConfigEvent::LicenseRemoved(_)
            | ConfigEvent::Onboarded(_)
            | ConfigEvent::OnboardingReset(_)
            | ConfigEvent::SecretsChanged(_) => {}
        }
    }
}

/// Names the model of a task in settings by path.
pub fn put_model(set: &mut BTreeMap<String, Value>, task: ModelTask, name: &str) {
    let path = task.setting();
    if shape::at(&SETTINGS.defaults(), path).and_then(Value::as_str) == Some(name) {
        set.remove(path);
    } else {
        set.insert(path.to_owned(), Value::String(name.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use serde_json::json;

    use super::super::{Config, ConfigChanged, ConfigCommand};
    use super::*;
    use crate::event::Aggregate as _;

    const TASK: ModelTask = ModelTask::SmartSearch;
    const DEFAULT: &str = "ViT-B-32__openai";

    fn model(name: &str) -> ModelRef {
        ModelRef { name: name.into(), revision: "1".into(), sha256: "0".into() }
    }

    fn switched() -> ConfigModelSwitched {
        ConfigModelSwitched {
            task: TASK,
            name: "new".into(),
            model: model("new"),
            former_name: DEFAULT.into(),
            former: model("conse"),
        }
    }

    fn back() -> ConfigModelRolledBack {
        ConfigModelRolledBack {
            task: TASK,
            name: DEFAULT.into(),
            model: model("conse"),
            former_name: "new".into(),
            former: model("new"),
        }
    }

    fn name_after(events: &[ConfigEvent]) -> Value {
        let mut config = Config::default();
        events.iter().for_each(|event| config.evolve(event));
        shape::at(&config.document(), TASK.setting()).unwrap().clone()
    }

    #[test]
    fn switching_twice_happens_once() {
        let wish = || ConfigCommand::SwitchModel(Box::new(switched()));
        TestFramework::<Config>::with(())
            .given_no_previous_events()
            .when(wish())
            .then_expect_events(vec![switched().into()]);
        TestFramework::<Config>::with(())
            .given(vec![switched().into()])
            .when(wish())
            .then_expect_events(vec![]);
    }

    #[test]
    fn the_setting_goes_with_the_switch_and_back_with_it() {
        assert_eq!(name_after(&[switched().into()]), json!("new"));
        assert_eq!(name_after(&[switched().into(), back().into()]), json!(DEFAULT));
    }

    #[test]
    fn a_switch_is_rolled_back_once() {
        TestFramework::<Config>::with(())
            .given(vec![switched().into()])
            .when(ConfigCommand::RollBackModel(TASK))
            .then_expect_events(vec![back().into()]);
        TestFramework::<Config>::with(())
            .given(vec![switched().into(), back().into()])
            .when(ConfigCommand::RollBackModel(TASK))
            .then_expect_error(ConfigError::NothingToRollBack);
    }

    #[test]
    fn whoever_names_another_model_by_hand_leaves_the_way_back() {
        let set = BTreeMap::from([(TASK.setting().to_owned(), json!("third"))]);
        let by_hand = ConfigChanged { set, unset: vec![] };
        TestFramework::<Config>::with(())
            .given(vec![switched().into(), by_hand.into()])
            .when(ConfigCommand::RollBackModel(TASK))
            .then_expect_error(ConfigError::NothingToRollBack);
    }
}
