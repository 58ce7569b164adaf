//! Answers that are kept finished say what the same question says when it is written out: after every change,
//! and in the answer after the change already.

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::{Client, Options, story};
use reqwest::Method;
use serde_json::{Value, json};

const FALCON: &str = "photos/nature/prairie_falcon.jpg";
const DENALI: &str = "photos/webp/denali.webp";
const RATED: &str = "photos/edge/rating_1.jpg";
/// The first time an answer is made, then it is kept.
const TIMES: usize = 2;

/// Found pages, put together of pieces and written out with who is on what, where nobody is.
async fn ensure_pages(client: &Client, after: &str) -> anyhow::Result<Vec<Value>> {
    let mut found = Vec::new();
    for with_exif in [false, true] {
        let body =
            json!({ "withExif": with_exif, "withDeleted": true, "withPeople": true, "size": 2 });
        let kept = json!({ "withExif": with_exif, "withDeleted": true, "size": 2 });
        let written = loop {
            let written = client.post("/api/search/metadata", &body).await?.expect(200)?;
            let mut same = true;
            for _ in 0..TIMES {
                let kept = client.post("/api/search/metadata", &kept).await?.expect(200)?;
                same &= kept.body == written.body;
            }
            // What is written beside an original meanwhile changes it, too.
            let again = client.post("/api/search/metadata", &body).await?.expect(200)?;
            if again.body == written.body {
                ensure!(same, "after {after}: what is kept is not {:?}", written.shown());
                break written;
            }
        };
        let items = written.json()?["assets"]["items"].as_array().cloned();
        found = items.context("no items")?;
    }
    Ok(found)
}

/// The kept list of albums, beside every album looked up by itself.
async fn ensure_albums(client: &Client, after: &str) -> anyhow::Result<Vec<Value>> {
    let mut albums = Vec::new();
    let mut times = 0;
    while times < TIMES {
        let answer = client.get("/api/albums").await?.expect(200)?;
        let tag = answer.header("etag").to_owned();
        let held = client.request(Method::GET, "/api/albums").header("if-none-match", &tag);
        let held = client.send(held).await?;
        albums = answer.json()?.as_array().cloned().context("no list")?;
        let mut alone = Vec::new();
        for album in &albums {
            let id = album["id"].as_str().context("no id")?;
            alone.push(client.get_json(&format!("/api/albums?id={id}")).await?[0].clone());
        }
        // What is written beside an original meanwhile changes its albums, too.
        if client.get("/api/albums").await?.expect(200)?.body == answer.body {
            held.expect(304)?;
            ensure!(alone == albums, "after {after}: {albums:?} is not {alone:?}");
            times += 1;
        }
    }
    Ok(albums)
}

#[tokio::test]
async fn found_pages_follow_their_assets() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let other = admin.create_user("other@example.com").await?;
        let mut ids = Vec::new();
        for path in [FALCON, DENALI, RATED] {
            ids.push(admin.upload_file(&media(path)?).await?);
        }
        admin.wait_until_idle().await?;
        let partner = json!({ "sharedWithId": other.my_id().await? });
        admin.post("/api/partners", &partner).await?.expect(201)?;
        let path = format!("/api/partners/{}", admin.my_id().await?);
        other.put(&path, &json!({ "inTimeline": true })).await?.expect(200)?;
        ensure_pages(&admin, "uploads").await?;
        ensure_pages(&other, "uploads").await?;
        for body in [
            json!({ "isFavorite": true }),
            json!({ "description": "a \"quoted\" word" }),
            json!({ "dateTimeOriginal": "2020-02-29T12:00:00.000Z" }),
            json!({ "rating": 3 }),
            json!({ "latitude": 48.5, "longitude": -2.0 }),
            json!({ "visibility": "archive" }),
            json!({ "visibility": "timeline" }),
        ] {
            for id in &ids {
                let path = format!("/api/assets/{id}");
                admin.call(Method::PUT, &path, &body).await?.expect(200)?;
            }
            let own = ensure_pages(&admin, &body.to_string()).await?;
            let shown = ensure_pages(&other, &body.to_string()).await?;
            if body["isFavorite"] == true {
                ensure!(own.iter().all(|asset| asset["isFavorite"] == true), "{own:?}");
                ensure!(shown.len() == 2, "{shown:?}");
                ensure!(shown.iter().all(|asset| asset["isFavorite"] == false), "{shown:?}");
            }
        }
        admin.delete("/api/assets", &json!({ "ids": ids[..1] })).await?.expect(204)?;
        ensure_pages(&admin, "a deletion").await?;
        ensure!(ensure_pages(&other, "a deletion").await?.len() == 2, "the wrong ones are gone");
        admin.delete("/api/assets", &json!({ "ids": ids, "force": true })).await?.expect(204)?;
        ensure!(ensure_pages(&admin, "a purge").await?.is_empty(), "something is left");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn lists_of_albums_follow_everything_in_them() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let other = admin.create_user("other@example.com").await?;
        let other_id = other.my_id().await?;
        let falcon = admin.upload_file(&media(FALCON)?).await?;
        let rated = admin.upload_file(&media(RATED)?).await?;
        admin.wait_until_idle().await?;
        ensure!(ensure_albums(&admin, "nothing").await?.is_empty(), "an album too many");
        let body = json!({ "albumName": "One", "assetIds": [falcon] });
        let one = admin.post("/api/albums", &body).await?.expect(201)?.json()?;
        let one = one["id"].as_str().context("no id")?;
        admin.post("/api/albums", &json!({ "albumName": "Two" })).await?.expect(201)?;
        let albums = ensure_albums(&admin, "making albums").await?;
        ensure!(albums.len() == 2, "{albums:?}");
        ensure!(ensure_albums(&other, "making albums").await?.is_empty(), "a stranger sees albums");

        let album = format!("/api/albums/{one}");
        let assets = format!("{album}/assets");
        let of = |albums: &[Value], name: &str| {
            albums.iter().find(|album| album["id"] == one).map(|album| album[name].clone())
        };
        admin.call(Method::PATCH, &album, &json!({ "albumName": "New" })).await?.expect(200)?;
        let albums = ensure_albums(&admin, "a new name").await?;
        ensure!(of(&albums, "albumName") == Some(json!("New")), "{albums:?}");
        admin.put(&assets, &json!({ "ids": [rated] })).await?.expect(200)?;
        let albums = ensure_albums(&admin, "another asset").await?;
        ensure!(of(&albums, "assetCount") == Some(json!(2)), "{albums:?}");
        // In no album: the lists still hold.
        admin.upload_file(&media(DENALI)?).await?;
        admin.wait_until_idle().await?;
        ensure_albums(&admin, "an upload").await?;
        let date = json!({ "dateTimeOriginal": "2001-02-03T04:05:06.000Z" });
        admin.call(Method::PUT, &format!("/api/assets/{falcon}"), &date).await?.expect(200)?;
        let albums = ensure_albums(&admin, "another date").await?;
        ensure!(of(&albums, "startDate") == Some(json!("2001-02-03T00:00:00.000Z")), "{albums:?}");
        admin.delete("/api/assets", &json!({ "ids": [falcon] })).await?.expect(204)?;
        let albums = ensure_albums(&admin, "a deletion").await?;
        ensure!(of(&albums, "assetCount") == Some(json!(1)), "{albums:?}");
        admin
            .delete("/api/assets", &json!({ "ids": [rated], "force": true }))
            .await?
            .expect(204)?;
        let albums = ensure_albums(&admin, "a purge").await?;
        ensure!(of(&albums, "assetCount") == Some(json!(0)), "{albums:?}");

        let users = json!({ "albumUsers": [{ "userId": other_id, "role": "viewer" }] });
        admin.put(&format!("{album}/users"), &users).await?.expect(200)?;
        ensure!(ensure_albums(&other, "sharing").await?.len() == 1, "the shared album is missing");
        other.call(Method::PUT, "/api/users/me", &json!({ "name": "Nora" })).await?.expect(200)?;
        let albums = ensure_albums(&admin, "a person's new name").await?;
        ensure!(
            of(&albums, "albumUsers").context("gone")?.to_string().contains("Nora"),
            "{albums:?}"
        );
        let link = json!({ "type": "ALBUM", "albumId": one });
        admin.post("/api/shared-links", &link).await?.expect(201)?;
        let albums = ensure_albums(&admin, "a link").await?;
        ensure!(of(&albums, "hasSharedLink") == Some(json!(true)), "{albums:?}");
        admin.delete(&format!("{album}/user/{other_id}"), &json!({})).await?.expect(204)?;
        ensure!(ensure_albums(&other, "access is lost").await?.is_empty(), "still there");
        admin.delete(&album, &json!({})).await?.expect(204)?;
        ensure!(ensure_albums(&admin, "an album's end").await?.len() == 1, "still there");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn account_says_at_once_which_product_key_it_has() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = "IMCL-6ECZ-91TE-WZRM-Q7AQ-MBN4-UW48-2CPT-71X9";
        for _ in 0..TIMES {
            ensure!(admin.get_json("/api/users/me").await?["license"] == Value::Null, "a key");
            let body = json!({ "licenseKey": key, "activationKey": "abc" });
            admin.put("/api/users/me/license", &body).await?.expect(200)?;
            let me = admin.get_json("/api/users/me").await?;
            ensure!(me["license"]["licenseKey"] == key, "{me}");
            admin.delete("/api/users/me/license", &json!({})).await?.expect(204)?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn head_tells_the_tag_that_get_tells() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        for path in ["/api/users/me", "/api/albums", "/api/server/ping"] {
            let get = admin.get(path).await?;
            let head = admin.send(admin.request(Method::HEAD, path)).await?;
            ensure!(head.status == get.status && head.body.is_empty(), "{}", head.shown());
            for header in ["etag", "content-type"] {
                ensure!(head.header(header) == get.header(header), "{path}: {header}");
            }
            ensure!(!head.header("etag").is_empty(), "{path} has no tag");
            let held = admin.request(Method::HEAD, path);
            let held = held.header("if-none-match", get.header("etag"));
            admin.send(held).await?.expect(304)?;
        }
        Ok(())
    })
    .await
}
