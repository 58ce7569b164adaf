//! A large library: writing its log, applying it to every read model, making the timeline anew, reading it.

use std::time::Instant;

use anyhow::Context as _;
use calotype_domain::UserId;
use calotype_eventstore::{EventStore, PostgresStore};
use calotype_projections::rebuild::rebuild;
use calotype_tests::{Client, Options, TestServer};
use sqlx::PgPool;
use std::sync::Arc;
use uuid::Uuid;

use crate::cpu::Used;
use crate::figures;
use crate::history::Written;
use crate::places::Places;
use crate::{batches, history, reads, searches, sync};

/// A server with a library, all of it applied.
pub(crate) struct Filled {
    pub(crate) server: TestServer,
    pub(crate) admin: Client,
    pub(crate) pool: PgPool,
    pub(crate) store: PostgresStore,
    places: Option<Places>,
}

/// Starts a server and fills it.
pub(crate) async fn filled(assets: u32) -> anyhow::Result<Filled> {
    // Neither relay nor processors: nothing waits to be processed.
    let options = Options {
        testing: false,
        arguments: vec!["--roles".to_owned(), "api,projections".to_owned()],
        ..Options::default()
    };
    let server = TestServer::start(options).await?;
    let admin = server.client().sign_up().await?;
    let owner_id: UserId = admin.my_id().await?.parse().context("an odd id")?;
    let (pool, store) = history::open_store(&server).await?;
    let places = Places::open()?;
    let cities = places.as_ref().map_or(0, Places::count);
    figures::note("cities that photos were taken in", figures::count(cities), "");

    let written = history::write(&server, &store, owner_id, assets, places.as_ref()).await?;
    let Written { events, took } = written;
    figures::note("its log written, applied meanwhile", events / took.as_secs_f64(), "events/s");
    let head = store.head().await?.get();
    let begun = Instant::now();
    applied(&pool, head).await?;
    let all = took + begun.elapsed();
    figures::note("applied to all read models", events / all.as_secs_f64(), "events/s");
    sqlx::query("vacuum analyze").execute(&pool).await.ok();
    Ok(Filled { server, admin, pool, store, places })
}

/// Waits until every read model has come to a position.
pub(crate) async fn applied(pool: &PgPool, position: i64) -> anyhow::Result<()> {
    loop {
        let at: i64 =
            sqlx::query_scalar("select min(position) from work.checkpoints where name <> 'relay'")
                .fetch_one(pool)
                .await?;
        if at >= position {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// Measures requests about many assets, with a library of this many.
pub(crate) async fn measure_batches(assets: u32) -> anyhow::Result<()> {
    figures::group(&format!("requests about many of {assets} assets"));
    let Filled { mut server, admin, pool, store, .. } = filled(assets).await?;
    store.close().await;
    pool.close().await;
    batches::measure(&server, &admin).await?;
    server.terminate().await?;
    Ok(())
}

/// Measures with a library of this many assets.
pub(crate) async fn measure(assets: u32, full: bool) -> anyhow::Result<()> {
    figures::group(&format!("a library of {assets} assets in 181 months"));
    let Filled { mut server, admin, pool, store, places } = filled(assets).await?;
    rebuild_timeline(&server, &pool, &store).await?;
    store.close().await;
    pool.close().await;

    reads::measure(&server, &admin, full).await?;
    searches::measure(&server, &admin, places.as_ref(), full).await?;
    sync::measure(&server, &admin).await?;
    server.terminate().await?;
    Ok(())
}

/// Measures making the timeline anew from a log that nothing else has applied: all that a rebuild does,
/// without the wait for the other read models.
pub(crate) async fn measure_rebuild(assets: u32) -> anyhow::Result<()> {
    figures::group(&format!("the log of {assets} assets"));
    let options = Options {
        testing: false,
        arguments: vec!["--roles".to_owned(), "api".to_owned()],
        ..Options::default()
    };
    let mut server = TestServer::start(options).await?;
    let (pool, store) = history::open_store(&server).await?;
    let owner_id: UserId = Uuid::from_u128(1).into();
    let places = Places::open()?;
    let written = history::write(&server, &store, owner_id, assets, places.as_ref()).await?;
    figures::note("its log written", written.events / written.took.as_secs_f64(), "events/s");
    rebuild_timeline(&server, &pool, &store).await?;
    store.close().await;
    pool.close().await;
    server.terminate().await?;
    Ok(())
}

async fn rebuild_timeline(
    server: &TestServer,
    pool: &PgPool,
    store: &PostgresStore,
) -> anyhow::Result<()> {
    let shared: Arc<dyn EventStore> = Arc::new(store.clone());
    let before = Used::by(server)?.plus(Used::here()?);
    let begun = Instant::now();
    let rebuilt = rebuild(pool, &shared, "timeline").await?;
    let wall = begun.elapsed();
    let cpu = Used::by(server)?.plus(Used::here()?).since(before);
    let rebuilt = f64::from(u32::try_from(rebuilt.events)?);
    let what = "timeline made anew, per second of processor time";
    figures::at_least(what, rebuilt / cpu.as_secs_f64(), 30_000.0, "events/s");
    figures::note("timeline made anew, by the clock", rebuilt / wall.as_secs_f64(), "events/s");
    Ok(())
}
