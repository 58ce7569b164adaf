//! What happened to one photo, and questions to the whole log: the first page of each, in processor time.

use anyhow::{Context as _, ensure};
use calotype_eventstore::EventStore as _;
use calotype_tests::Client;

use crate::cpu::Used;
use crate::figures;
use crate::library::{Filled, applied, filled};

/// Times that each is asked.
const TIMES: u32 = 100;
/// Processor time of the history of an asset, in milliseconds.
const HISTORY_MS_MAX: f64 = 5.0;
/// The same of a page of what a question to the whole log finds.
const PAGE_MS_MAX: f64 = 50.0;
/// Events of a page.
const PAGE: u32 = 100;

/// Measures with a library of this many assets.
pub(crate) async fn measure(assets: u32) -> anyhow::Result<()> {
    figures::group(&format!("what happened to {assets} assets"));
    let Filled { mut server, admin, pool, store, .. } = filled(assets).await?;
    let asset_id: String = sqlx::query_scalar(
        "select asset_id::text from read.timeline_v2 order by md5(asset_id::text) limit 1",
    )
    .fetch_one(&pool)
    .await?;
    // Somebody else did one thing, behind everything that the first did.
    let friend = admin.create_user("friend@example.com").await?;
    let friend_id = friend.my_id().await?;
    applied(&pool, store.head().await?.get()).await?;
    let me = admin.my_id().await?;
    let path = |filter: &str| format!("/api/calotype/audit?limit={PAGE}&{filter}");
    let asked = [
        ("history of an asset", format!("/api/calotype/assets/{asset_id}/history"), HISTORY_MS_MAX),
        ("by an actor of everything", path(&format!("actor={me}")), PAGE_MS_MAX),
        ("by an actor of little", path(&format!("actor={friend_id}")), PAGE_MS_MAX),
        ("by a kind of object that is everywhere", path("kind=asset"), PAGE_MS_MAX),
        ("by a kind of object that is rare", path("kind=user"), PAGE_MS_MAX),
        ("by a type that is everywhere", path("kind=AssetMetadataRecorded"), PAGE_MS_MAX),
        ("by a type that never happened", path("kind=AssetTrashed"), PAGE_MS_MAX),
        ("of a day", path("from=2024-10-04T00:00:00Z&to=2024-10-05T00:00:00Z"), PAGE_MS_MAX),
        ("of a time before the first", path("to=2001-01-01T00:00:00Z"), PAGE_MS_MAX),
    ];
    for (what, path, target) in asked {
        // Only the first look is recorded, and the map is made once.
        events(&admin, &path).await?;
        let before = Used::by(&server)?;
        let mut found = 0;
        for _ in 0..TIMES {
            found = events(&admin, &path).await?;
        }
        let cpu_ms = Used::by(&server)?.since(before).as_secs_f64() * 1_000.0;
        figures::at_most(what, cpu_ms / f64::from(TIMES), target, "ms CPU");
        figures::note("  events told", figures::count(found), "");
        ensure!(found <= usize::try_from(PAGE)?, "a page has {found} events");
    }
    store.close().await;
    pool.close().await;
    server.terminate().await?;
    Ok(())
}

/// Asks for the first page, and says how many events it tells.
async fn events(admin: &Client, path: &str) -> anyhow::Result<usize> {
    let told = admin.get_json(path).await?;
    Ok(told["events"].as_array().context("no events")?.len())
}
