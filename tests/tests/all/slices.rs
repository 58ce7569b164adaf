//! The main road: a photo comes in, shows on the timeline, is favored, trashed and restored, and its
//! history can be read. And its guard rails: duplicates, strangers, keys with one permission.

use anyhow::{Context as _, ensure};
use calotype_tests::answer::sha1_hex;
use calotype_tests::client::USER_AGENT;
use calotype_tests::media::{Facts, fixture, manifest, media};
use calotype_tests::{Client, Options, Upload, story};
use reqwest::Method;
use serde_json::{Value, json};

/// One file of each kind that has to get a picture, with the type it is served as.
const KINDS: [(&str, &str); 8] = [
    ("photos/nature/prairie_falcon.jpg", "image/jpeg"),
    ("photos/edge/gps_south_west.jpg", "image/jpeg"),
    ("photos/png/density_plot.png", "image/png"),
    ("photos/webp/denali.webp", "image/webp"),
    ("photos/gif/muybridge.gif", "image/gif"),
    ("photos/tiff/plain.tif", "image/tiff"),
    ("photos/heic/iphone_7_immich.heic", "image/heic"),
    ("video/made/h264_rotated90.mp4", "video/mp4"),
];

#[tokio::test]
async fn every_kind_of_file_comes_in_and_shows() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let facts = manifest()?;
        let mut ids = Vec::new();
        for (path, _) in KINDS {
            ids.push(admin.upload_file(&media(path)?).await.context(path)?);
        }
        admin.wait_until_idle().await?;

        for ((path, mime), id) in KINDS.iter().zip(&ids) {
            let known =
                facts.get(*path).with_context(|| format!("{path} is not in the manifest"))?;
            ensure_shows(&admin, id, mime, known).await.with_context(|| (*path).to_owned())?;
        }

        let mut shown = admin.timeline("visibility=timeline").await?;
        shown.sort();
        ids.sort();
        ensure!(shown == ids, "the timeline has {shown:?} instead of {ids:?}");
        let statistics = admin.get_json("/api/assets/statistics").await?;
        ensure!(statistics == json!({ "images": 7, "videos": 1, "total": 8 }), "{statistics}");
        Ok(())
    })
    .await
}

/// Thumbnail, preview, original and facts of one asset.
async fn ensure_shows(client: &Client, id: &str, mime: &str, known: &Facts) -> anyhow::Result<()> {
    let of = |path: &str| format!("/api/assets/{id}/{path}");
    let thumbnail = client.get(&of("thumbnail")).await?.expect(200)?;
    ensure!(thumbnail.header("content-type") == "image/webp", "a thumbnail of another type");
    ensure!(thumbnail.body.get(8..12) == Some(b"WEBP"), "a thumbnail that is no WebP");
    let preview = client.get(&of("thumbnail?size=preview")).await?.expect(200)?;
    ensure!(preview.header("content-type") == "image/jpeg", "a preview of another type");
    ensure!(preview.body.starts_with(&[0xff, 0xd8]), "a preview that is no JPEG");

    let original = client.get(&of("original")).await?.expect(200)?;
    ensure!(original.sha1() == known["sha1"], "the original has other bytes");
    ensure!(original.header("content-type") == mime, "{}", original.header("content-type"));
    let etag = original.header("etag").to_owned();
    let again = client.request(Method::GET, &of("original")).header("if-none-match", &etag);
    client.send(again).await?.expect(304)?;
    let part = client.request(Method::GET, &of("original")).header("range", "bytes=2-9");
    let part = client.send(part).await?.expect(206)?;
    ensure!(part.body == original.body.slice(2..10), "another part of the file");

    let asset = client.get_json(&format!("/api/assets/{id}")).await?;
    ensure!(asset["thumbhash"].is_string(), "no thumbhash");
    ensure_size(&asset, known)?;
    ensure_exif(&asset["exifInfo"], known)
}

/// Width and height as shown.
fn ensure_size(asset: &Value, known: &Facts) -> anyhow::Result<()> {
    for (name, column) in [("width", "display_width"), ("height", "display_height")] {
        let expected: u64 = known[column].parse().context(column.to_owned())?;
        ensure!(asset[name] == expected, "{name} is {} instead of {expected}", asset[name]);
    }
    Ok(())
}

fn ensure_exif(exif: &Value, known: &Facts) -> anyhow::Result<()> {
    let bytes: u64 = known["bytes"].parse()?;
    ensure!(exif["fileSizeInByte"] == bytes, "size {}", exif["fileSizeInByte"]);
    for (name, column) in [("make", "make"), ("model", "model")] {
        let expected = Some(known[column].as_str()).filter(|value| !value.is_empty());
        ensure!(
            exif[name].as_str() == expected,
            "{name} is {} instead of {expected:?}",
            exif[name]
        );
    }
    for (name, column) in
        [("latitude", "gps_lat"), ("longitude", "gps_lon"), ("fNumber", "f_number")]
    {
        let Ok(expected) = known[column].parse::<f64>() else {
            ensure!(exif[name].is_null(), "{name} is {} and should be missing", exif[name]);
            continue;
        };
        let found = exif[name].as_f64().with_context(|| format!("{name} is {}", exif[name]))?;
        ensure!((found - expected).abs() < 1e-4, "{name} is {found} instead of {expected}");
    }
    if known["mime"].starts_with("image/") && !known["date_taken_local"].is_empty() {
        let taken = exif["dateTimeOriginal"].as_str().context("no date")?;
        let zone_is_known = !known["offset"].is_empty() || !known["gps_lat"].is_empty();
        ensure!(
            zone_is_known || taken.get(..19) == known["date_taken_local"].get(..19),
            "taken {taken} instead of {}",
            known["date_taken_local"]
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_photo_lives_its_life() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let path = media("photos/nature/prairie_falcon.jpg")?;
        let id = admin.upload_file(&path).await?;
        admin.wait_for_thumbnail(&id).await?;
        let ids = json!({ "ids": [id] });

        let favored =
            admin.put(&format!("/api/assets/{id}"), &json!({ "isFavorite": true })).await?;
        ensure!(favored.expect(200)?.json()?["isFavorite"] == true, "not a favorite");
        ensure!(admin.timeline("isFavorite=true").await? == [id.clone()], "not in the favorites");

        admin.delete("/api/assets", &ids).await?.expect(204)?;
        ensure!(admin.timeline("isTrashed=true").await? == [id.clone()], "not in the trash");
        ensure!(admin.timeline("isTrashed=false").await?.is_empty(), "still on the timeline");

        let restored = admin.post("/api/trash/restore/assets", &ids).await?.expect(200)?.json()?;
        ensure!(restored == json!({ "count": 1 }), "{restored}");
        ensure!(admin.timeline("isTrashed=false").await? == [id.clone()], "not restored");

        ensure_history(&admin, &id).await?;

        let purge = json!({ "ids": [id], "force": true });
        admin.delete("/api/assets", &purge).await?.expect(204)?;
        ensure!(admin.timeline("").await?.is_empty(), "not deleted");
        admin.get(&format!("/api/assets/{id}")).await?.expect(400)?;
        let again = admin.upload_file(&path).await?;
        ensure!(again != id, "the same bytes came back as the deleted asset");
        Ok(())
    })
    .await
}

async fn ensure_history(admin: &Client, id: &str) -> anyhow::Result<()> {
    let history = admin.history(id).await?;
    // Its keywords make tags, one event each.
    let kinds: Vec<&str> = history
        .iter()
        .filter_map(|event| event["type"].as_str())
        .filter(|kind| *kind != "AssetTaggedByFile")
        .collect();
    ensure!(
        kinds
            == [
                "AssetUploaded",
                "AssetMetadataRecorded",
                "AssetThumbnailsRecorded",
                "AssetFavorited",
                "AssetTrashed",
                "AssetRestored"
            ],
        "the history tells {kinds:?}"
    );
    for (revision, event) in history.iter().enumerate() {
        ensure!(
            event["revision"] == revision,
            "revision {} at place {revision}",
            event["revision"]
        );
        ensure!(event["sentence"].as_str().is_some_and(|words| !words.is_empty()), "{event}");
        ensure!(event["recordedAt"].is_string() && event["actor"]["kind"].is_string(), "{event}");
    }
    let (uploaded, metadata) = (&history[0], &history[1]);
    ensure!(uploaded["actor"]["kind"] == "user", "uploaded by {}", uploaded["actor"]);
    ensure!(uploaded["client"] == USER_AGENT, "uploaded with {}", uploaded["client"]);
    ensure!(metadata["actor"]["kind"] == "processor", "read by {}", metadata["actor"]);
    let derived = ["AssetMetadataRecorded", "AssetThumbnailsRecorded"];
    for derived in history.iter().filter(|event| derived.iter().any(|kind| event["type"] == *kind))
    {
        let from = &derived["derivedFrom"];
        ensure!(
            from["processor"].is_string() && from["version"].is_u64() && from["input"].is_string(),
            "derived from {from}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_same_bytes_are_one_asset() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let upload = Upload::of(&media("photos/edge/rating_1.jpg")?)?;
        let sha1 = sha1_hex(&upload.bytes);
        let id = admin.upload(&upload).await?;
        let duplicate = json!({ "id": id, "status": "duplicate" });

        let again = admin.send_upload(&upload).await?.expect(200)?.json()?;
        ensure!(again == duplicate, "{again}");

        let known = upload.clone().header("x-immich-checksum", &sha1);
        let told = admin.send_upload(&known).await?.expect(200)?.json()?;
        ensure!(told == duplicate, "{told}");
        ensure_answered_before_the_body(&server.url(), &admin, &sha1, &duplicate).await?;

        let body = json!({ "assets": [
            { "id": "mine", "checksum": sha1 },
            { "id": "new", "checksum": "0".repeat(40) },
        ] });
        let checked =
            admin.post("/api/assets/bulk-upload-check", &body).await?.expect(200)?.json()?;
        ensure!(checked["results"][0]["assetId"] == id, "{checked}");
        ensure!(checked["results"][1]["action"] == "accept", "{checked}");

        let friend = admin.create_user("friend@example.com").await?;
        ensure!(friend.upload(&upload).await? != id, "two people share an asset");
        Ok(())
    })
    .await
}

/// Sends the head of an upload and not its body: the answer has to come all the same.
async fn ensure_answered_before_the_body(
    base: &str,
    client: &Client,
    sha1: &str,
    expected: &Value,
) -> anyhow::Result<()> {
    let (feed, body) = futures::channel::mpsc::unbounded::<Result<Vec<u8>, std::io::Error>>();
    let request = client
        .request(Method::POST, "/api/assets")
        .header("content-type", "multipart/form-data; boundary=x")
        .header("x-immich-checksum", sha1)
        .body(reqwest::Body::wrap_stream(body));
    let answer = client
        .send(request)
        .await
        .with_context(|| format!("{base} waits for a body that it does not need"))?
        .expect(200)?;
    drop(feed);
    ensure!(answer.json()? == *expected, "{}", answer.shown());
    Ok(())
}

#[tokio::test]
async fn strangers_and_narrow_keys_are_refused() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&media("photos/nature/prairie_falcon.jpg")?).await?;
        admin.wait_for_thumbnail(&id).await?;
        let stranger = admin.create_user("stranger@example.com").await?;

        for (path, name) in [
            (format!("/api/assets/{id}"), "asset_400_other_user"),
            (format!("/api/assets/{id}/original"), "original_400_other_user"),
            (format!("/api/assets/{id}/thumbnail"), "thumb_400_other_user"),
        ] {
            let recorded = fixture(name)?;
            let answer = stranger.get(&path).await?;
            ensure!(recorded["response"]["status"] == answer.status, "{name}: {}", answer.status);
            ensure!(recorded["response"]["body"] == answer.json()?, "{name}: {}", answer.shown());
        }
        let history = stranger.get(&format!("/api/calotype/assets/{id}/history")).await?;
        ensure!(matches!(history.status, 400 | 403), "a stranger reads the history");
        ensure!(stranger.timeline("").await?.is_empty(), "a stranger sees the timeline");

        let key = admin.create_key(&["asset.read"]).await?;
        key.get(&format!("/api/assets/{id}")).await?.expect(200)?;
        let refused = key.get("/api/users/me").await?.expect(403)?;
        ensure!(
            refused.json()? == json!({ "message": "Missing required permission: user.read" }),
            "{}",
            refused.shown()
        );
        let unknown =
            server.client().with_token("nobody").get("/api/users/me").await?.expect(401)?;
        ensure!(unknown.message()? == "Invalid user token", "{}", unknown.shown());

        admin.post("/api/auth/logout", &json!({})).await?.expect(200)?;
        admin.get("/api/users/me").await?.expect(401)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_reset_leaves_an_empty_server_and_an_ordinary_one_has_none() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        admin.wait_for_thumbnail(&id).await?;
        let reset = "/api/calotype/testing/reset";

        let only = json!({ "only": ["asset"] });
        server.client().post(reset, &only).await?.expect(204)?;
        ensure!(admin.timeline("").await?.is_empty(), "assets are left");
        let id = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        admin.wait_for_thumbnail(&id).await?;

        server.client().post(reset, &json!({})).await?.expect(204)?;
        admin.get("/api/users/me").await?.expect(401)?;
        let anew = server.client().sign_up().await?;
        ensure!(anew.timeline("").await?.is_empty(), "a new library has photos");
        let id = anew.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        anew.wait_for_thumbnail(&id).await.map(drop)
    })
    .await?;
    story(Options { testing: false, ..Options::default() }, async |server| {
        let answer = server.client().post("/api/calotype/testing/reset", &json!({})).await?;
        answer.expect(404).map(drop)
    })
    .await
}
