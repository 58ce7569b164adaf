//! A phone's sync of a large library: everything at first, then nothing new.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use calotype_tests::phone::TYPES;
use calotype_tests::{Client, TestServer};
use reqwest::Method;
use serde_json::{Value, json};

use crate::cpu::{Used, memory_mb};
use crate::figures::{self, count};

/// How long a stream may take.
const STREAM_LIMIT: Duration = Duration::from_secs(600);
/// Syncs without news that are timed.
const IDLE_SYNCS: usize = 101;
/// Lines a second of a first sync.
const LINES_PER_SECOND_MIN: f64 = 50_000.0;
/// Megabytes that the server's process may grow by while it streams, however large the library is.
const GROWN_MB_MAX: f64 = 64.0;
/// Bytes of lines between two looks at the server's memory.
const LOOK_EVERY_BYTES: usize = 8 << 20;
/// Milliseconds of a sync without news.
const IDLE_MS_MAX: f64 = 2.0;
/// Milliseconds of processor time that it takes.
const IDLE_CPU_MS_MAX: f64 = 2.0;

/// A stream that was taken.
struct Taken {
    lines: usize,
    /// The last ack of each type.
    acks: BTreeMap<String, String>,
    /// The most memory that the server was seen to have meanwhile, in megabytes.
    peak_mb: f64,
}

/// Measures.
pub(crate) async fn measure(server: &TestServer, client: &Client) -> anyhow::Result<()> {
    let before = Used::by(server)?;
    let begun = Instant::now();
    let memory_before = memory_mb(server)?;
    let taken = stream(server, client).await?;
    let wall = begun.elapsed();
    let cpu = Used::by(server)?.since(before);
    let per_second = count(taken.lines) / wall.as_secs_f64();
    figures::note("lines of the first sync", count(taken.lines), "lines");
    figures::at_least("first sync of the library", per_second, LINES_PER_SECOND_MIN, "lines/s");
    let per_cpu = count(taken.lines) / cpu.as_secs_f64();
    figures::note("the same, per second of processor time", per_cpu, "lines/s");
    let grown = taken.peak_mb - memory_before;
    figures::at_most("memory that the first sync adds", grown, GROWN_MB_MAX, "MB");

    let acks: Vec<&String> = taken.acks.values().collect();
    client.post("/api/sync/ack", &json!({ "acks": acks })).await?.expect(204)?;
    let mut took: Vec<Duration> = Vec::with_capacity(IDLE_SYNCS);
    let before = Used::by(server)?;
    for _ in 0..IDLE_SYNCS {
        let begun = Instant::now();
        let lines = stream(server, client).await?.lines;
        took.push(begun.elapsed());
        ensure!(lines == 1, "{lines} lines although everything was acknowledged");
    }
    let cpu = Used::by(server)?.since(before);
    took.sort_unstable();
    let middle = took.get(took.len() / 2).copied().unwrap_or_default();
    figures::at_most("sync without news, median", ms(middle), IDLE_MS_MAX, "ms");
    let cpu_each = ms(cpu) / count(IDLE_SYNCS);
    figures::at_most("the same, processor time", cpu_each, IDLE_CPU_MS_MAX, "ms CPU");
    Ok(())
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// Takes a stream, and looks at the server's memory meanwhile.
async fn stream(server: &TestServer, client: &Client) -> anyhow::Result<Taken> {
    let request = client.request(Method::POST, "/api/sync/stream");
    let request = request.json(&json!({ "types": TYPES })).timeout(STREAM_LIMIT);
    let mut response = request.send().await?;
    ensure!(response.status() == 200, "the stream answered {}", response.status());
    let (mut lines, mut rest, mut acks) = (0, Vec::new(), BTreeMap::new());
    let mut last_kind = String::new();
    let mut last_line = Vec::new();
    let (mut peak_mb, mut unseen_bytes) = (0.0, LOOK_EVERY_BYTES);
    while let Some(chunk) = response.chunk().await? {
        rest.extend_from_slice(&chunk);
        unseen_bytes += chunk.len();
        if unseen_bytes >= LOOK_EVERY_BYTES {
            peak_mb = f64::max(peak_mb, memory_mb(server)?);
            unseen_bytes = 0;
        }
        let Some(end) = rest.iter().rposition(|sign| *sign == b'\n') else { continue };
        let whole: Vec<u8> = rest.drain(..=end).collect();
        for line in whole.split(|sign| *sign == b'\n').filter(|line| !line.is_empty()) {
            lines += 1;
            // Reading all lines would measure this side.
            let kind = kind(line);
            if kind != last_kind {
                keep(&mut acks, &last_line)?;
                last_kind = kind;
            }
            last_line.clear();
            last_line.extend_from_slice(line);
        }
    }
    keep(&mut acks, &last_line)?;
    Ok(Taken { lines, acks, peak_mb })
}

/// The type that a line begins with.
fn kind(line: &[u8]) -> String {
    let word = line.split(|sign| *sign == b'"').nth(3).unwrap_or_default();
    String::from_utf8_lossy(word).into_owned()
}

fn keep(acks: &mut BTreeMap<String, String>, line: &[u8]) -> anyhow::Result<()> {
    if line.is_empty() {
        return Ok(());
    }
    let line: Value = serde_json::from_slice(line).context("a line is no JSON")?;
    let text = |name: &str| line[name].as_str().map(str::to_owned).context("a line without words");
    acks.insert(text("type")?, text("ack")?);
    Ok(())
}
