//! Events of assets, trials and the configuration to `models_v1`, `model_trials_v1`, `trial_results_v1` and
//! `model_switches_v1`.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use calotype_domain::ModelTask;
use calotype_domain::asset::AssetEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::config::{ConfigChanged, ConfigEvent};
use calotype_domain::model::ModelRef;
use calotype_domain::trial::{AssetTrialEvent, ModelTrialBegun, ModelTrialEvent};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::event::Event;
use crate::projection::Projection;
use crate::search::fold_words;

/// Keeps the tables of models.
pub struct ModelsProjection;

/// Models by task and by what rows of their results name.
type Known<'a> = BTreeMap<(ModelTask, Uuid), &'a ModelRef>;

#[async_trait]
impl Projection for ModelsProjection {
    fn name(&self) -> &'static str {
        "models"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["models_v1", "model_trials_v1", "trial_results_v1", "model_switches_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset", "asset_trial", "config", "model_trial"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        let mut known = Known::new();
        let mut results = Results::default();
        let mut purged: BTreeSet<Uuid> = BTreeSet::new();
        for event in events {
            match &event.what {
                AnyEvent::Asset(AssetEvent::Embedded(found)) => {
                    known.insert((ModelTask::SmartSearch, found.model.id()), &found.model);
                }
                AnyEvent::Asset(AssetEvent::TextRead(read)) => {
                    known.insert((ModelTask::Ocr, read.reader.id()), &read.reader.model);
                }
                AnyEvent::Asset(AssetEvent::FacesSearched(searched)) => {
                    let task = ModelTask::FacialRecognition;
                    known.insert((task, searched.model.id()), &searched.model);
                }
                AnyEvent::Asset(AssetEvent::Purged(_)) => {
                    purged.insert(event.key);
                }
                AnyEvent::AssetTrial(what) => {
                    results.take(event, what, &mut known);
                }
                AnyEvent::ModelTrial(what) => apply_trial_in_tx(tx, event, what).await?,
                AnyEvent::Config(what) => apply_config_in_tx(tx, event, what).await?,
                _ => {}
            }
        }
        know_in_tx(tx, &known).await?;
        results.put_in_tx(tx).await?;
        if !purged.is_empty() {
            sqlx::query("delete from trial_results_v1 where asset_id = any($1)")
                .bind(purged.into_iter().collect::<Vec<_>>())
                .execute(tx)
                .await?;
        }
        Ok(())
    }
}

/// Results of a batch, each once.
#[derive(Default)]
struct Results<'a>(BTreeMap<Of, (&'a Event, Uuid, Option<String>)>);

/// Of which task, by which model, of which asset.
type Of = (ModelTask, Uuid, Uuid);

impl<'a> Results<'a> {
    fn take(&mut self, event: &'a Event, what: &'a AssetTrialEvent, known: &mut Known<'a>) {
        let (task, model, owner_id, words) = match what {
            AssetTrialEvent::Embedded(found) => {
                (ModelTask::SmartSearch, &found.model, found.owner_id, None)
            }
            AssetTrialEvent::FacesFound(found) => {
                (ModelTask::FacialRecognition, &found.model, found.owner_id, None)
            }
            AssetTrialEvent::TextRead(read) => {
                let words = read.lines.known().map(|lines| fold_words(&lines.join(" ")));
                (ModelTask::Ocr, &read.reader.model, read.owner_id, words)
            }
        };
        known.insert((task, model.id()), model);
        self.0.insert((task, model.id(), event.key), (event, owner_id.uuid(), words));
    }

    async fn put_in_tx(self, tx: &mut PgConnection) -> Result<(), ProjectionError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let keys = || self.0.keys();
        let rows = || self.0.values();
        sqlx::query(
            "insert into trial_results_v1 as known
                    (task, model_id, asset_id, revision, owner_id, event_id, words)
             select * from unnest($1::text[], $2::uuid[], $3::uuid[], $4::bigint[], $5::uuid[],
                                  $6::uuid[], $7::text[])
             on conflict (task, model_id, asset_id) do update
                set revision = excluded.revision, owner_id = excluded.owner_id,
                    event_id = excluded.event_id, words = excluded.words
              where known.revision < excluded.revision",
        )
        .bind(keys().map(|(task, ..)| task.as_str()).collect::<Vec<_>>())
        .bind(keys().map(|(_, model_id, _)| *model_id).collect::<Vec<_>>())
        .bind(keys().map(|(.., asset_id)| *asset_id).collect::<Vec<_>>())
        .bind(rows().map(|(event, ..)| event.revision).collect::<Vec<_>>())
        .bind(rows().map(|(_, owner_id, _)| *owner_id).collect::<Vec<_>>())
        .bind(rows().map(|(event, ..)| event.event_id).collect::<Vec<_>>())
        .bind(rows().map(|(.., words)| words.clone()).collect::<Vec<_>>())
        .execute(tx)
        .await?;
        Ok(())
    }
}

async fn know_in_tx(tx: &mut PgConnection, known: &Known<'_>) -> Result<(), ProjectionError> {
    for ((task, result_id), model) in known {
        sqlx::query(
            "insert into models_v1 (result_id, task, model_id, name, revision, sha256)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (task, result_id) do nothing",
        )
        .bind(result_id)
        .bind(task.as_str())
        .bind(model.id())
        .bind(&model.name)
        .bind(&model.revision)
        .bind(&model.sha256)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

async fn apply_trial_in_tx(
    tx: &mut PgConnection,
    event: &Event,
    what: &ModelTrialEvent,
) -> Result<(), ProjectionError> {
    let (state, tried, failed) = match what {
        ModelTrialEvent::Begun(begun) => return begin_in_tx(tx, event, begun).await,
        ModelTrialEvent::Cancelled(_) => ("cancelled", None, None),
        ModelTrialEvent::Finished(finished) => {
            ("finished", Some(number(finished.tried)), Some(number(finished.failed)))
        }
    };
    sqlx::query(
        "update model_trials_v1
            set state = $3, ended_at = $4, tried = coalesce($5, tried),
                failed = coalesce($6, failed), revision = $2
          where trial_id = $1 and revision < $2",
    )
    .bind(event.key)
    .bind(event.revision)
    .bind(state)
    .bind(event.recorded_at)
    .bind(tried)
    .bind(failed)
    .execute(tx)
    .await?;
    Ok(())
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

async fn begin_in_tx(
    tx: &mut PgConnection,
    event: &Event,
    begun: &ModelTrialBegun,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "insert into model_trials_v1
                (trial_id, revision, task, name, model_id, model_name, model_revision,
                 model_sha256, user_ids, sample, state, begun_at, tried, failed)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11, 0, 0)
         on conflict (trial_id) do nothing",
    )
    .bind(event.key)
    .bind(event.revision)
    .bind(begun.task.as_str())
    .bind(&begun.name)
    .bind(begun.model.id())
    .bind(&begun.model.name)
    .bind(&begun.model.revision)
    .bind(&begun.model.sha256)
    .bind(begun.user_ids.iter().map(|user_id| user_id.uuid()).collect::<Vec<_>>())
    .bind(begun.sample.map(i64::from))
    .bind(event.recorded_at)
    .execute(tx)
    .await?;
    Ok(())
}

async fn apply_config_in_tx(
    tx: &mut PgConnection,
    event: &Event,
    what: &ConfigEvent,
) -> Result<(), ProjectionError> {
    let (task, name, model, former, is_rollback) = match what {
        ConfigEvent::ModelSwitched(it) => (it.task, &it.name, &it.model, &it.former, false),
        ConfigEvent::ModelRolledBack(it) => (it.task, &it.name, &it.model, &it.former, true),
        ConfigEvent::Changed(changed) => return leave_in_tx(tx, event, changed).await,
        ConfigEvent::LicenseEntered(_)
        | ConfigEvent::LicenseRemoved(_)
        | ConfigEvent::Onboarded(_)
        | ConfigEvent::OnboardingReset(_)
        | ConfigEvent::SecretsChanged(_) => return Ok(()),
    };
    sqlx::query(
        "insert into model_switches_v1 as known
                (task, event_id, revision, name, model_id, former_id, is_rollback, can_roll_back,
                 switched_at)
         values ($1, $2, $3, $4, $5, $6, $7, not $7, $8)
         on conflict (task) do update
            set event_id = excluded.event_id, revision = excluded.revision, name = excluded.name,
                model_id = excluded.model_id, former_id = excluded.former_id,
                is_rollback = excluded.is_rollback, can_roll_back = excluded.can_roll_back,
                switched_at = excluded.switched_at
          where known.revision < excluded.revision",
    )
    .bind(task.as_str())
    .bind(event.event_id)
    .bind(event.revision)
    .bind(name)
    .bind(model.id())
    .bind(former.id())
    .bind(is_rollback)
    .bind(event.recorded_at)
    .execute(tx)
    .await?;
    Ok(())
}

/// Whoever names a model by hand leaves the way back.
async fn leave_in_tx(
    tx: &mut PgConnection,
    event: &Event,
    changed: &ConfigChanged,
) -> Result<(), ProjectionError> {
    for task in ModelTask::ALL {
        let path = task.setting();
        if changed.set.contains_key(path) || changed.unset.iter().any(|it| it == path) {
            sqlx::query(
                "update model_switches_v1 set can_roll_back = false, revision = $2
                  where task = $1 and revision < $2",
            )
            .bind(task.as_str())
            .bind(event.revision)
            .execute(&mut *tx)
            .await?;
        }
    }
    Ok(())
}
