//! Searching a large library, and its map: processor time of the server and PostgreSQL for each request.
//!
//! One request after the other, because what is measured is processor time.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use calotype_tests::{Client, TestServer};
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::try_join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::cpu::Used;
use crate::figures;
use crate::places::Places;

/// Requests of each kind.
const QUICK: u32 = 60;
const FULL: u32 = 400;
/// Changes after which the first map and the first list of albums are timed.
const CHANGES: usize = 7;
/// A hundred assets are taken in less than this, so that no page holds what another holds.
const EARLIER: TimeDelta = TimeDelta::days(6);
/// Albums that are made to be listed.
const QUICK_ALBUMS: usize = 500;
const FULL_ALBUMS: usize = 5_000;
/// Milliseconds of processor time that their list may take.
const ALBUMS_MS_MAX: f64 = 5.0;
/// Milliseconds of processor time that a search by city may take.
const CITY_MS_MAX: f64 = 3.0;
/// Albums made at once.
const MADE_AT_ONCE: usize = 16;
/// What names of many files hold.
const DATE_LIKE: &str = "IMG_2019";

/// Measures.
pub(crate) async fn measure(
    server: &TestServer,
    admin: &Client,
    places: Option<&Places>,
    full: bool,
) -> anyhow::Result<()> {
    let times = if full { FULL } else { QUICK };
    let newest = admin.post("/api/search/metadata", &json!({ "size": 1 })).await?.json()?;
    let newest = newest["assets"]["items"][0].clone();
    let name = newest["originalFileName"].as_str().context("an empty library")?.to_owned();
    let make = admin.get_json("/api/search/suggestions?type=camera-make").await?[0].clone();
    let dates = json!({
        "size": 100, "make": make, "withExif": true,
        "takenAfter": "2014-01-01T00:00:00.000Z", "takenBefore": "2016-01-01T00:00:00.000Z",
    });
    for (what, body, target_ms) in [
        ("search, most recent 100", json!({ "size": 100 }), 1.5),
        ("search, in no city", json!({ "size": 100, "city": null }), 3.0),
        ("search, file name", json!({ "size": 100, "originalFileName": name }), 3.0),
        ("search, date-like file name", json!({ "size": 100, "originalFileName": DATE_LIKE }), 3.0),
        ("search, camera and dates", dates, 3.0),
        ("search, in no album", json!({ "size": 100, "isNotInAlbum": true }), 3.0),
    ] {
        let ms = each(server, times, || admin.post("/api/search/metadata", &body)).await?;
        figures::at_most(what, ms, target_ms, "ms CPU");
    }
    if let Some(places) = places {
        cities(server, admin, places, times).await?;
    }
    let before: DateTime<Utc> = "2024-01-01T00:00:00Z".parse()?;
    let before = Cell::new(before);
    let earlier = || {
        before.set(before.get() - EARLIER);
        let body = json!({ "size": 100, "takenBefore": before.get() });
        async move { admin.post("/api/search/metadata", &body).await }
    };
    let ms = each(server, times, earlier).await?;
    figures::at_most("search, 100 that nobody looked at", ms, 3.0, "ms CPU");
    albums(server, admin, if full { FULL_ALBUMS } else { QUICK_ALBUMS }, times).await?;
    let ms = each(server, times, || admin.get("/api/search/places?name=paris")).await?;
    figures::note("places by name", ms, "ms CPU");
    map(server, admin, newest, times).await
}

/// By city, and what is suggested and shown of cities.
async fn cities(
    server: &TestServer,
    admin: &Client,
    places: &Places,
    times: u32,
) -> anyhow::Result<()> {
    for (rank, city) in ["most", "some", "fewest"].into_iter().zip(places.by_rank()) {
        let body = json!({ "size": 100, "city": city });
        let found = admin.post("/api/search/statistics", &body).await?.expect(200)?.json()?;
        let total = f64::from(u32::try_from(found["total"].as_u64().unwrap_or_default())?);
        figures::note(&format!("photos in the city with the {rank}"), total, "");
        let ms = each(server, times, || admin.post("/api/search/metadata", &body)).await?;
        figures::at_most(&format!("search, the city with the {rank}"), ms, CITY_MS_MAX, "ms CPU");
    }
    for (what, path) in [
        ("cities that are suggested", "/api/search/suggestions?type=city"),
        ("explore", "/api/search/explore"),
        ("a picture of each city", "/api/search/cities"),
    ] {
        let ms = each(server, times.min(50), || admin.get(path)).await?;
        figures::note(what, ms, "ms CPU");
    }
    Ok(())
}

/// The list of many albums, and what one of them holds.
async fn albums(
    server: &TestServer,
    admin: &Client,
    count: usize,
    times: u32,
) -> anyhow::Result<()> {
    let body = json!({ "size": 1_000 });
    let found = admin.post("/api/search/random", &body).await?.expect(200)?.json()?;
    let found = found.as_array().context("no list")?;
    let ids: Vec<&Value> = found.iter().map(|asset| &asset["id"]).collect();
    let mut first = Value::Null;
    let numbers: Vec<usize> = (0..count).collect();
    for some in numbers.chunks(MADE_AT_ONCE) {
        let made = some.iter().map(|number| {
            // The first holds much, the others a little.
            let held = if *number == 0 { ids.len() } else { number % 20 };
            let held: Vec<&&Value> = ids.iter().take(held).collect();
            let body = json!({ "albumName": format!("Album {number}"), "assetIds": held });
            async move { admin.post("/api/albums", &body).await?.expect(201)?.json() }
        });
        for album in try_join_all(made).await? {
            if first.is_null() {
                first = album["id"].clone();
            }
        }
    }
    let ms = each(server, times.min(100), || admin.get("/api/albums")).await?;
    figures::at_most(&format!("list of {count} albums"), ms, ALBUMS_MS_MAX, "ms CPU");
    let each_anew = |number: usize| {
        let body = json!({ "albumName": format!("Album {number}, named anew") });
        let album = format!("/api/albums/{}", first.as_str().unwrap_or_default());
        async move {
            admin.call(Method::PATCH, &album, &body).await?.expect(200)?;
            let begun = Instant::now();
            admin.get("/api/albums").await?.expect(200)?;
            anyhow::Ok(begun.elapsed())
        }
    };
    let mut took = Vec::new();
    for number in 0..CHANGES {
        took.push(each_anew(number).await?);
    }
    took.sort();
    let middle = took.get(took.len() / 2).copied().unwrap_or_default();
    figures::note("the same, first answer after a change", middle.as_secs_f64() * 1_000.0, "ms");
    let inside = json!({ "size": 100, "albumIds": [first] });
    let ms = each(server, times, || admin.post("/api/search/metadata", &inside)).await?;
    figures::note("search, album of 1,000", ms, "ms CPU");
    Ok(())
}

/// The map as it is kept, held by the client, and after a change.
async fn map(server: &TestServer, admin: &Client, newest: Value, times: u32) -> anyhow::Result<()> {
    let path = "/api/map/markers";
    let first = admin.get(path).await?.expect(200)?;
    let etag = first.header("etag").to_owned();
    let markers = first.json()?.as_array().map_or(0, Vec::len);
    figures::note("located photos on the map", figures::count(markers), "");
    figures::note("the map", f64::from(u32::try_from(first.body.len() / 1_000)?), "kB");
    let ms = each(server, times.min(50), || admin.get(path)).await?;
    figures::at_most("map that is kept", ms, 25.0, "ms CPU");
    let held = || {
        let request = admin.request(Method::GET, path).header("if-none-match", &etag);
        admin.send(request)
    };
    figures::at_most("map that the client has", each(server, times, held).await?, 2.0, "ms CPU");
    let id = newest["id"].as_str().context("an asset without an id")?;
    let mut took = Vec::new();
    for change in 0..CHANGES {
        let body =
            json!({ "latitude": 48.8, "longitude": 2.0 + if change % 2 == 0 { 0.1 } else { 0.2 } });
        admin.call(Method::PUT, &format!("/api/assets/{id}"), &body).await?.expect(200)?;
        let begun = Instant::now();
        admin.get(path).await?.expect(200)?;
        took.push(begun.elapsed());
    }
    took.sort();
    let middle = took.get(took.len() / 2).copied().unwrap_or(Duration::ZERO);
    figures::at_most(
        "map, first answer after a change",
        middle.as_secs_f64() * 1_000.0,
        150.0,
        "ms",
    );
    Ok(())
}

/// Processor milliseconds for each request, after a few that fill caches.
async fn each<F, A>(server: &TestServer, times: u32, ask: F) -> anyhow::Result<f64>
where
    F: Fn() -> A,
    A: Future<Output = anyhow::Result<calotype_tests::Answer>>,
{
    for _ in 0..8 {
        ask().await?;
    }
    let before = Used::by(server)?;
    for _ in 0..times {
        ask().await?;
    }
    Ok(Used::by(server)?.since(before).as_secs_f64() * 1_000.0 / f64::from(times))
}
