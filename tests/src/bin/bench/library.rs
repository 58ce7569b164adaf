//! A large library: writing its log, applying it to every read model, making the timeline anew, reading it.

use std::time::Instant;

use anyhow::Context as _;
use calotype_domain::UserId;
use calotype_eventstore::EventStore;
use calotype_projections::rebuild::rebuild;
use calotype_tests::{Options, TestServer};
use std::sync::Arc;

use crate::cpu::Used;
use crate::figures;
use crate::{history, reads, searches, sync};

/// Measures with a library of this many assets.
pub(crate) async fn measure(assets: u32, full: bool) -> anyhow::Result<()> {
    figures::group(&format!("a library of {assets} assets in 181 months"));
    // Neither relay nor processors: nothing waits to be processed.
    let roles = |roles: &str| Options {
        testing: false,
        arguments: vec!["--roles".to_owned(), roles.to_owned()],
        ..Options::default()
    };
    let mut server = TestServer::start(roles("api,projections")).await?;
    let admin = server.client().sign_up().await?;
    let owner_id: UserId = admin.my_id().await?.parse().context("an odd id")?;
    let (pool, store) = history::open_store(&server).await?;
    let events = f64::from(assets) * 3.0;

    let took = history::write(&server, &store, owner_id, assets).await?;
    figures::note("its log written, applied meanwhile", events / took.as_secs_f64(), "events/s");
    let head = store.head().await?.get();
    let begun = Instant::now();
    loop {
        let at: i64 =
            sqlx::query_scalar("select min(position) from work.checkpoints where name <> 'relay'")
                .fetch_one(&pool)
                .await?;
        if at >= head {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let all = took + begun.elapsed();
    figures::note("applied to all read models", events / all.as_secs_f64(), "events/s");
    sqlx::query("vacuum analyze").execute(&pool).await.ok();

    let shared: Arc<dyn EventStore> = Arc::new(store.clone());
    let before = Used::by(&server)?.plus(Used::here()?);
    let begun = Instant::now();
    let rebuilt = rebuild(&pool, &shared, "timeline").await?;
    let wall = begun.elapsed();
    let cpu = Used::by(&server)?.plus(Used::here()?).since(before);
    let rebuilt = f64::from(u32::try_from(rebuilt.events)?);
    let what = "timeline made anew, per second of processor time";
    figures::at_least(what, rebuilt / cpu.as_secs_f64(), 30_000.0, "events/s");
    figures::note("timeline made anew, by the clock", rebuilt / wall.as_secs_f64(), "events/s");
    store.close().await;
    pool.close().await;

    reads::measure(&server, &admin, full).await?;
    searches::measure(&server, &admin, full).await?;
    sync::measure(&server, &admin).await?;
    server.terminate().await?;
    Ok(())
}
