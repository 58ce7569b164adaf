//! Reading a large library with `wrk`: processor time of the server and PostgreSQL for each request.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use calotype_tests::{Client, TestServer};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::cpu::Used;
use crate::figures::{self, count};

/// The requests, with the script's own comment about them.
const SCRIPT: &str = include_str!("requests.lua");
/// How long each path is asked for.
const QUICK_S: u32 = 3;
const FULL_S: u32 = 10;
/// Assets that are asked for in turn.
const ASSETS: usize = 1_000;
/// Changes after which the first answer is timed.
const CHANGES: usize = 11;

/// What is asked for: words, paths, and the target in milliseconds.
struct Asked {
    what: &'static str,
    paths: Vec<String>,
    target_ms: Option<f64>,
}

/// Measures.
pub(crate) async fn measure(server: &TestServer, admin: &Client, full: bool) -> anyhow::Result<()> {
    let token = admin.call(Method::POST, "/api/auth/login", &credentials()).await?.expect(201)?;
    let token = token.json()?["accessToken"].as_str().context("no token")?.to_owned();
    let mut months = buckets(admin).await?;
    months.sort_by_key(|(_, assets)| *assets);
    let median = months.get(months.len() / 2).context("no months")?.clone();
    let largest = months.last().context("no months")?.clone();
    println_months(&median, &largest);
    let ids = ids(admin, &median.0).await?;
    let of_each = |ending: &str| -> Vec<String> {
        ids.iter().map(|id| format!("/api/assets/{id}{ending}")).collect()
    };
    let one = |path: &str| vec![path.to_owned()];
    let asked = [
        Asked { what: "GET /server/ping", paths: one("/api/server/ping"), target_ms: None },
        Asked { what: "GET /users/me", paths: one("/api/users/me"), target_ms: Some(0.2) },
        Asked {
            what: "GET /timeline/buckets",
            paths: one("/api/timeline/buckets"),
            target_ms: Some(0.5),
        },
        Asked { what: "median bucket", paths: vec![bucket(&median.0)], target_ms: Some(4.0) },
        Asked { what: "largest bucket", paths: vec![bucket(&largest.0)], target_ms: None },
        Asked { what: "GET /assets/{id}", paths: of_each(""), target_ms: Some(0.6) },
        Asked {
            what: "GET /assets/statistics",
            paths: one("/api/assets/statistics"),
            target_ms: Some(0.5),
        },
        Asked {
            what: "thumbnail, 22 kB",
            paths: of_each("/thumbnail?size=thumbnail"),
            target_ms: Some(0.4),
        },
        Asked {
            what: "preview, 181 kB",
            paths: of_each("/thumbnail?size=preview"),
            target_ms: None,
        },
    ];
    for connections in [1, 8] {
        for asked in &asked {
            let ms = load(server, &token, asked, connections, full).await?;
            let what = format!("{}, {connections} connections", asked.what);
            match asked.target_ms {
                Some(target_ms) => figures::at_most(&what, ms, target_ms, "ms CPU"),
                None => figures::note(&what, ms, "ms CPU"),
            }
        }
    }
    after_a_change(admin, &largest.0).await
}

fn credentials() -> Value {
    json!({ "email": calotype_tests::client::ADMIN_EMAIL, "password": calotype_tests::client::PASSWORD })
}

fn bucket(month: &str) -> String {
    format!("/api/timeline/bucket?timeBucket={month}")
}

#[expect(clippy::print_stdout, reason = "says what was measured")]
fn println_months(median: &(String, u64), largest: &(String, u64)) {
    println!("  the median month holds {}, the largest {}", median.1, largest.1);
}

async fn buckets(admin: &Client) -> anyhow::Result<Vec<(String, u64)>> {
    let answer = admin.get_json("/api/timeline/buckets").await?;
    answer
        .as_array()
        .context("no list of months")?
        .iter()
        .map(|month| {
            let name = month["timeBucket"].as_str().context("a month without a name")?;
            Ok((name.to_owned(), month["count"].as_u64().context("a month without a count")?))
        })
        .collect()
}

async fn ids(admin: &Client, month: &str) -> anyhow::Result<Vec<String>> {
    let answer = admin.get_json(&bucket(month)).await?;
    let ids = answer["id"].as_array().context("a month without ids")?;
    Ok(ids.iter().take(ASSETS).filter_map(Value::as_str).map(str::to_owned).collect())
}

/// Processor milliseconds for each request.
async fn load(
    server: &TestServer,
    token: &str,
    asked: &Asked,
    connections: u32,
    full: bool,
) -> anyhow::Result<f64> {
    let script = server.scratch().join("requests.lua");
    let paths = server.scratch().join("paths");
    std::fs::write(&script, SCRIPT)?;
    std::fs::write(&paths, asked.paths.join("\n"))?;
    let mut requests = 0.0;
    let mut used = Duration::ZERO;
    // The first, short round fills caches.
    for seconds in [1, if full { FULL_S } else { QUICK_S }] {
        let before = Used::by(server)?;
        let output = Command::new("wrk")
            .args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), "-s"])
            .arg(&script)
            .arg(server.url())
            .env("BENCH_TOKEN", token)
            .env("BENCH_PATHS", &paths)
            .output()
            .await
            .context("failed to run wrk; ./dev bench installs it")?;
        used = Used::by(server)?.since(before);
        let text = String::from_utf8_lossy(&output.stdout);
        let result = text.lines().find_map(|line| line.strip_prefix("bench "));
        let result: Value =
            serde_json::from_str(result.with_context(|| format!("wrk said: {text}"))?)?;
        ensure!(result["errors"] == json!(0), "{}: {result}", asked.what);
        requests = result["requests"].as_f64().context("no count of requests")?;
    }
    Ok(used.as_secs_f64() * 1_000.0 / requests.max(1.0))
}

/// How much longer the first answer after a change takes than an answer that is there.
async fn after_a_change(admin: &Client, month: &str) -> anyhow::Result<()> {
    let path = bucket(month);
    let id = ids(admin, month).await?.into_iter().next().context("an empty month")?;
    let mut longer = Vec::new();
    for change in 0..CHANGES {
        let body = json!({ "isFavorite": change % 2 == 0 });
        admin.call(Method::PUT, &format!("/api/assets/{id}"), &body).await?.expect(200)?;
        let begun = Instant::now();
        admin.get(&path).await?.expect(200)?;
        let first = begun.elapsed();
        let begun = Instant::now();
        admin.get(&path).await?.expect(200)?;
        longer.push(first.saturating_sub(begun.elapsed()).as_secs_f64() * 1_000.0);
    }
    longer.sort_by(f64::total_cmp);
    let middle = longer.get(longer.len() / 2).copied().unwrap_or(f64::NAN);
    figures::at_most("largest bucket, first answer after a change", middle, 20.0, "ms longer");
    figures::note("changes measured", count(longer.len()), "");
    Ok(())
}
