//! The services that administrators name in `machineLearning.urls`.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use calotype_ml::{Checks, Ml, Services};
use calotype_projections::config::Settings;
use serde_json::Value;
use tracing::warn;

use super::Seeing;

/// The address that stands in the settings when nobody changed them: this server itself.
const OWN: &str = "http://immich-machine-learning:3003";
/// How long a service may take to say that it is there, at least and at most, whatever the settings say.
const TIMEOUT_MS: (i64, i64) = (100, 60_000);
/// How long a service that failed is left alone, at least and at most.
const INTERVAL_MS: (i64, i64) = (1_000, 3_600_000);

/// Models with the services that were asked last: they are made anew where the settings change.
#[derive(Default)]
pub(super) struct Asked(Mutex<Option<(Services, Ml)>>);

impl Seeing {
    /// The models, behind the services that the settings name now. Where the settings cannot be read, behind those
    /// that were asked last.
    pub(super) async fn ml(&self) -> Ml {
        let wanted = match self.queries.settings().await {
            Ok(settings) => Some(services(&settings)),
            Err(error) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot read which services to ask"
                );
                None
            }
        };
        let mut asked = self.asked.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*asked, wanted) {
            (Some((known, ml)), Some(wanted)) if *known == wanted => ml.clone(),
            (Some((_, ml)), None) => ml.clone(),
            (None, None) => self.here.clone(),
            (_, Some(wanted)) => {
                let ml = self.here.with_services(&wanted).unwrap_or_else(|error| {
                    warn!(error = &error as &dyn std::error::Error, "cannot ask any service");
                    self.here.clone()
                });
                *asked = Some((wanted, ml.clone()));
                ml
            }
        }
    }
}

/// Which services the settings name, and how they are watched.
fn services(settings: &Settings) -> Services {
    let document = settings.document();
    let urls = document.pointer("/machineLearning/urls").and_then(Value::as_array);
    let urls = urls.into_iter().flatten().filter_map(Value::as_str);
    let within = |path: &str, (least, most): (i64, i64)| {
        Duration::from_millis(settings.number(path).clamp(least, most).unsigned_abs())
    };
    let checks = Checks {
        timeout: within("machineLearning.availabilityChecks.timeout", TIMEOUT_MS),
        interval: within("machineLearning.availabilityChecks.interval", INTERVAL_MS),
    };
    let is_checked = settings.is_on("machineLearning.availabilityChecks.enabled");
    Services {
        urls: urls.filter(|url| *url != OWN).map(str::to_owned).collect(),
        checks: is_checked.then_some(checks),
    }
}
