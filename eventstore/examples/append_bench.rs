//! Measures appending, sequencing and reading on a real PostgreSQL with `fsync` as it is set there.
//!
//! `append_bench URL [SECONDS]` wants an empty database of its own, such as
//! `postgres://owner@localhost/bench?host=/run/postgresql`.

#![expect(clippy::print_stdout, reason = "it tells its figures")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use calotype_eventstore::contract::{envelope, event_id};
use calotype_eventstore::{
    Append, EventStore, ExpectedRevision, GlobalPosition, Keyring, NewEvent, PostgresOptions,
    PostgresStore, Sequencer, StreamId,
};
use serde_json::json;
use sqlx::postgres::PgPoolOptions;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

const READ_EVENTS: u32 = 5_000;
const SEQUENCED_WAIT_MAX: Duration = Duration::from_secs(60);

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), AnyError> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("usage: append_bench URL [SECONDS]")?;
    let seconds = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let time = Duration::from_secs(seconds);
    let pool = PgPoolOptions::new().max_connections(10).connect(&url).await?;
    calotype_migrations::MIGRATOR.run(&pool).await?;
    let store =
        PostgresStore::connect(pool, Keyring::from_bytes([1; 32]), PostgresOptions::default())
            .await?;
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let sequencer = Sequencer::new(store.clone());
    let cancel = stop.clone();
    tasks.spawn(async move { sequencer.run(cancel).await });

    let number = Arc::new(AtomicU64::new(0));
    for (clients, events_per_append, sealed) in
        [(1, 1, false), (32, 1, false), (32, 1, true), (256, 1, false), (4, 1_000, false)]
    {
        let started = Instant::now();
        let (appends, last) =
            append_for(&store, &number, clients, events_per_append, sealed, time).await?;
        let took = started.elapsed().as_secs_f64();
        store.wait_sequenced(last, SEQUENCED_WAIT_MAX).await?;
        let behind = started.elapsed().as_secs_f64() - took;
        let events = appends * events_per_append;
        println!(
            "{clients:>4} clients x {events_per_append:>4} events{}: {:>8.0} appends/s {:>9.0} events/s, sequenced {:.0} ms later",
            if sealed { ", sealed" } else { "" },
            f64::from(appends) / took,
            f64::from(events) / took,
            behind * 1_000.0,
        );
    }

    let started = Instant::now();
    let mut after = GlobalPosition::START;
    let mut events = 0_u32;
    loop {
        let read = store.read_all(after, READ_EVENTS).await?;
        let Some(position) = read.last().and_then(|event| event.position) else { break };
        after = position;
        events += u32::try_from(read.len())?;
    }
    let took = started.elapsed().as_secs_f64();
    println!("read_all: {events} events, {:.0} events/s", f64::from(events) / took);
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    store.close().await;
    Ok(())
}

async fn append_for(
    store: &PostgresStore,
    number: &Arc<AtomicU64>,
    clients: u32,
    events_per_append: u32,
    sealed: bool,
    time: Duration,
) -> Result<(u32, uuid::Uuid), AnyError> {
    let until = Instant::now() + time;
    let mut running = JoinSet::new();
    for _ in 0..clients {
        let (store, number) = (store.clone(), Arc::clone(number));
        running.spawn(async move {
            let mut appends = 0_u32;
            let mut last = uuid::Uuid::nil();
            while Instant::now() < until {
                let first = number.fetch_add(events_per_append.into(), Ordering::Relaxed);
                let events: Vec<NewEvent> = (first..first + u64::from(events_per_append))
                    .map(|number| event(number, sealed))
                    .collect();
                let subject = Some(format!("thing-{first}"));
                let stream_id = StreamId::new("thing", first);
                let expected = ExpectedRevision::NoStream;
                let append = Append { stream_id, expected, subject, events };
                last = store.append(vec![append], envelope()).await?[0].last_event_id;
                appends += 1;
            }
            Ok::<_, AnyError>((appends, last))
        });
    }
    let mut appends = 0;
    let mut last = uuid::Uuid::nil();
    while let Some(done) = running.join_next().await {
        let (some, id) = done??;
        appends += some;
        last = id;
    }
    Ok((appends, last))
}

/// An event with about 300 bytes of payload.
fn event(number: u64, sealed: bool) -> NewEvent {
    let name = "x".repeat(120);
    let name = if sealed { json!({"$seal": name}) } else { json!(name) };
    NewEvent {
        event_id: event_id(number.into()),
        event_type: "ThingHappened".to_owned(),
        version: 1,
        payload: json!({
            "number": number, "name": name, "size_bytes": 3_250_000, "width": 4000, "height": 3000,
            "digest": "0123456789abcdef0123456789abcdef01234567", "taken_at": "2024-05-01T12:00:00Z",
            "camera": "a camera", "tags": [1, 2, 3],
        }),
        attachments: Vec::new(),
    }
}
