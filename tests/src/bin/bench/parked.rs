//! What a stream that is parked costs those that are not: the same events applied before and after.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use calotype_domain::UserId;
use calotype_domain::asset::{AssetEvent, AssetFavorited, AssetUnfavorited};
use calotype_domain::event::DomainEvent as _;
use calotype_eventstore::{
    Append, EventStore as _, ExpectedRevision, GlobalPosition, NewEvent, PostgresStore, StreamId,
};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use crate::cpu::Used;
use crate::library::{Filled, applied, filled};
use crate::{figures, history};

/// Times that every asset is marked and unmarked, with and without.
const ROUNDS: u32 = 3;
/// Assets marked in one append.
const MARKED_AT_ONCE: usize = 1_000;
/// How many more of a processor's seconds an event may cost: what two measurements of the same differ by.
const RATIO_MAX: f64 = 1.05;

/// Measures with a library of this many assets.
pub(crate) async fn measure(assets: u32) -> anyhow::Result<()> {
    figures::group(&format!("events of {assets} assets applied beside a stream that is parked"));
    let Filled { mut server, admin, pool, store, .. } = filled(assets).await?;
    let owner_id: UserId = admin.my_id().await?.parse().context("an odd id")?;
    let streams = streams(&store).await?;
    let mut each_us = Vec::new();
    for is_parked in [false, true] {
        if is_parked {
            park(&store, &pool, owner_id).await?;
        }
        let mut best = f64::MAX;
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let before = Used::by(&server)?;
            mark_and_unmark(&store, &pool, owner_id, &streams).await?;
            let cpu = Used::by(&server)?.since(before).as_secs_f64();
            let events = figures::count(streams.len() * 2);
            best = best.min(cpu * 1e6 / events);
            figures::note("  a round, by the clock", begun.elapsed().as_secs_f64(), "s");
        }
        each_us.push(best);
    }
    let [without, with] = each_us[..] else { anyhow::bail!("not both were measured") };
    figures::note("an event written and applied, nothing parked", without, "us CPU");
    figures::at_most("the same beside a parked stream", with, without * RATIO_MAX, "us CPU");
    store.close().await;
    pool.close().await;
    server.terminate().await?;
    Ok(())
}

async fn streams(store: &PostgresStore) -> anyhow::Result<Vec<StreamId>> {
    let (mut streams, mut after) = (Vec::new(), GlobalPosition::START);
    loop {
        let events = store.read_all(after, 10_000).await?;
        let Some(end) = events.last().and_then(|event| event.position) else { return Ok(streams) };
        after = end;
        let uploaded = events.into_iter().filter(|event| event.event_type == "AssetUploaded");
        streams.extend(uploaded.map(|event| event.stream_id));
    }
}

async fn mark_and_unmark(
    store: &PostgresStore,
    pool: &PgPool,
    owner_id: UserId,
    streams: &[StreamId],
) -> anyhow::Result<()> {
    for event in [AssetEvent::from(AssetFavorited {}), AssetEvent::from(AssetUnfavorited {})] {
        for some in streams.chunks(MARKED_AT_ONCE) {
            let appends = some.iter().map(|stream_id| append(stream_id, &event));
            let appends = appends.collect::<anyhow::Result<_>>()?;
            let appended = store.append(appends, history::envelope(owner_id)).await?;
            let last = appended.last().context("nothing was written")?.last_event_id;
            store.wait_sequenced(last, history::SEQUENCED_LIMIT).await?.context("no position")?;
        }
    }
    applied(pool, store.head().await?.get()).await
}

fn append(stream_id: &StreamId, event: &AssetEvent) -> anyhow::Result<Append> {
    let raw = event.to_raw()?;
    let event = NewEvent {
        event_id: Uuid::new_v4(),
        event_type: raw.event_type,
        version: raw.version,
        payload: raw.payload,
        attachments: Vec::new(),
    };
    Ok(Append {
        stream_id: stream_id.clone(),
        expected: ExpectedRevision::Any,
        subject: None,
        events: vec![event],
    })
}

/// Writes an event that nobody can read, and waits until its stream is parked.
async fn park(store: &PostgresStore, pool: &PgPool, owner_id: UserId) -> anyhow::Result<()> {
    let unreadable = NewEvent {
        event_id: Uuid::new_v4(),
        event_type: "PartnerTimelineChanged".to_owned(),
        version: 1,
        payload: json!({ "in_timeline": "perhaps" }),
        attachments: Vec::new(),
    };
    let append = Append {
        stream_id: StreamId::new("partner", Uuid::new_v4()),
        expected: ExpectedRevision::NoStream,
        subject: None,
        events: vec![unreadable],
    };
    let appended = store.append(vec![append], history::envelope(owner_id)).await?;
    let last = appended.last().context("nothing was written")?.last_event_id;
    store.wait_sequenced(last, history::SEQUENCED_LIMIT).await?.context("no position")?;
    applied(pool, store.head().await?.get()).await?;
    let parked: i64 =
        sqlx::query_scalar("select count(*) from work.parked").fetch_one(pool).await?;
    ensure!(parked > 0, "nothing is parked");
    Ok(())
}
