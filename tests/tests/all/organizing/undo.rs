//! Taking back: what is as a request left it goes back, what changed since stays.

use anyhow::{Context as _, ensure};
use calotype_tests::{Client, Options, story};
use serde_json::{Value, json};

use super::{pictures, text};

/// The correlation id of the last event of an asset.
/// The last request of a person about an asset. Processors may still be at work on it.
async fn last_request(client: &Client, asset: &str) -> anyhow::Result<String> {
    let history = client.history(asset).await?;
    let by_person = history.iter().rfind(|event| event["actor"]["kind"] == "user");
    text(by_person.context("nobody did anything")?, "correlationId")
}

async fn undo(client: &Client, id: &str, dry_run: bool) -> anyhow::Result<Value> {
    let body = json!({ "commandId": id, "dryRun": dry_run });
    client.post("/api/calotype/undo", &body).await?.expect(200)?.json()
}

#[tokio::test]
async fn a_change_to_many_is_taken_back_but_for_what_changed_since() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let stranger = admin.create_user("stranger@example.com").await?;
        let ids = pictures(&admin, 3).await?;
        admin.wait_until_idle().await?;
        let before: Value = admin.get_json(&format!("/api/assets/{}", ids[0])).await?;
        let change = json!({
            "ids": ids, "isFavorite": true, "description": "words", "rating": 2,
            "dateTimeOriginal": "2001-02-03T04:05:06.000Z", "latitude": 1, "longitude": 2,
            "visibility": "archive",
        });
        admin.put("/api/assets", &change).await?.expect(204)?;
        let request = last_request(&admin, &ids[0]).await?;
        let words = json!({ "description": "better words" });
        admin.put(&format!("/api/assets/{}", ids[1]), &words).await?.expect(200)?;

        let body = json!({ "commandId": request });
        stranger.post("/api/calotype/undo", &body).await?.expect(400)?;
        admin.anonymous().post("/api/calotype/undo", &body).await?.expect(401)?;
        let key = admin.create_key(&["asset.read"]).await?;
        key.post("/api/calotype/undo", &body).await?.expect(403)?;

        let preview = undo(&admin, &request, true).await?;
        ensure!(preview["undone"].as_array().is_some_and(|all| all.len() == 3), "{preview}");
        ensure!(admin.timeline("isFavorite=true").await?.len() == 3, "a preview changed something");

        let done = undo(&admin, &request, false).await?;
        ensure!(done["undone"] == preview["undone"], "{done} instead of {preview}");
        ensure!(done["leftAlone"].as_array().is_some_and(|left| left.len() == 1), "{done}");
        ensure!(done["leftAlone"][0]["id"] == ids[1], "{done}");
        ensure!(done["leftAlone"][0]["what"] == json!(["description"]), "{done}");
        let by = &done["leftAlone"][0]["changedBy"];
        ensure!(by["type"] == "AssetDescriptionChanged", "{done}");
        ensure!(admin.timeline("isFavorite=true").await?.is_empty(), "still favorites");
        ensure!(admin.timeline("visibility=archive").await?.is_empty(), "still archived");
        let back = admin.get_json(&format!("/api/assets/{}", ids[0])).await?;
        ensure!(back["exifInfo"] == before["exifInfo"], "{} is not as before", back["exifInfo"]);
        ensure!(back["localDateTime"] == before["localDateTime"], "{back}");
        let kept = admin.get_json(&format!("/api/assets/{}", ids[1])).await?;
        ensure!(kept["exifInfo"]["description"] == "better words", "{kept}");

        // Taking it back twice changes nothing more; taking back the taking back does.
        let again = undo(&admin, &request, false).await?;
        ensure!(again["undone"] == json!([]) && again["correlationId"].is_null(), "{again}");
        let redo = undo(&admin, &text(&done, "correlationId")?, false).await?;
        ensure!(redo["undone"].as_array().is_some_and(|all| all.len() == 3), "{redo}");
        ensure!(admin.timeline("isFavorite=true").await?.len() == 3, "not favorites again");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn trash_tags_and_stacks_come_back() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let ids = pictures(&admin, 4).await?;
        let stack = json!({ "assetIds": ids[..3] });
        let stack = text(&admin.post("/api/stacks", &stack).await?.expect(201)?.json()?, "id")?;
        let tags = admin.put("/api/tags", &json!({ "tags": ["a/b"] })).await?.json()?;
        let (tag, above) = (text(&tags[0], "id")?, text(&tags[0], "parentId")?);
        let path = format!("/api/tags/{tag}/assets");
        admin.put(&path, &json!({ "ids": ids })).await?.expect(200)?;

        // Into the trash goes the one that stands for the stack; it stands for it again.
        admin.delete("/api/assets", &json!({ "ids": [ids[0]] })).await?.expect(204)?;
        let shown = admin.get_json(&format!("/api/stacks/{stack}")).await?;
        ensure!(shown["primaryAssetId"] == ids[1], "{shown}");
        let request = last_request(&admin, &ids[0]).await?;
        let done = undo(&admin, &request, false).await?;
        ensure!(done["leftAlone"] == json!([]), "{done}");
        let shown = admin.get_json(&format!("/api/stacks/{stack}")).await?;
        ensure!(shown["primaryAssetId"] == ids[0], "{shown}");
        ensure!(admin.timeline("").await?.len() == 4, "still in the trash");

        // A stack that took others in falls apart into what was there before.
        let merged = json!({ "assetIds": [ids[3], ids[0]] });
        admin.post("/api/stacks", &merged).await?.expect(201)?;
        admin.get(&format!("/api/stacks/{stack}")).await?.expect(400)?;
        let request = last_request(&admin, &ids[3]).await?;
        undo(&admin, &request, false).await?;
        let shown = admin.get_json(&format!("/api/stacks/{stack}")).await?;
        ensure!(shown["assets"].as_array().is_some_and(|all| all.len() == 3), "{shown}");
        let stacks = admin.get_json("/api/stacks").await?;
        ensure!(stacks.as_array().is_some_and(|all| all.len() == 1), "{stacks}");
        ensure!(admin.timeline("withStacked=true").await?.len() == 2, "shows other than before");

        // Untagged in one go, tagged again in one go.
        admin.delete(&path, &json!({ "ids": ids })).await?.expect(200)?;
        let request = last_request(&admin, &ids[0]).await?;
        undo(&admin, &request, false).await?;
        ensure!(admin.timeline(&format!("tagId={above}")).await?.len() == 4, "not tagged again");

        let upload = text(&admin.history(&ids[0]).await?[0], "correlationId")?;
        let told = undo(&admin, &upload, false).await?;
        ensure!(told["undone"] == json!([]), "{told}");
        ensure!(told["cannotBeUndone"][0]["what"] == json!(["uploaded"]), "{told}");
        Ok(())
    })
    .await
}
