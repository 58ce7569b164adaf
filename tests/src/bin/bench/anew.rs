//! Every read model made anew beside a server that answers: how fast, by how much each, and how long the timeline
//! takes to answer meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use calotype_eventstore::EventStore;
use calotype_projections::Queries;
use calotype_projections::rebuild::{State, Wish};
use calotype_tests::Client;
use serde_json::Value;

use crate::cpu::Used;
use crate::figures;
use crate::library::{Filled, filled};

/// Answers of which the slowest hundredth is told, before anything is made anew.
const BEFORE: usize = 500;
/// Between two requests.
const PAUSE: Duration = Duration::from_millis(20);
/// How long all of them may take.
const LIMIT: Duration = Duration::from_secs(4 * 3_600);
/// By how much the slowest hundredth may grow.
const GROWTH_MAX: f64 = 1.5;
/// Events of the log for each second, applied by every read model.
const EVENTS_PER_SECOND_MIN: f64 = 30_000.0;

/// Measures with a library of this many assets.
pub(crate) async fn measure(assets: u32) -> anyhow::Result<()> {
    figures::group(&format!("every read model of {assets} assets made anew"));
    let Filled { mut server, admin, pool, store, .. } = filled(assets).await?;
    let shared: Arc<dyn EventStore> = Arc::new(store.clone());
    let queries = Queries::new(pool.clone(), shared);
    let path = largest(&admin).await?;
    let mut before = Vec::with_capacity(BEFORE);
    for _ in 0..BEFORE {
        before.push(ask(&admin, &path).await?);
    }
    let before_ms = slowest_hundredth(&mut before);

    let events = f64::from(u32::try_from(store.head().await?.get())?);
    let names: Vec<&str> = calotype_projections::all().iter().map(|it| it.name()).collect();
    let (used, begun) = (Used::by(&server)?.plus(Used::here()?), Instant::now());
    for name in &names {
        queries.start_rebuild(name, Wish::Rebuild, None).await?;
    }
    let mut meanwhile = Vec::new();
    let mut took: Vec<(String, f64)> = Vec::new();
    while took.len() < names.len() {
        meanwhile.push(ask(&admin, &path).await?);
        if meanwhile.len() % 25 == 0 {
            for status in queries.projections().await? {
                let Some(rebuild) = status.rebuild else { continue };
                match rebuild.state {
                    State::Done if !took.iter().any(|(name, _)| *name == status.name) => {
                        let sum: f64 = took.iter().map(|(_, seconds)| seconds).sum();
                        took.push((status.name, begun.elapsed().as_secs_f64() - sum));
                    }
                    State::Failed => bail!("{} stopped: {:?}", status.name, rebuild.failure),
                    _ => {}
                }
            }
        }
        if begun.elapsed() > LIMIT {
            bail!("only {} of {} are done", took.len(), names.len());
        }
        tokio::time::sleep(PAUSE).await;
    }
    let wall = begun.elapsed().as_secs_f64();
    let cpu = Used::by(&server)?.plus(Used::here()?).since(used).as_secs_f64();
    let speed = events / wall;
    figures::at_least("log events, by every read model", speed, EVENTS_PER_SECOND_MIN, "events/s");
    figures::note("processor time", cpu, "s");
    let what = "largest month, p99 meanwhile";
    let meanwhile_ms = slowest_hundredth(&mut meanwhile);
    figures::at_most(what, meanwhile_ms, before_ms * GROWTH_MAX, "ms");
    took.sort_by(|one, other| other.1.total_cmp(&one.1));
    for (name, seconds) in took.iter().take(10) {
        figures::note(&format!("  {name}"), *seconds, "s");
    }
    store.close().await;
    pool.close().await;
    server.terminate().await?;
    Ok(())
}

/// The month with the most photos.
async fn largest(admin: &Client) -> anyhow::Result<String> {
    let answer = admin.get_json("/api/timeline/buckets").await?;
    let months = answer.as_array().context("no list of months")?;
    let largest = months.iter().max_by_key(|month| month["count"].as_u64());
    let month =
        largest.and_then(|month: &Value| month["timeBucket"].as_str()).context("no month")?;
    Ok(format!("/api/timeline/bucket?timeBucket={month}"))
}

/// Milliseconds until an answer is there.
async fn ask(admin: &Client, path: &str) -> anyhow::Result<f64> {
    let asked = Instant::now();
    admin.get(path).await?.expect(200)?;
    Ok(asked.elapsed().as_secs_f64() * 1_000.0)
}

fn slowest_hundredth(times_ms: &mut [f64]) -> f64 {
    times_ms.sort_by(f64::total_cmp);
    times_ms.get(times_ms.len() * 99 / 100).copied().unwrap_or_default()
}
