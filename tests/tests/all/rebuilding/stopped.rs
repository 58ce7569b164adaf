//! A rebuild is strict: it stops at the first event that it cannot apply, names it, and the live read model is as
//! before.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_eventstore::testing::{TestDatabase, database};
use calotype_eventstore::{EventStore, Keyring, PostgresOptions, PostgresStore, Sequencer};
use calotype_projections::rebuild::{State, Wish};
use calotype_projections::{ProjectionError, Queries, Runner};
use calotype_tests::database::{ensure_same, read_rows};
use calotype_tests::waiting::until;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::tables_in;
use crate::parked::{added, envelope, event, partner};

/// How long something may take that a task does by itself.
const SOON: Duration = Duration::from_secs(60);

/// A log with sharings, one of which has an event that nobody can read.
struct Broken {
    database: TestDatabase,
    store: Arc<dyn EventStore>,
    queries: Queries,
    broken_id: Uuid,
    stream: String,
}

impl Broken {
    async fn new() -> anyhow::Result<Self> {
        let database = database().await;
        let pool = database.pool.clone();
        let keys = Keyring::from_bytes([7; 32]);
        let store = PostgresStore::connect(pool.clone(), keys, PostgresOptions::default()).await?;
        let shared: Arc<dyn EventStore> = Arc::new(store.clone());
        let broken = event("PartnerTimelineChanged", json!({ "in_timeline": "perhaps" }));
        let broken_id = broken.event_id;
        let told = || event("PartnerTimelineChanged", json!({ "in_timeline": true }));
        let (_, good) = partner(vec![added(), told()]);
        let (bad, events) = partner(vec![added(), broken, told()]);
        let (_, late) = partner(vec![added()]);
        for append in [good, events, late] {
            shared.append(vec![append], envelope()).await?;
        }
        let sequencer = Sequencer::new(store);
        while sequencer.step().await? > 0 {}
        Runner::new(pool.clone(), shared.clone()).run_until_quiet().await?;
        let queries = Queries::new(pool, shared.clone());
        Ok(Self { database, store: shared, queries, broken_id, stream: format!("partner-{bad}") })
    }
}

#[tokio::test]
async fn event_that_cannot_be_applied_is_named_and_the_live_one_untouched() -> anyhow::Result<()> {
    let broken = Broken::new().await?;
    let Broken { database, queries, .. } = &broken;
    let live = read_rows(&database.pool).await?;

    let stopped = queries.rebuild("partners").await;

    ensure!(matches!(stopped, Err(ProjectionError::Stopped { .. })), "{stopped:?}");
    ensure_same(&live, &read_rows(&database.pool).await?)?;
    let rebuild = queries.rebuild_of("partners").await?.context("no rebuild")?;
    let failure = rebuild.failure.as_ref().context("no failure")?;
    ensure!(rebuild.state == State::Failed, "{rebuild:?}");
    ensure!(failure.event_id == Some(broken.broken_id), "{failure:?}");
    ensure!(failure.stream_id.as_ref() == Some(&broken.stream), "{failure:?}");
    ensure!(failure.event_type.as_deref() == Some("PartnerTimelineChanged"), "{failure:?}");
    ensure!(failure.reason.contains("expected a boolean"), "{failure:?}");
    ensure!(!failure.reason.contains("perhaps"), "the value is told: {failure:?}");
    // Everything before it is there: three events of good streams, and the first of the broken one.
    ensure!(failure.position == Some(rebuild.position + 1), "{rebuild:?}");
    ensure!(rebuild.events == 3, "{rebuild:?}");

    // Nothing is begun over what waits; given up by an operator, the event holds nobody up any more.
    ensure!(queries.start_rebuild("partners", Wish::Diff, None).await.is_err(), "two at once");
    queries.discard_parked("partners_v1", &broken.stream, "test").await?;
    queries.change_rebuild("partners", Some(false), None).await?;
    queries.rebuilder().work().await?;
    let done = queries.rebuild_of("partners").await?.context("no rebuild")?;
    ensure!(done.state == State::Done && done.failure.is_none(), "{done:?}");
    // The position that is skipped is passed, too.
    ensure!(done.events == 6, "{done:?}");
    ensure!(done.comparison.is_some_and(|compared| compared.is_same()), "other rows");
    Ok(())
}

#[tokio::test]
async fn who_goes_with_it_is_not_stopped() -> anyhow::Result<()> {
    let broken = Broken::new().await?;
    let Broken { queries, .. } = &broken;
    for name in ["partners", "timeline", "sync"] {
        queries.start_rebuild(name, Wish::Rebuild, None).await?;
    }

    queries.rebuilder().work().await?;

    for (name, state) in
        [("partners", State::Failed), ("timeline", State::Done), ("sync", State::Failed)]
    {
        let rebuild = queries.rebuild_of(name).await?.context("no rebuild")?;
        ensure!(rebuild.state == state, "{name}: {rebuild:?}");
        let failure = rebuild.failure.as_ref();
        let named = failure.and_then(|failure| failure.event_id);
        let expected = (state == State::Failed).then_some(broken.broken_id);
        ensure!(named == expected, "{name}: {failure:?}");
        // Everything before it is there.
        let stands = failure.and_then(|failure| failure.position).map(|at| at - 1);
        ensure!(stands.is_none_or(|at| at == rebuild.position), "{name}: {rebuild:?}");
    }
    Ok(())
}

#[tokio::test]
async fn diff_stops_there_as_well_and_can_be_given_up() -> anyhow::Result<()> {
    let Broken { database, queries, .. } = Broken::new().await?;
    queries.start_rebuild("partners", Wish::Diff, None).await?;
    queries.rebuilder().work().await?;
    let rebuild = queries.rebuild_of("partners").await?.context("no rebuild")?;
    ensure!(rebuild.state == State::Failed, "{rebuild:?}");
    queries.discard_rebuild("partners").await?;
    ensure!(tables_in(&database.pool, "read_next").await?.is_empty(), "tables were left");
    Ok(())
}

#[tokio::test]
async fn rollback_takes_in_what_was_parked_when_it_was_live() -> anyhow::Result<()> {
    let broken = Broken::new().await?;
    let Broken { database, queries, .. } = &broken;
    // The live one has not the last event of the broken stream; what is built has it.
    broken.store.skip(broken.broken_id, "cannot be read", "test").await?;
    queries.rebuild("partners").await?;
    let rebuilt = read_rows(&database.pool).await?;
    let parked = queries.parked_of(&broken.stream).await?;
    ensure!(parked.iter().all(|it| it.name != "partners_v1"), "{parked:?}");

    queries.start_rebuild("partners", Wish::Rollback, None).await?;
    queries.rebuilder().work().await?;

    let done = queries.rebuild_of("partners").await?.context("no rebuild")?;
    ensure!(done.state == State::Done, "{done:?}");
    ensure_same(&rebuilt, &read_rows(&database.pool).await?)
}

#[tokio::test]
async fn what_waits_for_a_former_version_is_forgotten_once_it_is_passed() -> anyhow::Result<()> {
    let broken = Broken::new().await?;
    let Broken { database, queries, stream, .. } = &broken;
    let pool = &database.pool;
    // As an earlier release left it, in which the sync was of version 1; and one of a later release.
    sqlx::query(
        "insert into work.checkpoints (name, position) values ('sync_v1', 5), ('sync_v99', 5)",
    )
    .execute(pool)
    .await?;
    sqlx::query(
        "insert into work.parked (kind, name, stream_id, event_id, position, type, reason, code)
         select 'projection', former, 'asset-gone', gen_random_uuid(), 3, '', 'r', 'failed'
           from unnest(array['sync_v1', 'sync_v99', 'removed_v1']) as former",
    )
    .execute(pool)
    .await?;
    ensure!(queries.is_held_up("asset-gone").await?, "it is not held up");
    let names = async || -> anyhow::Result<Vec<String>> {
        let select = "select name from work.parked where stream_id = 'asset-gone' order by name";
        Ok(sqlx::query_scalar(select).fetch_all(pool).await?)
    };

    let cancel = CancellationToken::new();
    let running = Runner::new(pool.clone(), broken.store.clone()).run(cancel.clone());
    let looking = async {
        let gone = until("what waits for the former version", SOON, async || {
            Ok((!names().await?.contains(&"sync_v1".to_owned())).then_some(()))
        })
        .await;
        cancel.cancel();
        gone
    };
    let ((), gone) = tokio::join!(running, looking);
    gone?;

    ensure!(names().await? == ["removed_v1", "sync_v99"], "{:?}", names().await?);
    let position: i64 =
        sqlx::query_scalar("select position from work.checkpoints where name = 'sync_v1'")
            .fetch_one(pool)
            .await?;
    ensure!(position == 2, "a release with that version would go on at {position}");
    ensure!(queries.parked_of(stream).await?.iter().any(|it| it.name == "partners_v1"), "too much");

    // What no release of here knows an operator can give up; nothing is skipped for it.
    let retried = queries.retry_parked("removed_v1", "asset-gone").await?;
    ensure!(retried.left == 1 && retried.reason.is_some(), "{retried:?}");
    for name in ["removed_v1", "sync_v99"] {
        queries.discard_parked(name, "asset-gone", "test").await?;
    }
    ensure!(names().await?.is_empty() && !queries.is_held_up("asset-gone").await?, "still there");
    Ok(())
}
