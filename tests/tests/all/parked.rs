//! An event that nobody can read costs its own stream, and nothing else; what processors parked stays parked until
//! it is settled.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use calotype_commands::assets::Findings;
use calotype_domain::IdGen as _;
use calotype_domain::asset::{Asset, AssetProcessingFailed, ProcessorRef, Stage};
use calotype_domain::queue::QueueCommand;
use calotype_eventstore::testing::database;
use calotype_eventstore::{
    Actor, ActorKind, Append, Envelope, EventStore, ExpectedRevision, Keyring, NewEvent,
    PostgresOptions, PostgresStore, Sequencer, StreamId,
};
use calotype_projections::{ProjectionError, Queries, Runner};
use calotype_tests::database::truncate_read_tables;
use calotype_tests::ids::{SeededIds, any_seed};
use calotype_tests::walk::World;
use chrono::DateTime;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

fn any_id() -> Uuid {
    SeededIds::new(any_seed()).v4()
}

pub(crate) fn event(event_type: &str, payload: Value) -> NewEvent {
    let event_id = any_id();
    NewEvent {
        event_id,
        event_type: event_type.into(),
        version: 1,
        payload,
        attachments: Vec::new(),
    }
}

pub(crate) fn partner(events: Vec<NewEvent>) -> (Uuid, Append) {
    let id = any_id();
    let stream_id = StreamId::new("partner", id);
    let expected = ExpectedRevision::NoStream;
    (id, Append { stream_id, expected, subject: None, events })
}

pub(crate) fn added() -> NewEvent {
    let payload = json!({ "shared_by_id": any_id(), "shared_with_id": any_id() });
    event("PartnerAdded", payload)
}

pub(crate) fn envelope() -> Envelope {
    Envelope {
        actor: Actor { kind: ActorKind::System, id: "test".into(), user_id: None },
        client: None,
        correlation_id: any_id(),
        causation_id: None,
        recorded_at: DateTime::UNIX_EPOCH,
    }
}

#[tokio::test]
async fn what_cannot_be_read_parks_its_stream_and_the_rest_goes_on() -> anyhow::Result<()> {
    let database = database().await;
    let pool = database.pool.clone();
    let keys = Keyring::from_bytes([7; 32]);
    let store = PostgresStore::connect(pool.clone(), keys, PostgresOptions::default()).await?;
    let shared: Arc<dyn EventStore> = Arc::new(store.clone());
    let sequencer = Sequencer::new(store);
    let mut runner = Runner::new(pool.clone(), shared.clone());
    let told = json!({ "in_timeline": true });
    let broken = event("PartnerTimelineChanged", json!({ "in_timeline": "perhaps" }));
    let broken_id = broken.event_id;
    let (bad, bad_events) =
        partner(vec![added(), broken, event("PartnerTimelineChanged", told.clone())]);
    let (good, good_events) = partner(vec![added(), event("PartnerTimelineChanged", told)]);
    shared.append(vec![bad_events], envelope()).await?;
    shared.append(vec![good_events], envelope()).await?;
    while sequencer.step().await? > 0 {}

    runner.run_until_quiet().await?;

    let shown = async |id: Uuid| -> anyhow::Result<Option<bool>> {
        let row =
            sqlx::query_scalar("select in_timeline from read.partners_v1 where partner_id = $1");
        Ok(row.bind(id).fetch_optional(&pool).await?)
    };
    ensure!(*runner.position().borrow() == shared.head().await?, "the reader stopped");
    ensure!(shown(good).await? == Some(true), "another stream was held up");
    ensure!(shown(bad).await? == Some(false), "a later event was applied to a wrong state");
    let queries = Queries::new(pool.clone(), shared.clone());
    let stream = format!("partner-{bad}");
    let parked = queries.parked_of(&stream).await?;
    let mine = parked.iter().filter(|it| it.name == "partners_v1");
    let codes: Vec<&str> = mine.map(|it| it.code.as_str()).collect();
    ensure!(codes == ["unreadable", "behind"], "{parked:?}");
    let reason = &parked.first().context("nothing is parked")?.reason;
    ensure!(
        reason.contains("PartnerTimelineChanged") && reason.contains("expected a boolean"),
        "{reason}"
    );
    ensure!(!reason.contains("perhaps"), "the value is told: {reason}");

    let retried = queries.retry_parked("partners_v1", &stream).await?;
    ensure!(retried.applied == 0 && retried.left == 2, "{retried:?}");
    let given_up = queries.discard_parked("partners_v1", &stream, "test").await?;
    ensure!(given_up.applied == 1 && given_up.left == 0, "{given_up:?} without {broken_id}");
    ensure!(shown(bad).await? == Some(true), "the rest of the stream is lost");
    Ok(())
}

#[tokio::test]
async fn what_takes_access_away_is_not_given_up() -> anyhow::Result<()> {
    let database = database().await;
    let pool = database.pool.clone();
    let keys = Keyring::from_bytes([7; 32]);
    let store = PostgresStore::connect(pool.clone(), keys, PostgresOptions::default()).await?;
    let shared: Arc<dyn EventStore> = Arc::new(store.clone());
    let sequencer = Sequencer::new(store);
    let mut runner = Runner::new(pool.clone(), shared.clone());
    let (id, events) = partner(vec![added(), event("PartnerRemoved", json!("no object"))]);
    shared.append(vec![events], envelope()).await?;
    while sequencer.step().await? > 0 {}
    runner.run_until_quiet().await?;
    let queries = Queries::new(pool.clone(), shared.clone());
    let stream = format!("partner-{id}");
    let parked = queries.parked_of(&stream).await?;
    ensure!(parked.iter().any(|it| it.name == "partners_v1"), "{parked:?}");

    let refused = queries.discard_parked("partners_v1", &stream, "test").await;

    ensure!(matches!(refused, Err(ProjectionError::TakesAway { .. })), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn an_event_of_a_newer_release_stops_its_readers() -> anyhow::Result<()> {
    let database = database().await;
    let pool = database.pool.clone();
    let keys = Keyring::from_bytes([7; 32]);
    let store = PostgresStore::connect(pool.clone(), keys, PostgresOptions::default()).await?;
    let shared: Arc<dyn EventStore> = Arc::new(store.clone());
    let sequencer = Sequencer::new(store);
    let mut runner = Runner::new(pool.clone(), shared.clone());
    let (_, append) = partner(vec![NewEvent { version: 99, ..added() }]);
    shared.append(vec![append], envelope()).await?;
    while sequencer.step().await? > 0 {}

    let stopped = runner.run_until_quiet().await;

    ensure!(stopped.is_err(), "what a newer release means was left out");
    let parked: i64 =
        sqlx::query_scalar("select count(*) from work.parked").fetch_one(&pool).await?;
    ensure!(parked == 0, "{parked} events were parked");
    Ok(())
}

#[tokio::test]
async fn what_processors_parked_outlives_empty_read_tables() -> anyhow::Result<()> {
    let mut world = World::new(21).await?;
    let owner_id = world.somebody().await?;
    let worker = world.worker().await?;
    let taken = DateTime::UNIX_EPOCH;
    let (dismissed, cleared) =
        (world.photo(owner_id, taken).await?, world.photo(owner_id, taken).await?);
    for asset_id in [dismissed, cleared] {
        let failures = vec![AssetProcessingFailed {
            stage: Stage::Metadata,
            processor: ProcessorRef { name: "metadata".into(), version: 1 },
            input_blake3: asset_id.to_string(),
            code: "corrupt".into(),
            reason: "the file ends too early".into(),
        }];
        let findings = Findings { failures, ..Findings::default() };
        let known = world.commands().load::<Asset>(&StreamId::new("asset", asset_id)).await?;
        let known = (known.0, known.1.context("no asset")?);
        let ctx = world.by(None);
        world.commands().record_findings(&ctx, asset_id, known, &findings).await?;
        sqlx::query(
            "insert into work.parked (kind, name, stream_id, event_id, type, reason, code)
             values ('processor', 'develop', $1, $2, '', 'r', 'corrupt')",
        )
        .bind(format!("asset-{asset_id}"))
        .bind(any_id())
        .execute(world.pool())
        .await?;
    }
    world.follow().await?;
    let parked = async |world: &World| -> anyhow::Result<Vec<String>> {
        let sql = "select stream_id from work.parked order by stream_id";
        Ok(sqlx::query_scalar(sql).fetch_all(world.pool()).await?)
    };
    let run = async |world: &World| -> anyhow::Result<()> {
        while worker.run_errands_once(world.applied()).await? {}
        Ok(())
    };

    truncate_read_tables(world.pool()).await?;
    worker.forget_settled().await?;
    worker.reconcile_now().await?;
    run(&world).await?;
    ensure!(parked(&world).await?.len() == 2, "parked work was forgotten");
    world.rebuild().await?;
    world.follow().await?;

    let ctx = world.by(None);
    world.commands().dismiss_failure(&ctx, &[dismissed], Stage::Metadata).await?;
    world.follow().await?;
    let cancelled = CancellationToken::new();
    cancelled.cancel();
    Box::pin(worker.clone().reconcile(cancelled)).await;
    ensure!(parked(&world).await?.len() == 2, "it worked though it was to stop");
    run(&world).await?;
    ensure!(parked(&world).await? == [format!("asset-{cleared}")], "{:?}", parked(&world).await?);
    let ctx = world.by(None);
    let clear = QueueCommand::ClearFailures;
    world.commands().control_queue(&ctx, "metadataExtraction", clear).await?;
    world.follow().await?;
    run(&world).await?;
    ensure!(parked(&world).await?.is_empty(), "it is still parked");
    Ok(())
}
