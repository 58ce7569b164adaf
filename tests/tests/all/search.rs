//! Finding: by name, place, camera, date and mark, page by page; the map; and names of places.

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::{Client, Options, Upload, story};
use reqwest::Method;
use serde_json::{Value, json};

/// In Seattle, taken with an iPhone 5.
const SEATTLE: &str = "photos/jpeg/apple_iphone_5_orientation3_gps.jpg";
const FALCON: &str = "photos/nature/prairie_falcon.jpg";
const DENALI: &str = "photos/webp/denali.webp";
const RATED: &str = "photos/edge/rating_1.jpg";
const FILM: &str = "video/made/h264_rotated90.mp4";

/// Names of what a search finds, in order.
async fn found(client: &Client, body: Value) -> anyhow::Result<Vec<String>> {
    let answer = client.post("/api/search/metadata", &body).await?.expect(200)?.json()?;
    names(&answer["assets"]["items"])
}

fn names(items: &Value) -> anyhow::Result<Vec<String>> {
    let items = items.as_array().context("no list")?;
    let name = |item: &Value| item["originalFileName"].as_str().map(str::to_owned);
    items.iter().map(|item| name(item).context("no name")).collect()
}

async fn library(client: &Client) -> anyhow::Result<()> {
    for path in [SEATTLE, FALCON, DENALI, RATED, FILM] {
        client.upload_file(&media(path)?).await.context(path)?;
    }
    client.wait_until_idle().await
}

#[tokio::test]
async fn assets_are_found_by_what_is_known_of_them() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        library(&admin).await?;
        let all = found(&admin, json!({})).await?;
        ensure!(all.len() == 5, "{all:?}");
        let mut oldest_first = found(&admin, json!({ "order": "asc" })).await?;
        oldest_first.reverse();
        ensure!(all == oldest_first, "{all:?} is not {oldest_first:?} turned round");

        let one = |name: &str| vec![name.to_owned()];
        let falcon = "prairie_falcon.jpg";
        let iphone = "apple_iphone_5_orientation3_gps.jpg";
        for (body, wanted) in [
            (json!({ "originalFileName": "PRAIRIE" }), one(falcon)),
            (json!({ "make": "Apple", "model": "iPhone 5" }), one(iphone)),
            (json!({ "city": "Seattle" }), one(iphone)),
            (json!({ "country": "United States of America", "state": "Washington" }), one(iphone)),
            (json!({ "type": "VIDEO" }), one("h264_rotated90.mp4")),
            (json!({ "rating": 1 }), one("rating_1.jpg")),
            (json!({ "takenAfter": "2022-03-01T00:00:00Z", "takenBefore": "2022-04-30T00:00:00Z" }), one(falcon)),
            (json!({ "isFavorite": true }), vec![]),
            (json!({ "tagIds": ["9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"] }), vec![]),
            (json!({ "filter": { "or": [{ "city": { "eq": "Seattle" } }, { "rating": { "gte": 6 } }] } }), one(iphone)),
            (json!({ "filter": { "originalFileName": { "endsWith": "FALCON.jpg" } } }), one(falcon)),
        ] {
            let names = found(&admin, body.clone()).await?;
            ensure!(names == wanted, "{body} finds {names:?} instead of {wanted:?}");
        }
        ensure_pages(&admin, &all).await?;
        ensure_lists(&admin).await?;
        ensure_others_find_nothing(&admin).await
    })
    .await
}

/// The same assets in the same order, page by page, by number and by cursor.
async fn ensure_pages(admin: &Client, all: &[String]) -> anyhow::Result<()> {
    let mut by_number = Vec::new();
    let mut page = json!("1");
    while let Some(number) = page.as_str() {
        let body = json!({ "size": 2, "page": number.parse::<u32>()? });
        let answer = admin.post("/api/search/metadata", &body).await?.expect(200)?.json()?;
        by_number.extend(names(&answer["assets"]["items"])?);
        page = answer["assets"]["nextPage"].clone();
    }
    ensure!(by_number == all, "by number {by_number:?}");
    for field in ["fileCreatedAt", "localDateTime", "fileSizeInBytes", "rating"] {
        let order = json!({ "field": field, "direction": "asc" });
        let whole = found(admin, json!({ "orderBy": order })).await?;
        let mut by_cursor = Vec::new();
        let mut body = json!({ "size": 2, "orderBy": order });
        loop {
            let answer = admin.post("/api/search/metadata", &body).await?.expect(200)?.json()?;
            by_cursor.extend(names(&answer["assets"]["items"])?);
            let Some(cursor) = answer["assets"]["nextCursor"].as_str() else { break };
            body["cursor"] = json!(cursor);
        }
        ensure!(by_cursor == whole, "by {field}: {by_cursor:?} instead of {whole:?}");
        ensure!(whole.len() == all.len(), "by {field}: {whole:?}");
    }
    let bad = json!({ "cursor": "nonsense" });
    admin.post("/api/search/metadata", &bad).await?.expect(400)?;
    Ok(())
}

async fn ensure_lists(admin: &Client) -> anyhow::Result<()> {
    let cities = admin.get_json("/api/search/suggestions?type=city&includeNull=true").await?;
    ensure!(cities == json!(["Seattle", null]), "{cities}");
    let models = admin.get_json("/api/search/suggestions?type=camera-model&make=Apple").await?;
    ensure!(models == json!(["iPhone 5"]), "{models}");
    let cities = admin.get_json("/api/search/cities").await?;
    ensure!(names(&cities)? == ["apple_iphone_5_orientation3_gps.jpg"], "{cities}");
    let explored = admin.get_json("/api/search/explore").await?;
    ensure!(explored[1]["items"].as_array().is_some_and(|items| items.len() == 5), "{explored}");
    let count = admin.post("/api/search/statistics", &json!({})).await?.expect(200)?.json()?;
    ensure!(count == json!({ "total": 5 }), "{count}");
    let count = json!({ "make": "Apple" });
    let count = admin.post("/api/search/statistics", &count).await?.expect(200)?.json()?;
    ensure!(count == json!({ "total": 1 }), "{count}");
    let some =
        admin.post("/api/search/random", &json!({ "size": 3 })).await?.expect(200)?.json()?;
    let mut some = names(&some)?;
    some.sort();
    some.dedup();
    ensure!(some.len() == 3, "{some:?}");
    let large = admin.post("/api/search/large-assets?minFileSize=1", &json!({})).await?;
    let large = large.expect(200)?.json()?;
    let size = |item: &Value| item["exifInfo"]["fileSizeInByte"].as_i64();
    let sizes: Vec<Option<i64>> = large.as_array().context("no list")?.iter().map(size).collect();
    ensure!(sizes.len() == 5 && sizes.is_sorted_by(|one, next| one >= next), "{sizes:?}");
    let smart = admin.post("/api/search/smart", &json!({ "query": "a cat" })).await?.expect(400)?;
    ensure!(smart.message()? == "Smart search is not enabled", "{}", smart.shown());
    Ok(())
}

async fn ensure_others_find_nothing(admin: &Client) -> anyhow::Result<()> {
    let stranger = admin.create_user("stranger@example.com").await?;
    ensure!(found(&stranger, json!({})).await?.is_empty(), "a stranger finds something");
    ensure!(found(&stranger, json!({ "city": "Seattle" })).await?.is_empty(), "by city");
    for path in ["/api/search/cities", "/api/search/suggestions?type=city", "/api/map/markers"] {
        let answer = stranger.get_json(path).await?;
        ensure!(answer == json!([]), "{path}: {answer}");
    }
    let locked = json!({ "visibility": "locked" });
    admin.post("/api/search/metadata", &locked).await?.expect(401)?;
    let key = admin.create_key(&["album.read"]).await?;
    for path in ["/api/search/explore", "/api/map/markers", "/api/map/reverse-geocode?lat=1&lon=1"]
    {
        key.get(path).await?.expect(403)?;
    }
    Ok(())
}

#[tokio::test]
async fn map_follows_what_people_say() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&media(SEATTLE)?).await?;
        let other = admin.upload(&Upload::of(&media(FALCON)?)?).await?;
        admin.wait_until_idle().await?;
        let map = admin.get("/api/map/markers").await?.expect(200)?;
        let markers = map.json()?;
        ensure!(markers[0]["city"] == "Seattle" && markers[0]["id"] == json!(id), "{markers}");
        ensure!(markers.as_array().is_some_and(|markers| markers.len() == 1), "{markers}");
        let etag = map.header("etag").to_owned();
        let again = admin.request(Method::GET, "/api/map/markers");
        admin.send(again.header("if-none-match", &etag)).await?.expect(304)?;

        // A person moves one photo to Paris; both its own page and the map say so at once.
        let paris = json!({ "latitude": 48.8566, "longitude": 2.3522 });
        let moved =
            admin.put(&format!("/api/assets/{other}"), &paris).await?.expect(200)?.json()?;
        let exif = &moved["exifInfo"];
        ensure!(exif["country"] == "France" && exif["state"] == "Île-de-France", "{exif}");
        let map = admin.get("/api/map/markers").await?.expect(200)?;
        ensure!(map.header("etag") != etag, "another map has the same tag");
        let countries: Vec<Value> = map
            .json()?
            .as_array()
            .context("no list")?
            .iter()
            .map(|marker| marker["country"].clone())
            .collect();
        ensure!(countries == [json!("France"), json!("United States of America")], "{countries:?}");
        let bucket = admin.get_json("/api/timeline/bucket?timeBucket=2022-03-01").await?;
        ensure!(bucket["country"] == json!(["France"]), "{bucket}");

        let favorites = admin.get_json("/api/map/markers?isFavorite=true").await?;
        ensure!(favorites == json!([]), "{favorites}");
        let early = "/api/map/markers?fileCreatedBefore=2015-01-01T00:00:00.000Z";
        let early = admin.get_json(early).await?;
        ensure!(early.as_array().is_some_and(|early| early.len() == 1), "{early}");
        admin.get("/api/map/markers?isFavorite=1").await?.expect(400)?;

        // What is in the trash is on no map and in no list.
        let trash = json!({ "ids": [id] });
        admin.delete("/api/assets", &trash).await?.expect(204)?;
        let left = admin.get_json("/api/map/markers").await?;
        ensure!(left.as_array().is_some_and(|left| left.len() == 1), "{left}");
        let cities = admin.get_json("/api/search/suggestions?type=state").await?;
        ensure!(cities == json!(["Île-de-France"]), "{cities}");
        let all = found(&admin, json!({})).await?;
        ensure!(all == ["prairie_falcon.jpg"], "{all:?}");
        let all = found(&admin, json!({ "withDeleted": true })).await?;
        ensure!(all.len() == 2, "{all:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn positions_and_places_have_names() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let features = admin.get_json("/api/server/features").await?;
        ensure!(features["reverseGeocoding"] == true && features["map"] == true, "{features}");
        let seattle = admin.get_json("/api/map/reverse-geocode?lat=47.6062&lon=-122.3321").await?;
        let wanted = json!([{
            "country": "United States of America", "state": "Washington", "city": "Seattle"
        }]);
        ensure!(seattle == wanted, "{seattle}");
        let nowhere = admin.get_json("/api/map/reverse-geocode?lat=0&lon=-150").await?;
        ensure!(nowhere == json!([{ "country": null, "state": null, "city": null }]), "{nowhere}");
        for query in ["lat=91&lon=0", "lat=1", "lat=x&lon=1"] {
            let answer = admin.get(&format!("/api/map/reverse-geocode?{query}")).await?;
            ensure!(answer.expect(400)?.message()? == "Validation failed", "{query}");
        }
        let places = admin.get_json("/api/search/places?name=PARIS").await?;
        ensure!(places[0]["name"] == "Paris", "{places}");
        ensure!(places[0]["admin1name"] == "Île-de-France", "{places}");
        ensure!(places.as_array().is_some_and(|places| places.len() == 20), "{places}");
        admin.get("/api/search/places").await?.expect(400)?;
        Ok(())
    })
    .await
}
