//! Settings act at once: on pictures, places, lists of people, the log, jobs and accounts.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::client::WORK_LIMIT;
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, story};
use serde_json::{Value, json};

const CONFIG: &str = "/api/system-config";
/// Photos with a place.
const PLACES: [&str; 2] =
    ["photos/edge/gps_south_west.jpg", "photos/jpeg/fujifilm_s1pro_gps_small.jpg"];
const PICTURE: &str = "photos/nature/prairie_falcon.jpg";
/// How long the log is looked at until it shows something.
const LOG_LIMIT: Duration = Duration::from_secs(20);

/// Changes settings, by JSON pointer.
async fn set(admin: &Client, settings: &[(&str, Value)]) -> anyhow::Result<()> {
    let mut config = admin.get_json(CONFIG).await?;
    for (pointer, value) in settings {
        let setting = config.pointer_mut(pointer).with_context(|| format!("no {pointer}"))?;
        *setting = value.clone();
    }
    admin.put(CONFIG, &config).await?.expect(200).map(drop)
}

#[tokio::test]
async fn pictures_are_made_in_the_format_that_is_set() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let wish = [
            ("/image/thumbnail/format", json!("jpeg")),
            ("/image/preview/format", json!("webp")),
            ("/image/preview/size", json!(320)),
        ];
        set(&admin, &wish).await?;
        let asset = admin.upload_file(&media(PICTURE)?).await?;
        let small = admin.wait_for_thumbnail(&asset).await?;
        ensure!(small.header("content-type") == "image/jpeg", "{small:?}");
        ensure!(small.body.starts_with(&[0xff, 0xd8]), "a thumbnail that is no JPEG");
        let path = format!("/api/assets/{asset}/thumbnail?size=preview");
        let large = admin.get(&path).await?.expect(200)?;
        ensure!(large.header("content-type") == "image/webp", "{large:?}");
        ensure!(large.body.get(8..12) == Some(b"WEBP"), "a preview that is no WebP");

        // Back again: the old pictures are replaced.
        let wish =
            [("/image/thumbnail/format", json!("webp")), ("/image/preview/format", json!("jpeg"))];
        set(&admin, &wish).await?;
        let again = json!({ "assetIds": [asset], "name": "regenerate-thumbnail" });
        admin.post("/api/assets/jobs", &again).await?.expect(204)?;
        until("a preview as JPEG", WORK_LIMIT, async || {
            let answer = admin.get(&path).await?;
            Ok((answer.header("content-type") == "image/jpeg").then_some(()))
        })
        .await?;
        let large = admin.get(&path).await?.expect(200)?;
        ensure!(large.body.starts_with(&[0xff, 0xd8]), "a preview that is no JPEG");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn places_are_named_while_that_is_wanted() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        set(&admin, &[("/reverseGeocoding/enabled", json!(false))]).await?;
        let features = admin.get_json("/api/server/features").await?;
        ensure!(features["reverseGeocoding"] == false, "{features}");
        let state = admin.get_json("/api/system-metadata/reverse-geocoding-state").await?;
        ensure!(state["lastImportFileName"] == "places.bin", "{state}");
        let since = state["lastUpdate"].as_str().context("no date")?;
        chrono::DateTime::parse_from_rfc3339(since)?;
        let first = admin.upload_file(&media(PLACES[0])?).await?;
        admin.wait_until_idle().await?;
        let info = async |id: &str| admin.get_json(&format!("/api/assets/{id}")).await;
        let exif = &info(&first).await?["exifInfo"];
        ensure!(exif["latitude"].is_number() && exif["country"].is_null(), "{exif}");
        let moved = json!({ "latitude": 48.1, "longitude": 11.6 });
        admin.put(&format!("/api/assets/{first}"), &moved).await?.expect(200)?;
        let exif = &info(&first).await?["exifInfo"];
        ensure!(exif["country"].is_null(), "a place was named by hand: {exif}");

        set(&admin, &[("/reverseGeocoding/enabled", json!(true))]).await?;
        let second = admin.upload_file(&media(PLACES[1])?).await?;
        admin.wait_until_idle().await?;
        let exif = &info(&second).await?["exifInfo"];
        ensure!(exif["country"].is_string(), "{exif}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_clients_are_told_follows() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let friend = admin.create_user("friend@example.com").await?;
        let seen = async || {
            Ok::<_, anyhow::Error>(friend.get_json("/api/users").await?.as_array().map(Vec::len))
        };
        ensure!(seen().await? == Some(2), "a friend does not see everybody");
        let wish = [
            ("/server/publicUsers", json!(false)),
            ("/server/externalDomain", json!("https://photos.example.com")),
            ("/user/deleteDelay", json!(3)),
            ("/map/enabled", json!(false)),
            ("/map/darkStyle", json!("https://example.com/dark.json")),
        ];
        set(&admin, &wish).await?;
        ensure!(seen().await? == Some(1), "a friend sees others");
        let told = server.client().get_json("/api/server/config").await?;
        ensure!(told["externalDomain"] == "https://photos.example.com", "{told}");
        ensure!(told["userDeleteDelay"] == 3 && told["publicUsers"] == false, "{told}");
        ensure!(told["mapDarkStyleUrl"] == "https://example.com/dark.json", "{told}");
        let features = admin.get_json("/api/server/features").await?;
        ensure!(features["map"] == false, "{features}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn storage_template_must_make_a_path() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let options = admin.get_json("/api/system-config/storage-template-options").await?;
        let presets = options["presetOptions"].as_array().context("no presets")?;
        for preset in presets {
            set(&admin, &[("/storageTemplate/template", preset.clone())])
                .await
                .with_context(|| preset.to_string())?;
        }
        let mut config = admin.get_json(CONFIG).await?;
        config["storageTemplate"]["template"] = json!("{{y}}/{{foo}}");
        let refused = admin.put(CONFIG, &config).await?.expect(400)?.message()?;
        ensure!(refused == "Invalid storage template: \"foo\" is not defined", "{refused}");
        config["storageTemplate"]["template"] = json!("../{{filename}}");
        admin.put(CONFIG, &config).await?.expect(400)?;
        let kept = admin.get_json(CONFIG).await?;
        ensure!(kept["storageTemplate"]["template"] == *presets.last().context("none")?, "{kept}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn log_follows_its_level() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        ensure!(!server.log().contains(" DEBUG "), "it tells of details before");
        set(&admin, &[("/logging/level", json!("debug"))]).await?;
        until("a line of level debug", LOG_LIMIT, async || {
            admin.get("/api/users").await?.expect(200)?;
            Ok(server.log().contains(" DEBUG ").then_some(()))
        })
        .await?;

        set(&admin, &[("/logging/level", json!("log")), ("/logging/enabled", json!(false))])
            .await?;
        let told = async || -> anyhow::Result<bool> {
            let before = server.log().len();
            admin.get("/api/users").await?.expect(200)?;
            tokio::time::sleep(Duration::from_millis(300)).await;
            Ok(server.log().len() > before)
        };
        until("nothing to be told", LOG_LIMIT, async || Ok((!told().await?).then_some(()))).await?;
        set(&admin, &[("/logging/enabled", json!(true))]).await?;
        until("requests to be told again", LOG_LIMIT, async || Ok(told().await?.then_some(())))
            .await
    })
    .await
}

#[tokio::test]
async fn cleaning_up_removes_people_without_faces() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let asset = admin.upload_file(&media(PICTURE)?).await?;
        let mut people = Vec::new();
        for name in ["Anna", "Nobody"] {
            let made = admin.post("/api/people", &json!({ "name": name })).await?.expect(201)?;
            people.push(made.json()?["id"].as_str().context("no id")?.to_owned());
        }
        let face = json!({
            "assetId": asset, "personId": people[0], "imageWidth": 100, "imageHeight": 100,
            "x": 10, "y": 10, "width": 20, "height": 20,
        });
        admin.post("/api/faces", &face).await?.expect(201)?;
        admin.post("/api/jobs", &json!({ "name": "person-cleanup" })).await?.expect(204)?;
        until("who has no face to be gone", WORK_LIMIT, async || {
            let answer = admin.get(&format!("/api/people/{}", people[1])).await?;
            Ok((answer.status == 400).then_some(()))
        })
        .await?;
        admin.get(&format!("/api/people/{}", people[0])).await?.expect(200)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn administrators_give_pins_and_take_them() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let body = json!({
            "email": "friend@example.com", "password": "password", "name": "F", "pinCode": "123456",
        });
        let friend = admin.post("/api/admin/users", &body).await?.expect(201)?.json()?;
        let path = format!("/api/admin/users/{}", friend["id"].as_str().context("no id")?);
        let friend = server.client().login("friend@example.com").await?;
        let unlock = async |pin: &str| -> anyhow::Result<u16> {
            let pin = json!({ "pinCode": pin });
            Ok(friend.post("/api/auth/session/unlock", &pin).await?.status)
        };
        let status = async || friend.get_json("/api/auth/status").await;
        ensure!(status().await?["pinCode"] == true, "no PIN");
        ensure!(unlock("123456").await? == 204, "another PIN");

        admin.put(&path, &json!({ "pinCode": "654321" })).await?.expect(200)?;
        ensure!(status().await?["isElevated"] == false, "still open");
        ensure!(unlock("123456").await? != 204 && unlock("654321").await? == 204, "the old PIN");
        // A name that is changed in the same request does not hide that sessions are locked.
        admin.put(&path, &json!({ "pinCode": null, "name": "G" })).await?.expect(200)?;
        let told = status().await?;
        ensure!(told["pinCode"] == false && told["isElevated"] == false, "{told}");
        admin.put(&path, &json!({ "pinCode": "12" })).await?.expect(400)?;
        Ok(())
    })
    .await
}
