//! What is answered and refused, and the lines as they were recorded.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use calotype_tests::media::{media, shared};
use calotype_tests::phone::{Ended, Phone, TYPES};
use calotype_tests::{Client, Options, story};
use reqwest::Method;
use serde_json::{Value, json};

/// Fields that may be null here and not in the recording, or the other way round: what each file says.
const FACTS_OF_FILES: [&str; 1] = ["data"];

pub(super) async fn stream(client: &Client, types: &[&str]) -> anyhow::Result<Vec<Value>> {
    let body = json!({ "types": types });
    let answer = client.post("/api/sync/stream", &body).await?.expect(200)?;
    let text = String::from_utf8(answer.body.to_vec())?;
    ensure!(text.ends_with('\n'), "the last line has no end");
    text.lines().map(|line| serde_json::from_str(line).context("a line is no JSON")).collect()
}

pub(super) fn kinds(lines: &[Value]) -> Vec<&str> {
    lines.iter().filter_map(|line| line["type"].as_str()).collect()
}

pub(super) async fn acknowledge(client: &Client, acks: &[&Value]) -> anyhow::Result<()> {
    client.post("/api/sync/ack", &json!({ "acks": acks })).await?.expect(204).map(drop)
}

#[tokio::test]
async fn sync_refuses_what_immich_refuses() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_key(&["all"]).await?;
        let poor = admin.create_key(&["asset.read"]).await?;
        let refused = json!({ "message": "Sync endpoints cannot be used with API keys" });
        let asked = [
            (Method::POST, "/api/sync/stream", json!({ "types": ["AssetsV2"] }), "sync.stream"),
            (Method::POST, "/api/sync/ack", json!({ "acks": [] }), "syncCheckpoint.update"),
            (Method::GET, "/api/sync/ack", json!({}), "syncCheckpoint.read"),
            (Method::DELETE, "/api/sync/ack", json!({}), "syncCheckpoint.delete"),
        ];
        for (method, path, body, permission) in asked {
            let answer = key.call(method.clone(), path, &body).await?.expect(403)?;
            ensure!(answer.json()? == refused, "{method} {path}: {}", answer.shown());
            let answer = poor.call(method.clone(), path, &body).await?.expect(403)?;
            let missing = format!("Missing required permission: {permission}");
            ensure!(answer.message()? == missing, "{method} {path}: {}", answer.shown());
        }

        let dead = json!({ "types": ["AssetsV1"] });
        let answer = admin.post("/api/sync/stream", &dead).await?.expect(400)?;
        let recorded =
            std::fs::read_to_string(shared().join("immich/fixtures/sync_stream_assets_v1.jsonl"))?;
        ensure!(answer.json()? == serde_json::from_str::<Value>(&recorded)?, "{}", answer.shown());
        for dead in ["PartnerAssetsV1", "AlbumAssetsV1", "AssetFacesV1"] {
            admin.post("/api/sync/stream", &json!({ "types": [dead] })).await?.expect(400)?;
        }

        let answer = admin.post("/api/sync/stream", &json!({ "types": ["CastlesV1"] })).await?;
        let issues = answer.expect(400)?.json()?;
        ensure!(issues["errors"][0]["path"] == json!(["types", 0]), "{issues}");
        ensure!(issues["errors"][0]["code"] == "invalid_value", "{issues}");
        let issues = admin.post("/api/sync/stream", &json!({})).await?.expect(400)?.json()?;
        ensure!(
            issues["errors"][0]["message"] == "Invalid input: expected array, received undefined",
            "{issues}"
        );
        let answer = admin.post("/api/sync/ack", &json!({ "acks": ["CastleV1|1"] })).await?;
        ensure!(answer.expect(400)?.message()? == "Invalid ack type: CastleV1", "another message");
        admin.post("/api/sync/ack", &json!({ "acks": ["AssetV2|1"] })).await?.expect(400)?;
        let many = vec!["AssetV2|1"; 1_001];
        admin.post("/api/sync/ack", &json!({ "acks": many })).await?.expect(400).map(drop)
    })
    .await
}

#[tokio::test]
async fn what_was_acknowledged_is_not_sent_again() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let types = ["AssetsV2", "AssetExifsV1", "UsersV1"];
        let asset = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        admin.wait_until_idle().await?;
        let lines = stream(&admin, &types).await?;
        ensure!(
            kinds(&lines) == ["UserV1", "AssetV2", "AssetExifV1", "SyncCompleteV1"],
            "{lines:#?}"
        );
        ensure!(
            stream(&admin, &types).await?.len() == 4,
            "lines that nobody acknowledged are kept"
        );
        let acks: Vec<&Value> = lines.iter().map(|line| &line["ack"]).collect();
        acknowledge(&admin, &acks).await?;
        ensure!(kinds(&stream(&admin, &types).await?) == ["SyncCompleteV1"], "sent again");
        let kept = admin.get_json("/api/sync/ack").await?;
        ensure!(kept.as_array().is_some_and(|kept| kept.len() == 4), "{kept}");

        admin.put(&format!("/api/assets/{asset}"), &json!({ "isFavorite": true })).await?;
        let lines = stream(&admin, &types).await?;
        ensure!(kinds(&lines) == ["AssetV2", "SyncCompleteV1"], "{lines:#?}");
        ensure!(lines[0]["data"]["isFavorite"] == json!(true), "{lines:#?}");
        admin.put(&format!("/api/assets/{asset}"), &json!({ "description": "words" })).await?;
        let lines = stream(&admin, &types).await?;
        ensure!(kinds(&lines) == ["AssetV2", "AssetExifV1", "SyncCompleteV1"], "{lines:#?}");

        // Another session of the same person has its own acks.
        let other = admin.login("admin@example.com").await?;
        ensure!(other.get_json("/api/sync/ack").await? == json!([]), "acks of another session");
        ensure!(stream(&other, &types).await?.len() == 4, "lines of another session");

        let forgotten = json!({ "types": ["UserV1"] });
        admin.delete("/api/sync/ack", &forgotten).await?.expect(204)?;
        let lines = stream(&admin, &types).await?;
        ensure!(kinds(&lines).first() == Some(&"UserV1"), "{lines:#?}");
        admin.delete("/api/sync/ack", &json!({})).await?.expect(204)?;
        ensure!(admin.get_json("/api/sync/ack").await? == json!([]), "acks are left");

        admin
            .delete("/api/assets", &json!({ "ids": [asset], "force": true }))
            .await?
            .expect(204)?;
        let lines = stream(&admin, &types).await?;
        ensure!(kinds(&lines) == ["UserV1", "AssetDeleteV1", "SyncCompleteV1"], "{lines:#?}");
        ensure!(lines[1]["data"] == json!({ "assetId": asset }), "{lines:#?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn session_that_is_told_to_starts_anew() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let mut phone = Phone::of(admin.clone()).await?;
        phone.sync_whole().await?;
        let sessions = admin.get_json("/api/sessions").await?;
        let session = sessions[0]["id"].as_str().context("no session")?;
        let path = format!("/api/sessions/{session}");
        let wish = json!({ "isPendingSyncReset": true });
        admin.put(&path, &wish).await?.expect(200)?;

        let lines = stream(&admin, &TYPES).await?;
        let reset = json!({ "type": "SyncResetV1", "data": {}, "ack": "SyncResetV1|reset" });
        ensure!(lines == [reset], "{lines:#?}");
        ensure!(phone.sync(None).await? == Ended::Reset, "the phone was not told");
        ensure!(admin.get_json("/api/sync/ack").await? == json!([]), "acks are left");
        let sessions = admin.get_json("/api/sessions").await?;
        ensure!(sessions[0]["isPendingSyncReset"] == json!(false), "{sessions}");
        ensure!(phone.sync(None).await? == Ended::Whole, "told twice");
        ensure!(phone.table("user").len() == 1, "nothing came after the reset");

        // A phone may also ask for it.
        let body = json!({ "types": ["UsersV1"], "reset": true });
        let answer = admin.post("/api/sync/stream", &body).await?.expect(200)?;
        ensure!(String::from_utf8_lossy(&answer.body).contains("UserV1"), "{}", answer.shown());
        Ok(())
    })
    .await
}

/// The recorded lines have the same fields, of the same kinds, as ours.
#[tokio::test]
async fn lines_are_shaped_as_recorded() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        admin.create_user("second@example.com").await?;
        admin.upload_file(&media("photos/nature/prairie_falcon.jpg")?).await?;
        admin.wait_until_idle().await?;
        let ours = stream(&admin, &TYPES).await?;
        let path = shared().join("immich/fixtures/sync_stream_v2.jsonl");
        let mut compared = 0;
        for line in std::fs::read_to_string(path)?.lines() {
            let theirs: Value = serde_json::from_str(line)?;
            let Some(ours) = ours.iter().find(|ours| ours["type"] == theirs["type"]) else {
                continue;
            };
            let fields = |line: &Value, name: &str| -> BTreeMap<String, Value> {
                let object = line[name].as_object().cloned().unwrap_or_default();
                object.into_iter().collect()
            };
            for name in FACTS_OF_FILES {
                let (theirs, ours) = (fields(&theirs, name), fields(ours, name));
                ensure!(
                    theirs.keys().eq(ours.keys()),
                    "{line} has {:?}, ours has {:?}",
                    theirs.keys(),
                    ours.keys()
                );
                for (field, value) in &theirs {
                    let other = &ours[field];
                    let is_alike = value.is_null()
                        || other.is_null()
                        || std::mem::discriminant(value) == std::mem::discriminant(other);
                    ensure!(is_alike, "{field}: {other} instead of {value}");
                }
            }
            compared += 1;
        }
        ensure!(compared >= 60, "only {compared} lines were compared");
        Ok(())
    })
    .await
}
