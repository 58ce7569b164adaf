//! One request about 10,000 assets: until its answer, by which time it shows everywhere.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use calotype_tests::{Client, TestServer};
use reqwest::Method;
use serde_json::{Value, json};

use crate::cpu::Used;
use crate::figures;

/// Assets of one request.
const ASSETS: usize = 10_000;
/// How long such a request may take, in seconds.
const TARGET_S: f64 = 5.0;

/// Measures.
pub(crate) async fn measure(server: &TestServer, admin: &Client) -> anyhow::Result<()> {
    let ids = ids(admin).await?;
    let album = admin.post("/api/albums", &json!({ "albumName": "All" })).await?.expect(201)?;
    let album = album.json()?["id"].as_str().context("no id")?.to_owned();
    let into_album = format!("/api/albums/{album}/assets");
    let just = json!({ "ids": ids });
    let favor = json!({ "ids": ids, "isFavorite": true });
    let archive = json!({ "ids": ids, "visibility": "archive" });
    for (what, method, path, body) in [
        ("favorite", Method::PUT, "/api/assets", &favor),
        ("archive", Method::PUT, "/api/assets", &archive),
        ("put into an album", Method::PUT, into_album.as_str(), &just),
        ("trash", Method::DELETE, "/api/assets", &just),
        ("restore", Method::POST, "/api/trash/restore/assets", &just),
    ] {
        let before = Used::by(server)?;
        let begun = Instant::now();
        let answer = admin.call(method, path, body).await?;
        let took = begun.elapsed().as_secs_f64();
        ensure!(answer.status < 300, "{what}: {}", answer.shown());
        let cpu = Used::by(server)?.since(before).as_secs_f64();
        figures::at_most(&format!("{what} {ASSETS} assets"), took, TARGET_S, "s");
        figures::note("the same, processor time", cpu, "s");
    }
    Ok(())
}

async fn ids(admin: &Client) -> anyhow::Result<Vec<String>> {
    let months = admin.get_json("/api/timeline/buckets").await?;
    let mut ids = Vec::with_capacity(ASSETS);
    for month in months.as_array().into_iter().flatten() {
        let month = month["timeBucket"].as_str().context("a month without a name")?;
        let bucket = admin.get_json(&format!("/api/timeline/bucket?timeBucket={month}")).await?;
        let some = bucket["id"].as_array().into_iter().flatten();
        ids.extend(some.filter_map(Value::as_str).map(str::to_owned));
        if ids.len() >= ASSETS {
            ids.truncate(ASSETS);
            return Ok(ids);
        }
    }
    anyhow::bail!("the library has only {} assets", ids.len())
}
