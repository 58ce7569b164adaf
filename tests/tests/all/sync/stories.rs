//! What a phone is told, line by line, when others share with it, take back, and when its owner organizes.

use anyhow::{Context as _, ensure};
use calotype_tests::jpeg::with_comment;
use calotype_tests::media::media;
use calotype_tests::phone::TYPES;
use calotype_tests::{Client, Options, Upload, story};
use serde_json::{Value, json};

use super::lines::{acknowledge, kinds, stream};

/// Uploads so many photos that differ.
async fn upload(client: &Client, name: &str, count: usize) -> anyhow::Result<Vec<String>> {
    let picture = std::fs::read(media("photos/edge/rating_1.jpg")?)?;
    let mut ids = Vec::new();
    for place in 0..count {
        let name = format!("{name} {place}");
        let bytes = with_comment(&picture, &name);
        ids.push(client.upload(&Upload::new(&format!("{name}.jpg"), bytes)).await?);
    }
    Ok(ids)
}

/// What a phone hears that it has not acknowledged, the end left out; it is acknowledged as the app does it.
async fn news(client: &Client) -> anyhow::Result<Vec<Value>> {
    let mut lines = stream(client, &TYPES).await?;
    let types = kinds(&lines);
    let last_of_run = |at: &usize| types.get(*at) != types.get(at + 1);
    let acks: Vec<&Value> =
        (0..lines.len()).filter(last_of_run).map(|at| &lines[at]["ack"]).collect();
    acknowledge(client, &acks).await?;
    ensure!(lines.pop().is_some_and(|last| last["type"] == "SyncCompleteV1"), "no end");
    Ok(lines)
}

fn ids<'a>(lines: &'a [Value], kind: &str, field: &str) -> Vec<&'a str> {
    let lines = lines.iter().filter(|line| line["type"] == kind);
    lines.filter_map(|line| line["data"][field].as_str()).collect()
}

async fn share(album: &str, by: &Client, with: &Value) -> anyhow::Result<()> {
    let body = json!({ "albumUsers": [{ "userId": with, "role": "viewer" }] });
    by.put(&format!("/api/albums/{album}/users"), &body).await?.expect(200).map(drop)
}

async fn make_album(client: &Client, assets: &[String]) -> anyhow::Result<String> {
    let body = json!({ "albumName": "album", "assetIds": assets });
    let album = client.post("/api/albums", &body).await?.expect(201)?.json()?;
    Ok(album["id"].as_str().context("no id")?.to_owned())
}

#[tokio::test]
async fn album_is_told_when_it_is_shared_and_gone_when_it_is_left() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let other = admin.create_user("second@example.com").await?;
        let other_id = json!(other.my_id().await?);
        let assets = upload(&admin, "first", 3).await?;
        admin.wait_until_idle().await?;
        news(&other).await?;
        ensure!(news(&other).await?.is_empty(), "told again");

        let older = make_album(&admin, &assets[..2]).await?;
        let album = make_album(&admin, &assets[1..]).await?;
        share(&album, &admin, &other_id).await?;
        let lines = news(&other).await?;
        let expected = [
            "SyncAckV1",
            "AlbumAssetCreateV2",
            "AlbumAssetCreateV2",
            "AlbumV2",
            "AlbumUserV1",
            "AlbumUserV1",
            "AlbumToAssetV1",
            "AlbumToAssetV1",
            "SyncAckV1",
            "AlbumAssetExifCreateV1",
            "AlbumAssetExifCreateV1",
        ];
        ensure!(kinds(&lines) == expected, "{:?}", kinds(&lines));
        ensure!(news(&other).await?.is_empty(), "told again");

        // What is in the older album is older than what the phone acknowledged.
        share(&older, &admin, &other_id).await?;
        let lines = news(&other).await?;
        let backfills = ids(&lines, "AlbumAssetBackfillV2", "id");
        ensure!(backfills.len() == 2, "{:?}", kinds(&lines));
        ensure!(ids(&lines, "AlbumToAssetBackfillV1", "assetId").len() == 2, "{:?}", kinds(&lines));
        ensure!(ids(&lines, "AlbumAssetExifBackfillV1", "assetId").len() == 2, "no exifs");
        let ends = lines.iter().filter_map(|line| line["ack"].as_str());
        let ends = ends.filter(|ack| ack.ends_with("|complete")).count();
        ensure!(ends >= 3, "{ends} backfills have an end");
        news(&other).await?;
        ensure!(news(&other).await?.is_empty(), "told again");

        let path = format!("/api/assets/{}", assets[2]);
        admin.put(&path, &json!({ "description": "words" })).await?.expect(200)?;
        let lines = news(&other).await?;
        ensure!(kinds(&lines) == ["AlbumAssetExifUpdateV1"], "{:?}", kinds(&lines));

        // Whoever sees no more hears of it at once, deletes first.
        let body = json!({ "ids": [assets[2]], "visibility": "locked" });
        admin.put("/api/assets", &body).await?.expect(204)?;
        let lines = news(&other).await?;
        ensure!(kinds(&lines) == ["AlbumV2", "AlbumToAssetDeleteV1"], "{:?}", kinds(&lines));
        let path = format!("/api/albums/{album}/user/me");
        other.delete(&path, &json!({})).await?.expect(204)?;
        let lines = news(&other).await?;
        ensure!(kinds(&lines) == ["AlbumDeleteV1"], "{:?}", kinds(&lines));
        admin.delete(&format!("/api/albums/{older}"), &json!({})).await?.expect(204)?;
        let lines = news(&other).await?;
        ensure!(ids(&lines, "AlbumDeleteV1", "albumId") == [older.as_str()], "{lines:#?}");
        ensure!(lines.len() == 1, "{:?}", kinds(&lines));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn partners_hear_of_what_is_shared_and_of_what_is_taken_back() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let second = admin.create_user("second@example.com").await?;
        let third = admin.create_user("third@example.com").await?;
        let (theirs, older) =
            (upload(&third, "third", 1).await?, upload(&second, "second", 2).await?);
        admin.wait_until_idle().await?;
        news(&admin).await?;
        let with = json!({ "sharedWithId": admin.my_id().await? });

        third.post("/api/partners", &with).await?.expect(201)?;
        let lines = news(&admin).await?;
        let expected = ["PartnerV1", "SyncAckV1", "PartnerAssetV2", "PartnerAssetExifV1"];
        ensure!(kinds(&lines) == expected, "{:?}", kinds(&lines));
        let stack = json!({ "assetIds": older });
        second.post("/api/stacks", &stack).await?.expect(201)?;
        second.post("/api/partners", &with).await?.expect(201)?;
        let lines = news(&admin).await?;
        let stacked = lines.iter().find(|line| line["type"] == "PartnerStackV1");
        let stacked = &stacked.with_context(|| format!("{:?}", kinds(&lines)))?["data"]["id"];
        let told = lines.iter().filter(|line| line["data"]["stackId"] == *stacked).count();
        ensure!(told == 2, "{told} of two are in the stack: {:?}", kinds(&lines));
        news(&admin).await?;
        ensure!(news(&admin).await?.is_empty(), "told again");

        let hidden = json!({ "visibility": "archive" });
        third.put(&format!("/api/assets/{}", theirs[0]), &hidden).await?.expect(200)?;
        let lines = news(&admin).await?;
        ensure!(
            ids(&lines, "PartnerAssetDeleteV1", "assetId") == [theirs[0].as_str()],
            "{lines:#?}"
        );
        ensure!(lines.len() == 1, "{:?}", kinds(&lines));

        let path = format!("/api/partners/{}", with["sharedWithId"].as_str().context("no id")?);
        second.delete(&path, &json!({})).await?.expect(204)?;
        let lines = news(&admin).await?;
        ensure!(kinds(&lines) == ["PartnerDeleteV1"], "{:?}", kinds(&lines));
        second.put(&format!("/api/assets/{}", older[0]), &json!({ "rating": 3 })).await?;
        ensure!(news(&admin).await?.is_empty(), "told of what is shared no longer");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_a_new_partner_deleted_long_ago_is_told() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let me = admin.my_id().await?;
        let second = admin.create_user("second@example.com").await?;
        let third = admin.create_user("third@example.com").await?;
        let with = json!({ "sharedWithId": me });
        third.post("/api/partners", &with).await?.expect(201)?;
        let seen = upload(&second, "second", 2).await?;
        let album = make_album(&second, &seen).await?;
        share(&album, &second, &json!(me)).await?;
        // What is derived of the one is older than the other: an ack that has reached it covers it.
        admin.wait_until_idle().await?;
        let thirds = upload(&third, "third", 1).await?;
        admin.wait_until_idle().await?;
        news(&admin).await?;

        // Both go while the one who saw them in an album is no partner; other deletes are acknowledged later.
        let gone = |ids: &[String]| json!({ "ids": ids, "force": true });
        second.delete("/api/assets", &gone(&seen[..1])).await?.expect(204)?;
        second.delete(&format!("/api/albums/{album}"), &json!({})).await?.expect(204)?;
        third.delete("/api/assets", &gone(&thirds)).await?.expect(204)?;
        let lines = news(&admin).await?;
        ensure!(
            ids(&lines, "PartnerAssetDeleteV1", "assetId") == [thirds[0].as_str()],
            "{lines:#?}"
        );

        second.post("/api/partners", &with).await?.expect(201)?;
        let lines = news(&admin).await?;
        ensure!(ids(&lines, "PartnerAssetDeleteV1", "assetId") == [seen[0].as_str()], "{lines:#?}");
        ensure!(ids(&lines, "PartnerAssetBackfillV2", "id") == [seen[1].as_str()], "{lines:#?}");
        let lines = news(&admin).await?;
        ensure!(lines.is_empty(), "{lines:#?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_partners_photo_that_shows_again_is_in_its_memory_again() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let partner = admin.create_user("partner@example.com").await?;
        let body = json!({ "sharedWithId": admin.my_id().await? });
        partner.post("/api/partners", &body).await?.expect(201)?;
        let own = upload(&admin, "own", 1).await?;
        let theirs = upload(&partner, "theirs", 1).await?;
        admin.wait_until_idle().await?;
        let memory = json!({
            "type": "on_this_day", "data": { "year": 2019 }, "assetIds": [own[0], theirs[0]],
            "memoryAt": "2019-05-06T00:00:00.000Z",
        });
        let made = admin.post("/api/memories", &memory).await?.expect(201)?.json()?;
        ensure!(made["assets"].as_array().is_some_and(|assets| assets.len() == 2), "{made}");
        news(&admin).await?;

        let show = async |client: &Client, id: &str, visibility: &str| {
            let body = json!({ "ids": [id], "visibility": visibility });
            client.put("/api/assets", &body).await?.expect(204).map(drop)
        };
        for id in [&own[0], &theirs[0]] {
            let client = if *id == own[0] { &admin } else { &partner };
            show(client, id, "archive").await?;
        }
        let lines = news(&admin).await?;
        ensure!(
            ids(&lines, "PartnerAssetDeleteV1", "assetId") == [theirs[0].as_str()],
            "{lines:?}"
        );
        show(&admin, &own[0], "timeline").await?;
        show(&partner, &theirs[0], "timeline").await?;
        let lines = news(&admin).await?;
        ensure!(ids(&lines, "PartnerAssetV2", "id") == [theirs[0].as_str()], "{lines:?}");
        // The phone dropped the place in the memory with the partner's photo, and kept that of its own.
        ensure!(ids(&lines, "MemoryToAssetV1", "assetId") == [theirs[0].as_str()], "{lines:?}");

        let trash = json!({ "ids": [theirs[0]] });
        partner.delete("/api/assets", &trash).await?.expect(204)?;
        news(&admin).await?;
        partner.post("/api/trash/restore/assets", &trash).await?.expect(200)?;
        let lines = news(&admin).await?;
        ensure!(ids(&lines, "MemoryToAssetV1", "assetId") == [theirs[0].as_str()], "{lines:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_organized_is_told_deletes_first() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let assets = upload(&admin, "own", 3).await?;
        admin.wait_until_idle().await?;
        news(&admin).await?;
        let made = async |path: &str, body: Value| -> anyhow::Result<String> {
            let made = admin.post(path, &body).await?.expect(201)?.json()?;
            Ok(made["id"].as_str().context("no id")?.to_owned())
        };

        let stack = made("/api/stacks", json!({ "assetIds": assets[..2] })).await?;
        let memory = json!({
            "type": "on_this_day", "data": { "year": 2019 }, "assetIds": assets[1..],
            "memoryAt": "2019-05-06T00:00:00.000Z",
        });
        let memory = made("/api/memories", memory).await?;
        let anna =
            made("/api/people", json!({ "name": "Anna", "birthDate": "1990-05-01" })).await?;
        let face = json!({
            "assetId": assets[0], "personId": anna, "imageWidth": 100, "imageHeight": 50,
            "x": 10, "y": 5, "width": 20, "height": 10,
        });
        admin.post("/api/faces", &face).await?.expect(201)?;
        let items = json!({ "items": [{ "key": "mobile-app", "value": { "iCloudId": "1" } }] });
        admin.put(&format!("/api/assets/{}/metadata", assets[0]), &items).await?.expect(200)?;
        admin.wait_until_idle().await?;
        let lines = news(&admin).await?;
        let expected = [
            "AssetV2",
            "AssetV2",
            "StackV1",
            "MemoryV1",
            "MemoryToAssetV1",
            "MemoryToAssetV1",
            "PersonV1",
            "AssetFaceV2",
            "AssetMetadataV1",
        ];
        ensure!(kinds(&lines) == expected, "{:?}", kinds(&lines));
        let person = &lines[6]["data"];
        ensure!(person["birthDate"] == "1990-05-01T00:00:00.000Z", "{person}");
        let face = &lines[7]["data"];
        ensure!(face["boundingBoxX2"] == 30 && face["personId"] == json!(anna), "{face}");
        let value = json!({
            "assetId": assets[0], "key": "mobile-app", "value": { "iCloudId": "1" },
        });
        ensure!(lines[8]["data"] == value, "{}", lines[8]);

        let berta = made("/api/people", json!({ "name": "Berta" })).await?;
        let merge = json!({ "ids": [anna] });
        admin.post(&format!("/api/people/{berta}/merge"), &merge).await?.expect(200)?;
        admin.delete(&format!("/api/stacks/{stack}"), &json!({})).await?.expect(204)?;
        let path = format!("/api/memories/{memory}/assets");
        admin.delete(&path, &json!({ "ids": assets[1..2] })).await?.expect(200)?;
        let path = format!("/api/assets/{}/metadata/mobile-app", assets[0]);
        admin.delete(&path, &json!({})).await?.expect(204)?;
        admin.wait_until_idle().await?;
        let lines = news(&admin).await?;
        let expected = [
            "AssetV2",
            "AssetV2",
            "StackDeleteV1",
            "MemoryV1",
            "MemoryToAssetDeleteV1",
            "PersonDeleteV1",
            "PersonV1",
            "AssetFaceV2",
            "AssetMetadataDeleteV1",
        ];
        ensure!(kinds(&lines) == expected, "{:?}", kinds(&lines));
        ensure!(lines[7]["data"]["personId"] == json!(berta), "{}", lines[7]);

        admin.delete(&format!("/api/people/{berta}"), &json!({})).await?.expect(204)?;
        admin.delete(&format!("/api/memories/{memory}"), &json!({})).await?.expect(204)?;
        let lines = news(&admin).await?;
        let expected = ["MemoryDeleteV1", "MemoryToAssetDeleteV1", "PersonDeleteV1", "AssetFaceV2"];
        ensure!(kinds(&lines) == expected, "{:?}", kinds(&lines));
        ensure!(lines[3]["data"]["personId"].is_null(), "{}", lines[3]);
        ensure!(news(&admin).await?.is_empty(), "told again");
        Ok(())
    })
    .await
}
