//! Events of the configuration to the one row of `config_v1`.

use async_trait::async_trait;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::config::{ConfigEvent, KEY, put_model};
use serde_json::Value;
use sqlx::PgConnection;

use super::view::ConfigRow;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::projection::Projection;

/// Keeps `config_v1`.
pub struct ConfigProjection;

#[async_trait]
impl Projection for ConfigProjection {
    fn name(&self) -> &'static str {
        "config"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["config_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["config"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        if events.is_empty() {
            return Ok(());
        }
        let row: Option<ConfigRow> =
            sqlx::query_as("select * from config_v1").fetch_optional(&mut *tx).await?;
        let mut row = row.unwrap_or_else(|| ConfigRow::new(KEY));
        for event in events {
            evolve(&mut row, event);
        }
        sqlx::query(
            "insert into config_v1 (key, revision, settings, is_onboarded, license_key,
                                    activation_key, activated_at)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (key) do update
                set revision = excluded.revision, settings = excluded.settings,
                    is_onboarded = excluded.is_onboarded, license_key = excluded.license_key,
                    activation_key = excluded.activation_key,
                    activated_at = excluded.activated_at
              where config_v1.revision < excluded.revision",
        )
        .bind(&row.key)
        .bind(row.revision)
        .bind(&row.settings)
        .bind(row.is_onboarded)
        .bind(&row.license_key)
        .bind(&row.activation_key)
        .bind(row.activated_at)
        .execute(tx)
        .await?;
        Ok(())
    }
}

fn evolve(row: &mut ConfigRow, event: &Event) {
    let AnyEvent::Config(what) = &event.what else { return };
    if event.revision <= row.revision {
        return;
    }
    row.revision = event.revision;
    let settings = &mut row.settings.0;
    match what {
        ConfigEvent::Changed(changed) => {
            settings.retain(|path, _| !changed.unset.contains(path));
            settings.extend(changed.set.clone());
        }
        ConfigEvent::SecretsChanged(changed) => {
            settings.retain(|path, _| !changed.unset.contains(path));
            for (path, text) in changed.set.known().into_iter().flatten() {
                settings.insert(path.clone(), Value::String(text.clone()));
            }
        }
        ConfigEvent::Onboarded(_) => row.is_onboarded = true,
        ConfigEvent::OnboardingReset(_) => row.is_onboarded = false,
        ConfigEvent::LicenseEntered(entered) => {
            let license = entered.license.known();
            row.license_key = license.map(|license| license.license_key.clone());
            row.activation_key = license.map(|license| license.activation_key.clone());
            row.activated_at = license.map(|_| event.recorded_at);
        }
        ConfigEvent::ModelSwitched(switched) => {
            put_model(settings, switched.task, &switched.name);
        }
        ConfigEvent::ModelRolledBack(back) => put_model(settings, back.task, &back.name),
        ConfigEvent::LicenseRemoved(_) => {
            row.license_key = None;
            row.activation_key = None;
            row.activated_at = None;
        }
    }
}
