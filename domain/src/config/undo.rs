//! Taking back what was changed about the configuration, setting by setting.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::shape::Kind;
use super::{
    Config, ConfigChanged, ConfigEvent, ConfigLicenseEntered, ConfigLicenseRemoved,
    ConfigOnboarded, ConfigOnboardingReset, ConfigSecretsChanged, SETTINGS,
};
use crate::access::Object;
use crate::id::UserId;
use crate::permission::Permission;
use crate::undo::way::{Row, back, never};
use crate::undo::{Asked, Need, Plan, States, Undo};

const CONFIG: Need = admins(Permission::SystemConfigUpdate);
const LICENSE: Need = admins(Permission::ServerLicenseUpdate);
const METADATA: Need = admins(Permission::SystemMetadataUpdate);

const fn admins(permission: Permission) -> Need {
    Need::of(permission).or_admin(permission)
}

/// How events of the configuration go back; all of it is administrators' matter.
pub(crate) const WAYS: &[Row] = &[
    back("ConfigChanged", "settings", &["ConfigChanged"], CONFIG),
    back("ConfigLicenseEntered", "license", &["ConfigLicenseRemoved"], LICENSE),
    back("ConfigLicenseRemoved", "license", &["ConfigLicenseEntered"], LICENSE),
    never("ConfigModelRolledBack", "models", MODELS),
    never("ConfigModelSwitched", "models", MODELS),
    back("ConfigOnboarded", "onboarding", &["ConfigOnboardingReset"], METADATA),
    back("ConfigOnboardingReset", "onboarding", &["ConfigOnboarded"], METADATA),
    back("ConfigSecretsChanged", "settings", &["ConfigSecretsChanged"], CONFIG),
];

/// Why a switch of models is not taken back like other settings.
const MODELS: &str = "What the models said goes with it; roll the model back instead";

/// One setting as it is again; nothing for what it is when nobody says otherwise.
type Again = (String, Option<Value>);

impl Undo for Config {
    fn object(&self, _by: UserId) -> Option<Object> {
        Some(Object::Route { admin: true })
    }

    fn undo(states: &States<Self>, _asked: &Asked) -> Plan<ConfigEvent> {
        let mut plan = Plan::default();
        let all = [&states.before, &states.after, &states.now];
        let paths: BTreeSet<&String> = all.iter().flat_map(|config| config.set.keys()).collect();
        let mut again: Plan<Again> = Plan::default();
        for path in paths {
            again.facet("settings", &states.map(|config| config.set.get(path)), |value| {
                vec![(path.clone(), value.cloned())]
            });
        }
        plan.events.extend(events(again.events));
        plan.undone.append(&mut again.undone);
        plan.changed_since.append(&mut again.changed_since);
        plan.facet("onboarding", &states.map(|config| config.onboarded), |onboarded| {
            vec![if *onboarded {
                ConfigOnboarded {}.into()
            } else {
                ConfigOnboardingReset {}.into()
            }]
        });
        plan.facet("license", &states.map(|config| &config.license), |license| {
            vec![match license {
                Some(license) => ConfigLicenseEntered { license: license.clone().into() }.into(),
                None => ConfigLicenseRemoved {}.into(),
            }]
        });
        plan
    }
}

/// Secrets are told apart from what may be read in the log.
fn events(again: Vec<Again>) -> Vec<ConfigEvent> {
    let kinds = SETTINGS.settings();
    let mut open = ConfigChanged { set: BTreeMap::new(), unset: Vec::new() };
    let (mut secrets, mut emptied) = (BTreeMap::new(), Vec::new());
    for (path, value) in again {
        let is_private = matches!(kinds.get(&path), Some(Kind::Private));
        match (is_private, value) {
            (true, Some(Value::String(text))) => {
                secrets.insert(path, text);
            }
            (true, _) => emptied.push(path),
            (false, Some(value)) => {
                open.set.insert(path, value);
            }
            (false, None) => open.unset.push(path),
        }
    }
    let mut events: Vec<ConfigEvent> = Vec::new();
    if !(open.set.is_empty() && open.unset.is_empty()) {
        events.push(open.into());
    }
    if !(secrets.is_empty() && emptied.is_empty()) {
        events.push(ConfigSecretsChanged { set: secrets.into(), unset: emptied }.into());
    }
    events
}
