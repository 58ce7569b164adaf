//! Commands and events written durably: single events from many clients, and large batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use calotype_eventstore::contract::{envelope, event_id};
use calotype_eventstore::{
    Append, EventStore as _, ExpectedRevision, NewEvent, PostgresStore, StreamId,
};
use calotype_tests::{Options, TestServer};
use serde_json::json;
use tokio::task::JoinSet;

use crate::figures;
use crate::history::open_store;

/// How long each figure is measured.
const QUICK: Duration = Duration::from_secs(4);
const FULL: Duration = Duration::from_secs(15);

/// Measures.
pub(crate) async fn measure(full: bool) -> anyhow::Result<()> {
    figures::group("appends, durable (fsync), over the embedded PostgreSQL");
    // Without the other roles: only the log is written and sequenced.
    let options = Options {
        testing: false,
        arguments: vec!["--roles".to_owned(), "api".to_owned()],
        ..Options::default()
    };
    let mut server = TestServer::start(options).await?;
    let (_, store) = open_store(&server).await?;
    let number = Arc::new(AtomicU64::new(0));
    let time = if full { FULL } else { QUICK };
    for (clients, target) in [(1, None), (32, Some(3_000.0)), (256, Some(5_000.0))] {
        let events = append_for(&store, &number, clients, 1, time).await?;
        let per_second = events / time.as_secs_f64();
        let what = format!("single events, {clients} clients");
        match target {
            Some(target) => figures::at_least(&what, per_second, target, "commands/s"),
            None => figures::note(&what, per_second, "commands/s"),
        }
    }
    let events = append_for(&store, &number, 4, 1_000, time).await?;
    let per_second = events / time.as_secs_f64();
    figures::at_least("batches of 1,000, 4 clients", per_second, 40_000.0, "events/s");
    store.close().await;
    server.terminate().await?;
    Ok(())
}

/// Appends to new streams from several clients; says how many events were acknowledged in the time.
async fn append_for(
    store: &PostgresStore,
    number: &Arc<AtomicU64>,
    clients: u32,
    events_each: u64,
    time: Duration,
) -> anyhow::Result<f64> {
    let mut running: JoinSet<anyhow::Result<u32>> = JoinSet::new();
    let until = Instant::now() + time;
    for _ in 0..clients {
        let (store, number) = (store.clone(), Arc::clone(number));
        running.spawn(async move {
            let mut appended = 0;
            while Instant::now() < until {
                let first = number.fetch_add(events_each, Ordering::Relaxed);
                let events = (first..first + events_each).map(event).collect();
                let stream_id = StreamId::new("bench", event_id(u128::from(first)));
                let expected = ExpectedRevision::NoStream;
                let append = Append { stream_id, expected, subject: None, events };
                store.append(vec![append], envelope()).await?;
                appended += u32::try_from(events_each)?;
            }
            Ok(appended)
        });
    }
    let mut all = 0.0;
    while let Some(done) = running.join_next().await {
        all += f64::from(done??);
    }
    Ok(all)
}

/// About as large as a typical event.
fn event(number: u64) -> NewEvent {
    NewEvent {
        event_id: event_id(u128::from(number)),
        event_type: "BenchHappened".to_owned(),
        version: 1,
        payload: json!({ "number": number, "text": "x".repeat(300) }),
        attachments: Vec::new(),
    }
}
