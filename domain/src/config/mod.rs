//! The server's configuration: what administrators set, the first steps, and the server's product key.

mod event;
mod file;
mod models;
mod place;
mod settings;
pub mod shape;
pub mod template;
mod undo;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use event::{
    ConfigChanged, ConfigEvent, ConfigLicenseEntered, ConfigLicenseRemoved, ConfigOnboarded,
    ConfigOnboardingReset, ConfigSecretsChanged,
};
pub use file::{FileError, of_file};
pub use models::{ConfigModelRolledBack, ConfigModelSwitched, put_model};
pub use place::{WantedPlace, folded};
pub use settings::SETTINGS;
pub(crate) use undo::WAYS;

use crate::event::{Aggregate, cqrs_aggregate};
use crate::license::{License, Licensee};
use crate::model_task::ModelTask;
use models::Switches;
use shape::Kind;
use template::{Template, TemplateError};

/// The one configuration's stream key.
pub const KEY: &str = "server";

/// The setting that is a storage template.
const STORAGE_TEMPLATE: &str = "storageTemplate.template";

/// A wish about the configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigCommand {
    /// Let the settings be these, all of them.
    Change(Value),
    /// Mark the first steps as done or not.
    SetOnboarded(bool),
    /// Enter the server's product key.
    EnterLicense(License),
    /// Take the server's product key away.
    RemoveLicense,
    /// Let what another model said show.
    SwitchModel(Box<ConfigModelSwitched>),
    /// Let what the model before the last switch said show again.
    RollBackModel(ModelTask),
}

/// Why a wish about the configuration was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A setting is missing or not what it may be.
    #[error("{path} cannot be that")]
    Invalid {
        /// Which setting.
        path: String,
    },
    /// The storage template makes no path.
    #[error("Invalid storage template: {0}")]
    Template(#[from] TemplateError),
    /// It is no product key of a server.
    #[error("no product key of a server")]
    BadLicense,
    /// No switch of the model stands, or somebody named another model since.
    #[error("there is no switch of this model to roll back")]
    NothingToRollBack,
}

/// The configuration, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Config {
    set: BTreeMap<String, Value>,
    onboarded: bool,
    license: Option<License>,
    #[serde(default)]
    switches: Switches,
}

impl Config {
    /// All settings as one document.
    #[must_use]
    pub fn document(&self) -> Value {
        document(&self.set)
    }

    fn change(&self, wish: &Value) -> Result<Vec<ConfigEvent>, ConfigError> {
        let mut open = ConfigChanged { set: BTreeMap::new(), unset: Vec::new() };
        let (mut secrets, mut emptied) = (BTreeMap::new(), Vec::new());
        for (path, kind) in SETTINGS.settings() {
            let default = kind.default_value();
            let value = shape::at(wish, &path)
                .filter(|value| kind.accepts(value))
                .ok_or_else(|| ConfigError::Invalid { path: path.clone() })?;
            if value == self.set.get(&path).unwrap_or(&default) {
                continue;
            }
            match (kind, value.as_str(), *value == default) {
                (Kind::Private, _, true) => emptied.push(path),
                (Kind::Private, Some(text), false) => {
                    secrets.insert(path, text.to_owned());
                }
                (_, _, true) => open.unset.push(path),
                (_, _, false) => {
                    open.set.insert(path, value.clone());
                }
            }
        }
        if let Some(text) = open.set.get(STORAGE_TEMPLATE).and_then(Value::as_str) {
            Template::parse(text)?;
        }
        let mut events: Vec<ConfigEvent> = Vec::new();
        if !(open.set.is_empty() && open.unset.is_empty()) {
            events.push(open.into());
        }
        if !(secrets.is_empty() && emptied.is_empty()) {
            events.push(ConfigSecretsChanged { set: secrets.into(), unset: emptied }.into());
        }
        Ok(events)
    }
}

/// The whole document of which these settings are not as they are when nobody says otherwise.
/// What is no setting of this release is left out.
#[must_use]
pub fn document(set: &BTreeMap<String, Value>) -> Value {
    let known = SETTINGS.settings();
    let mut document = SETTINGS.defaults();
    for (path, value) in set {
        if known.get(path).is_some_and(|kind| kind.accepts(value)) {
            shape::put(&mut document, path, value.clone());
        }
    }
    document
}

impl Aggregate for Config {
    type Command = ConfigCommand;
    type Event = ConfigEvent;
    type Error = ConfigError;

    fn decide(&self, command: &ConfigCommand) -> Result<Vec<ConfigEvent>, ConfigError> {
        Ok(match command {
            ConfigCommand::Change(wish) => self.change(wish)?,
            ConfigCommand::SetOnboarded(true) if !self.onboarded => vec![ConfigOnboarded {}.into()],
            ConfigCommand::SetOnboarded(false) if self.onboarded => {
                vec![ConfigOnboardingReset {}.into()]
            }
            ConfigCommand::SetOnboarded(_) => vec![],
            ConfigCommand::EnterLicense(license) if self.license.as_ref() == Some(license) => {
                vec![]
            }
            ConfigCommand::EnterLicense(license) => {
                if license.licensee() != Some(Licensee::Server) {
                    return Err(ConfigError::BadLicense);
                }
                vec![ConfigLicenseEntered { license: license.clone().into() }.into()]
            }
            ConfigCommand::RemoveLicense if self.license.is_some() => {
                vec![ConfigLicenseRemoved {}.into()]
            }
            ConfigCommand::RemoveLicense => vec![],
            ConfigCommand::SwitchModel(wish) => self.switches.switch(wish),
            ConfigCommand::RollBackModel(task) => self.switches.roll_back(*task)?,
        })
    }

    fn evolve(&mut self, event: &ConfigEvent) {
        self.switches.evolve(event);
        match event {
            ConfigEvent::Changed(changed) => {
                for path in &changed.unset {
                    self.set.remove(path);
                }
                self.set.extend(changed.set.clone());
            }
            ConfigEvent::SecretsChanged(changed) => {
                for path in &changed.unset {
                    self.set.remove(path);
                }
                for (path, text) in changed.set.known().into_iter().flatten() {
                    self.set.insert(path.clone(), Value::String(text.clone()));
                }
            }
            ConfigEvent::Onboarded(ConfigOnboarded {}) => self.onboarded = true,
            ConfigEvent::OnboardingReset(ConfigOnboardingReset {}) => self.onboarded = false,
            ConfigEvent::LicenseEntered(entered) => self.license = entered.license.known().cloned(),
            ConfigEvent::LicenseRemoved(ConfigLicenseRemoved {}) => self.license = None,
            ConfigEvent::ModelSwitched(switched) => {
                put_model(&mut self.set, switched.task, &switched.name);
            }
            ConfigEvent::ModelRolledBack(back) => {
                put_model(&mut self.set, back.task, &back.name);
            }
        }
    }
}

cqrs_aggregate!(Config, ConfigCommand, ConfigEvent, ConfigError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use serde_json::json;

    use super::*;

    fn with(path: &str, value: Value) -> ConfigCommand {
        let mut document = SETTINGS.defaults();
        shape::put(&mut document, path, value);
        ConfigCommand::Change(document)
    }

    fn days(days: u32) -> ConfigEvent {
        let set = BTreeMap::from([("trash.days".to_owned(), json!(days))]);
        ConfigChanged { set, unset: vec![] }.into()
    }

    #[test]
    fn only_what_differs_is_written() {
        TestFramework::<Config>::with(())
            .given_no_previous_events()
            .when(with("trash.days", json!(3)))
            .then_expect_events(vec![days(3)]);
    }

    #[test]
    fn what_is_said_again_changes_nothing() {
        TestFramework::<Config>::with(())
            .given(vec![days(3)])
            .when(with("trash.days", json!(3)))
            .then_expect_events(vec![]);
    }

    #[test]
    fn back_to_the_default_is_said_as_such() {
        let unset = ConfigChanged { set: BTreeMap::new(), unset: vec!["trash.days".into()] };
        TestFramework::<Config>::with(())
            .given(vec![days(3)])
            .when(ConfigCommand::Change(SETTINGS.defaults()))
            .then_expect_events(vec![unset.into()]);
    }

    #[test]
    fn secrets_are_sealed() {
        let path = "oauth.clientSecret";
        let set = BTreeMap::from([(path.to_owned(), "hush".to_owned())]);
        TestFramework::<Config>::with(())
            .given_no_previous_events()
            .when(with(path, json!("hush")))
            .then_expect_events(vec![
                ConfigSecretsChanged { set: set.into(), unset: vec![] }.into(),
            ]);
    }

    #[test]
    fn setting_outside_its_limits_is_refused() {
        TestFramework::<Config>::with(())
            .given_no_previous_events()
            .when(with("trash.days", json!(-1)))
            .then_expect_error(ConfigError::Invalid { path: "trash.days".into() });
    }

    #[test]
    fn key_of_a_person_is_none_of_a_server() {
        let license_key = "IMCL-6ECZ-91TE-WZRM-Q7AQ-MBN4-UW48-2CPT-71X9".to_owned();
        let license = License { license_key, activation_key: "x".into() };
        TestFramework::<Config>::with(())
            .given_no_previous_events()
            .when(ConfigCommand::EnterLicense(license))
            .then_expect_error(ConfigError::BadLicense);
    }
}
