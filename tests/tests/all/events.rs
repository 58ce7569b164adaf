//! What open sockets are told: every event of Immich's that this server sends, each heard by Immich's own
//! library, and no other.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use calotype_tests::binary::finish;
use calotype_tests::client::{ADMIN_EMAIL, WORK_LIMIT};
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer, story};
use serde_json::{Value, json};

use crate::clients::{CLIENT_LIMIT, node, script};
use crate::organizing::text;

/// Every event that is sent to who is let in. Of Immich's others `docs/api.md` says why they are not.
const SENT: [&str; 16] = [
    "AssetEditReadyV2",
    "AssetUploadReadyV2",
    "on_album_update",
    "on_asset_delete",
    "on_asset_hidden",
    "on_asset_restore",
    "on_asset_stack_update",
    "on_asset_trash",
    "on_asset_update",
    "on_config_update",
    "on_notification",
    "on_person_thumbnail",
    "on_server_version",
    "on_session_delete",
    "on_upload_success",
    "on_user_delete",
];

/// What a socket of the first account hears while something is done; it ends with its session.
async fn heard_while(
    server: &TestServer,
    owner: &Client,
    work: impl AsyncFnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<(String, Vec<(String, Value)>)> {
    let body = json!({ "email": ADMIN_EMAIL, "password": calotype_tests::client::PASSWORD });
    let login = owner.anonymous().post("/api/auth/login", &body).await?.expect(201)?.json()?;
    let token = text(&login, "accessToken")?;
    let sessions = owner.with_token(&token).get_json("/api/sessions").await?;
    let mut sessions = sessions.as_array().into_iter().flatten();
    let session = sessions.find(|session| session["current"] == true).context("no session")?;
    let session = text(session, "id")?;
    let connected = server.scratch().join("connected");
    let mut command = node(&script("events.mjs"))?;
    command.args([&server.url(), &token]).arg(&connected);
    let listening = finish(command, "", CLIENT_LIMIT);
    let working = async {
        until("the socket to be open", WORK_LIMIT, async || Ok(connected.exists().then_some(())))
            .await?;
        let worked = work().await;
        let path = format!("/api/sessions/{session}");
        owner.delete(&path, &json!({})).await?.expect(204)?;
        worked
    };
    let (done, worked) = tokio::join!(listening, working);
    worked?;
    let done = done?.success()?;
    let lines = done.stdout.lines().map(|line| -> anyhow::Result<(String, Value)> {
        let told: Value = serde_json::from_str(line)?;
        Ok((text(&told, "event")?, told["words"].clone()))
    });
    Ok((session, lines.collect::<anyhow::Result<_>>()?))
}

#[tokio::test]
async fn every_event_is_heard_with_its_words() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let friend = owner.create_user("friend@example.com").await?;
        let friend_id = friend.my_id().await?;
        let mut expected: Vec<(&str, Value)> = Vec::new();
        let (session, heard) = heard_while(server, &owner, async || {
            let film = owner.upload_file(&media("photos/live/IMG_4711.MOV")?).await?;
            owner.wait_until_idle().await?;
            let still = owner.upload_file(&media("photos/live/IMG_4711.JPG")?).await?;
            let other = owner.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
            owner.wait_until_idle().await?;
            expected.push(("on_asset_hidden", json!([film])));

            let path = format!("/api/assets/{other}");
            owner.put(&path, &json!({ "description": "words" })).await?.expect(200)?;
            let turn = json!({ "action": "rotate", "parameters": { "angle": 90 } });
            owner.put(&format!("{path}/edits"), &json!({ "edits": [turn] })).await?.expect(200)?;
            let person =
                owner.post("/api/people", &json!({ "name": "Anna" })).await?.expect(201)?;
            let person = text(&person.json()?, "id")?;
            let face = json!({
                "assetId": still, "personId": person, "imageWidth": 100, "imageHeight": 100,
                "x": 10, "y": 10, "width": 40, "height": 40,
            });
            owner.post("/api/faces", &face).await?.expect(201)?;
            owner.wait_until_idle().await?;
            expected.push(("on_person_thumbnail", json!([person])));

            let stack = json!({ "assetIds": [still, other] });
            owner.post("/api/stacks", &stack).await?.expect(201)?;
            expected.push(("on_asset_stack_update", json!([])));
            let album = owner.post("/api/albums", &json!({ "albumName": "A" })).await?;
            let album = text(&album.expect(201)?.json()?, "id")?;
            let ids = json!({ "ids": [other] });
            owner.put(&format!("/api/albums/{album}/assets"), &ids).await?.expect(200)?;
            expected.push(("on_album_update", json!([album])));
            owner.delete("/api/assets", &ids).await?.expect(204)?;
            expected.push(("on_asset_trash", json!([[other]])));
            owner.post("/api/trash/restore/assets", &ids).await?.expect(200)?;
            expected.push(("on_asset_restore", json!([[other]])));
            let gone = json!({ "ids": [other], "force": true });
            owner.delete("/api/assets", &gone).await?.expect(204)?;
            expected.push(("on_asset_delete", json!([other])));

            let mut config = owner.get_json("/api/system-config").await?;
            config["theme"]["customCss"] = json!("p { color: black }");
            owner.put("/api/system-config", &config).await?.expect(200)?;
            expected.push(("on_config_update", json!([])));
            let notice = json!({ "title": "Look", "userId": owner.my_id().await? });
            owner.post("/api/admin/notifications", &notice).await?.expect(201)?;
            let path = format!("/api/admin/users/{friend_id}");
            owner.delete(&path, &json!({ "force": true })).await?.expect(200)?;
            until("the account to be gone", WORK_LIMIT, async || {
                Ok((owner.get(&path).await?.status != 200).then_some(()))
            })
            .await?;
            expected.push(("on_user_delete", json!([friend_id])));
            Ok(())
        })
        .await?;
        expected.push(("on_session_delete", json!([session])));
        for (event, words) in &expected {
            ensure!(
                heard.iter().any(|(heard, said)| heard == event && said == words),
                "no {event} with {words} in {heard:#?}"
            );
        }
        for (event, pointer, word) in [
            ("on_server_version", "/0/major", json!(3)),
            ("on_upload_success", "/0/type", json!("VIDEO")),
            ("AssetUploadReadyV2", "/0/asset/type", json!("VIDEO")),
            ("AssetEditReadyV2", "/0/edit/0/action", json!("rotate")),
            ("on_asset_update", "/0/exifInfo/description", json!("words")),
            ("on_notification", "/0/title", json!("Look")),
        ] {
            let said = heard
                .iter()
                .any(|(heard, words)| heard == event && words.pointer(pointer) == Some(&word));
            ensure!(said, "no {event} says {word} at {pointer} in {heard:#?}");
        }
        let events: BTreeSet<&str> = heard.iter().map(|(event, _)| event.as_str()).collect();
        let sent: BTreeSet<&str> = SENT.into();
        ensure!(events == sent, "heard {events:?} and not {sent:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_deletion_is_told_of_assets_that_this_process_never_saw() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let asset = owner.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        owner.wait_until_idle().await?;
        owner.delete("/api/assets", &json!({ "ids": [asset] })).await?.expect(204)?;
        server.terminate().await?;
        server.go_on().await?;
        let (_, heard) = heard_while(server, &owner, async || {
            owner.post("/api/trash/empty", &json!({})).await?.expect(200)?;
            let path = format!("/api/assets/{asset}");
            until("the asset to be gone", WORK_LIMIT, async || {
                Ok((owner.get(&path).await?.status == 400).then_some(()))
            })
            .await
        })
        .await?;
        let told = ("on_asset_delete".to_owned(), json!([asset]));
        ensure!(heard.contains(&told), "{heard:#?}");
        Ok(())
    })
    .await
}
