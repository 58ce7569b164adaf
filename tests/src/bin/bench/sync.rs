//! A phone's sync of a large library: everything at first, then nothing new.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use calotype_tests::{Client, TestServer};
use reqwest::Method;
use serde_json::{Value, json};

use crate::cpu::Used;
use crate::figures::{self, count};

/// What the first sync of a library without shares is about.
const TYPES: [&str; 5] = ["AuthUsersV1", "UsersV1", "AssetsV2", "AssetExifsV1", "UserMetadataV1"];
/// How long a stream may take.
const STREAM_LIMIT: Duration = Duration::from_secs(600);
/// Syncs without news that are timed.
const IDLE_SYNCS: usize = 101;
/// Lines a second of a first sync.
const LINES_PER_SECOND_MIN: f64 = 50_000.0;
/// Milliseconds of a sync without news.
const IDLE_MS_MAX: f64 = 2.0;

/// Measures.
pub(crate) async fn measure(server: &TestServer, client: &Client) -> anyhow::Result<()> {
    let before = Used::by(server)?;
    let begun = Instant::now();
    let (lines, acks) = stream(client).await?;
    let wall = begun.elapsed();
    let cpu = Used::by(server)?.since(before);
    let per_second = count(lines) / wall.as_secs_f64();
    figures::at_least("first sync of the library", per_second, LINES_PER_SECOND_MIN, "lines/s");
    figures::note(
        "the same, per second of processor time",
        count(lines) / cpu.as_secs_f64(),
        "lines/s",
    );

    let acks: Vec<&String> = acks.values().collect();
    client.post("/api/sync/ack", &json!({ "acks": acks })).await?.expect(204)?;
    let mut took: Vec<Duration> = Vec::with_capacity(IDLE_SYNCS);
    let before = Used::by(server)?;
    for _ in 0..IDLE_SYNCS {
        let begun = Instant::now();
        let (lines, _) = stream(client).await?;
        took.push(begun.elapsed());
        ensure!(lines == 1, "{lines} lines although everything was acknowledged");
    }
    let cpu = Used::by(server)?.since(before);
    took.sort_unstable();
    let middle = took.get(took.len() / 2).copied().unwrap_or_default();
    figures::at_most("sync without news, median", ms(middle), IDLE_MS_MAX, "ms");
    figures::note("the same, processor time", ms(cpu) / count(IDLE_SYNCS), "ms CPU");
    Ok(())
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// Takes a stream: how many lines, and the last ack of each type.
async fn stream(client: &Client) -> anyhow::Result<(usize, BTreeMap<String, String>)> {
    let request = client.request(Method::POST, "/api/sync/stream");
    let request = request.json(&json!({ "types": TYPES })).timeout(STREAM_LIMIT);
    let mut response = request.send().await?;
    ensure!(response.status() == 200, "the stream answered {}", response.status());
    let (mut lines, mut rest, mut acks) = (0, Vec::new(), BTreeMap::new());
    let mut last_kind = String::new();
    let mut last_line = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        rest.extend_from_slice(&chunk);
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
    Ok((lines, acks))
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
