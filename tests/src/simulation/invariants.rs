//! What has to hold once nothing waits.

use std::collections::HashSet;
use std::sync::PoisonError;

use anyhow::{Context as _, bail, ensure};
use calotype_eventstore::GlobalPosition;
use calotype_projections::Runner;
use calotype_projections::rebuild::State;
use futures::StreamExt as _;
use serde_json::Value;
use uuid::Uuid;

use super::{RUNS_OF_A_STREAM, Report, Simulation, relay_options};
use crate::database::{ensure_same, truncate_read_tables};

/// Events whose stream's order is not that of the log, or that have no place in it.
const OUT_OF_ORDER: &str = "
    select stream_id, revision, position
    from (
        select e.stream_id, e.revision, p.position,
            lag(e.revision, 1, -1::bigint) over (partition by e.stream_id order by p.position) as before
        from log.events e
        left join log.positions p on p.event_id = e.event_id
    ) placed
    where position is null or revision <> before + 1
    limit 1";

impl Simulation {
    /// Looks at everything that has to hold.
    pub(super) async fn ensure_holds(&mut self) -> anyhow::Result<()> {
        self.ensure_nothing_acknowledged_is_lost().await?;
        self.ensure_order().await?;
        self.ensure_nothing_is_parked().await?;
        if self.report.runs.is_multiple_of(RUNS_OF_A_STREAM) {
            self.ensure_all_was_rung().await.context("JetStream")?;
        }
        self.ensure_rebuilds_are_the_same().await?;
        self.ensure_proof().await?;
        self.ensure_files().await.context("files")?;
        self.look_who_sees().await
    }

    /// Every event that somebody was told is safe is in the log, and has a place.
    pub(super) async fn ensure_nothing_acknowledged_is_lost(&self) -> anyhow::Result<()> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let lost: Vec<Uuid> = sqlx::query_scalar(
            "select told.event_id
               from unnest($1::uuid[]) as told (event_id)
              where not exists (select from log.events e join log.positions p using (event_id)
                                 where e.event_id = told.event_id)",
        )
        .bind(&told)
        .fetch_all(self.world.pool())
        .await?;
        ensure!(lost.is_empty(), "acknowledged events are lost: {lost:?}");
        Ok(())
    }

    /// The revisions of each stream rise by one in the order of the log, and every event has a place.
    async fn ensure_order(&self) -> anyhow::Result<()> {
        let wrong: Option<(String, i64, Option<i64>)> =
            sqlx::query_as(OUT_OF_ORDER).fetch_optional(self.world.pool()).await?;
        match wrong {
            None => Ok(()),
            Some((stream, revision, position)) => {
                bail!("{stream} has revision {revision} at position {position:?}, out of order")
            }
        }
    }

    /// No event is wrong, so what broke may have parked none for a read model.
    async fn ensure_nothing_is_parked(&self) -> anyhow::Result<()> {
        let parked: Vec<String> = sqlx::query_scalar(
            "select name || ': ' || stream_id || ': ' || reason from work.parked
              where kind = 'projection'",
        )
        .fetch_all(self.world.pool())
        .await?;
        ensure!(parked.is_empty(), "parked without a fault of its own: {parked:?}");
        Ok(())
    }

    /// Every event was rung for, but for those whose messages were lost with the stream; first times are in order.
    async fn ensure_all_was_rung(&self) -> anyhow::Result<()> {
        let stream = self.jetstream.get_stream(relay_options().stream).await?;
        let count = stream.get_info().await?.state.messages;
        let consumer = stream
            .create_consumer(async_nats::jetstream::consumer::pull::OrderedConfig::default())
            .await?;
        let mut messages = consumer.messages().await?;
        let (mut rung, mut last) = (HashSet::new(), 0);
        for _ in 0..count {
            let message = messages.next().await.context("the stream ended")??;
            let bell: Value = serde_json::from_slice(&message.payload)?;
            let position = bell["position"].as_i64().context("no position")?;
            if rung.insert(position) {
                ensure!(position > last, "position {position} was rung after {last}");
                last = position;
            }
        }
        let positions: Vec<i64> =
            sqlx::query_scalar("select position from log.positions where position > $1")
                .bind(self.lost_to)
                .fetch_all(self.world.pool())
                .await?;
        let missing = positions.iter().find(|position| !rung.contains(position));
        ensure!(missing.is_none(), "nobody rang for position {missing:?}");
        Ok(())
    }

    /// No rebuild stopped, and what was built is what was live.
    async fn ensure_rebuilds_are_the_same(&self) -> anyhow::Result<()> {
        let queries = self.queries();
        for status in queries.projections().await? {
            let Some(rebuild) = status.rebuild else { continue };
            ensure!(rebuild.state != State::Failed, "a rebuild stopped: {rebuild:?}");
            if let Some(comparison) = &rebuild.comparison {
                ensure!(
                    comparison.is_same(),
                    "{} was built otherwise: {:?}",
                    status.name,
                    queries.rebuild_of(&status.name).await?
                );
            }
        }
        Ok(())
    }

    /// The log is what its heads say.
    async fn ensure_proof(&self) -> anyhow::Result<()> {
        let report = self.proof.verify("", &[]).await?;
        ensure!(report.is_good(), "the log is not what was signed: {:?}", report.findings);
        ensure!(report.waiting == 0, "{} events wait for the tree", report.waiting);
        Ok(())
    }

    /// The files of assets are there, and those of assets that were deleted for good are gone.
    async fn ensure_files(&self) -> anyhow::Result<()> {
        for (asset_id, (_, sent)) in &self.files {
            let types: Vec<String> = sqlx::query_scalar(
                "select type from log.events where stream_id = 'asset-' || $1
                    and type in ('AssetUploaded', 'AssetPurged') order by revision",
            )
            .bind(asset_id.to_string())
            .fetch_all(self.world.pool())
            .await?;
            let is_there = self.worker.blobs.stat(&sent.key).await?.is_some();
            let is_asset = types.last().is_some_and(|last| last == "AssetUploaded");
            ensure!(is_there == is_asset, "{asset_id}: {types:?}, and its file there: {is_there}");
        }
        Ok(())
    }

    /// All read models made anew from the whole log are what the live ones are; says what happened in this life.
    ///
    /// # Errors
    /// They differ.
    pub async fn end(mut self) -> anyhow::Result<Report> {
        self.ensure_all_was_rung().await.context("JetStream")?;
        let (pool, store) = (self.world.pool().clone(), self.writing.store.clone());
        let live = self.world.rows().await?;
        truncate_read_tables(&pool).await?;
        sqlx::query("delete from work.checkpoints where name ~ '_v[0-9]+$'").execute(&pool).await?;
        let mut runner = Runner::new(pool.clone(), std::sync::Arc::new(store));
        runner.load().await?;
        runner.run_until_quiet().await?;
        let position = *runner.position().borrow();
        ensure!(position > GlobalPosition::START, "nothing was applied");
        ensure_same(&live, &self.world.rows().await?).context("made anew from the whole log")?;
        self.report.events = u64::try_from(self.world.events().await?)?;
        Ok(self.report)
    }
}
