//! The tree over the log: taking events in, looking at the whole log, proving one event.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use calotype_domain::UserId;
use calotype_eventstore::{
    EventStore as _, GlobalPosition, PostgresStore, ProofLog, Prover, ProverOptions, Selection,
};
use calotype_tests::{Options, TestServer};
use uuid::Uuid;

use crate::cpu::Used;
use crate::{figures, history};

/// Proofs of which the mean is told.
const PROOFS: u32 = 200;

/// Measures with the log of a library of this many assets.
pub(crate) async fn measure(assets: u32) -> anyhow::Result<()> {
    figures::group(&format!("proofs over the log of {assets} assets"));
    let options = Options {
        testing: false,
        arguments: vec!["--roles".to_owned(), "api".to_owned()],
        ..Options::default()
    };
    let mut server = TestServer::start(options).await?;
    let (pool, store) = history::open_store(&server).await?;
    let owner_id: UserId = Uuid::from_u128(1).into();
    let written = history::write(&server, &store, owner_id, assets, None).await?;
    figures::note("its log written", written.events / written.took.as_secs_f64(), "events/s");
    let scratch = server.scratch().join("heads");
    let log = ProofLog::new(pool.clone(), server.data().join("keys"), scratch);
    log.sign().await?.context("an empty log")?;

    let (before, begun) = (Used::by(&server)?.plus(Used::here()?), Instant::now());
    let report = log.verify("", &[]).await?;
    let wall = begun.elapsed();
    let cpu = Used::by(&server)?.plus(Used::here()?).since(before);
    ensure!(report.is_good(), "{:?}", report.findings);
    let looked_at = f64::from(u32::try_from(report.events)?);
    figures::at_least("verified", looked_at / wall.as_secs_f64(), 200_000.0, "events/s");
    figures::note("per second of processor time", looked_at / cpu.as_secs_f64(), "events/s");

    let rebuilding = Instant::now();
    log.rebuild().await?;
    figures::note("taken in", looked_at / rebuilding.elapsed().as_secs_f64(), "events/s");

    let events: Vec<Uuid> = sqlx::query_scalar(
        "select event_id from log.positions order by md5(position::text) limit $1",
    )
    .bind(i64::from(PROOFS))
    .fetch_all(&pool)
    .await?;
    let proving = Instant::now();
    for event_id in &events {
        ensure!(log.inclusion(*event_id).await?.holds());
    }
    let each_ms = proving.elapsed().as_secs_f64() * 1_000.0 / figures::count(events.len());
    figures::at_most("a proof of one event", each_ms, 10.0, "ms");
    audit(&store, "a question that fits nothing, without a map").await?;
    let mapping = Instant::now();
    let prover = Prover::new(store.clone(), log.clone(), ProverOptions::default());
    while prover.map_once().await? {}
    figures::note("the map made", looked_at / mapping.elapsed().as_secs_f64(), "events/s");
    audit(&store, "a question that fits nothing").await?;
    store.close().await;
    pool.close().await;
    server.terminate().await?;
    Ok(())
}

/// Asks the whole log for something that never happened.
async fn audit(store: &PostgresStore, what: &str) -> anyhow::Result<()> {
    let never = Selection { event_type: Some("NeverHappened".to_owned()), ..Selection::default() };
    let (asking, head) = (Instant::now(), store.head().await?);
    let mut after = GlobalPosition::START;
    while after < head {
        after = store.read_selected(after, &never, 100).await?.looked_to;
    }
    figures::note(what, asking.elapsed().as_secs_f64(), "s");
    Ok(())
}
