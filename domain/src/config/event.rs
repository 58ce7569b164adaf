//! The events of the server's configuration.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::models::{ConfigModelRolledBack, ConfigModelSwitched};
use crate::event::events;
use crate::license::License;
use crate::sealed::Sealed;

/// Settings were changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigChanged {
    /// Settings by path (`trash.days`) with what they are now.
    pub set: BTreeMap<String, Value>,
    /// Settings that are again what they are when nobody says otherwise.
    pub unset: Vec<String>,
}

/// Settings were changed that may tell of a person or open something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigSecretsChanged {
    /// Settings by path with what they are now.
    pub set: Sealed<BTreeMap<String, String>>,
    /// Settings that are empty again.
    pub unset: Vec<String>,
}

/// An administrator went through the first steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigOnboarded {}

/// The first steps are to be shown again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigOnboardingReset {}

/// A product key of the server was entered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigLicenseEntered {
    /// The key.
    pub license: Sealed<License>,
}

/// The server's product key was taken away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigLicenseRemoved {}

events! {
    /// Everything that can have happened to the configuration.
    ConfigEvent for "config" {
        Changed(ConfigChanged) 1,
        LicenseEntered(ConfigLicenseEntered) 1,
        LicenseRemoved(ConfigLicenseRemoved) 1,
        ModelRolledBack(ConfigModelRolledBack) 1,
        ModelSwitched(ConfigModelSwitched) 1,
        Onboarded(ConfigOnboarded) 1,
        OnboardingReset(ConfigOnboardingReset) 1,
        SecretsChanged(ConfigSecretsChanged) 1,
    }
}
