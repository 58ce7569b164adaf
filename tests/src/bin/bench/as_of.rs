//! The log as it was: a whole timeline told of moments between which little or everything changed.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use calotype_domain::asset::AssetFavorited;
use calotype_domain::event::DomainEvent as _;
use calotype_domain::{UserId, asset::AssetEvent};
use calotype_eventstore::{
    Append, EventStore as _, ExpectedRevision, NewEvent, PostgresStore, StreamId,
};
use calotype_tests::Client;
use serde_json::Value;
use uuid::Uuid;

use crate::cpu::{self, Used};
use crate::library::{Filled, applied, filled};
use crate::{figures, history};

/// Times that each moment is asked for; the slowest is told.
const TIMES: usize = 5;
/// Assets marked in one append.
const MARKED_AT_ONCE: usize = 1_000;
/// How long an answer about a moment may take.
const SECONDS_MAX: f64 = 2.0;

/// Measures with a library of this many assets.
pub(crate) async fn measure(assets: u32) -> anyhow::Result<()> {
    figures::group(&format!("a library of {assets} assets as it was"));
    let Filled { mut server, admin, pool, store, .. } = filled(assets).await?;
    let written = store.head().await?.get();
    let owner_id: UserId = admin.my_id().await?.parse().context("an odd id")?;
    mark_all(&store, owner_id).await?;
    applied(&pool, store.head().await?.get()).await?;
    sqlx::query("vacuum analyze").execute(&pool).await.ok();
    let head = store.head().await?.get();

    let moments = [
        ("timeline now", head),
        ("timeline before half was marked", written + (head - written) / 2),
        ("timeline before all was marked", written),
        ("timeline when half was there", written / 2),
        ("timeline when a tenth was there", written / 10),
    ];
    for (what, position) in moments {
        let (before, begun) = (Used::by(&server)?, Instant::now());
        let mut slowest: f64 = 0.0;
        let mut shown = 0;
        for _ in 0..TIMES {
            let asking = Instant::now();
            shown = months(&admin, position).await?;
            slowest = slowest.max(asking.elapsed().as_secs_f64());
        }
        let (wall, cpu) = (begun.elapsed(), Used::by(&server)?.since(before));
        ensure!(shown > 0, "nothing was there at position {position}");
        figures::at_most(what, slowest, SECONDS_MAX, "s");
        let times = figures::count(TIMES);
        figures::note("  assets shown", figures::count(usize::try_from(shown)?), "");
        figures::note("  mean, by the clock", wall.as_secs_f64() / times, "s");
        figures::note("  mean, processor time", cpu.as_secs_f64() / times, "s");
    }
    figures::note("memory of the server", cpu::memory_mb(&server)?, "MB");
    store.close().await;
    pool.close().await;
    server.terminate().await?;
    Ok(())
}

/// Asks for the months of a moment, and adds up how many assets they hold.
async fn months(admin: &Client, position: i64) -> anyhow::Result<u64> {
    let told = admin.get_json(&format!("/api/calotype/as-of/timeline?at={position}")).await?;
    let months = told["months"].as_array().context("no months")?;
    Ok(months.iter().filter_map(|month: &Value| month["count"].as_u64()).sum())
}

/// Marks every asset as a favorite, as a request about all of them would.
async fn mark_all(store: &PostgresStore, owner_id: UserId) -> anyhow::Result<()> {
    let mut after = calotype_eventstore::GlobalPosition::START;
    let mut last = None;
    loop {
        let events = store.read_all(after, 10_000).await?;
        let Some(end) = events.last().and_then(|event| event.position) else { break };
        after = end;
        let uploaded = events.into_iter().filter(|event| event.event_type == "AssetUploaded");
        let streams: Vec<StreamId> = uploaded.map(|event| event.stream_id).collect();
        for some in streams.chunks(MARKED_AT_ONCE) {
            let appends = some.iter().map(mark).collect::<anyhow::Result<_>>()?;
            let appended = store.append(appends, history::envelope(owner_id)).await?;
            last = appended.last().map(|it| it.last_event_id);
        }
    }
    let last = last.context("no assets")?;
    store.wait_sequenced(last, history::SEQUENCED_LIMIT).await?.context("not sequenced")?;
    Ok(())
}

fn mark(stream_id: &StreamId) -> anyhow::Result<Append> {
    let raw = AssetEvent::from(AssetFavorited {}).to_raw()?;
    Ok(Append {
        stream_id: stream_id.clone(),
        expected: ExpectedRevision::Any,
        subject: None,
        events: vec![NewEvent {
            event_id: Uuid::new_v5(&Uuid::NAMESPACE_OID, stream_id.as_str().as_bytes()),
            event_type: raw.event_type,
            version: raw.version,
            payload: raw.payload,
            attachments: Vec::new(),
        }],
    })
}
