//! Taking back everything that one session or key did, but for what somebody changed since.

use anyhow::{Context as _, ensure};
use calotype_tests::client::ADMIN_EMAIL;
use calotype_tests::{Client, Options, story};
use serde_json::{Value, json};

use super::{another_picture, position};
use crate::organizing::{pictures, text};

/// Long before anything.
const EVER: &str = "2000-01-01T00:00:00.000Z";

async fn describe(client: &Client, id: &str, words: &str) -> anyhow::Result<()> {
    let words = json!({ "description": words });
    client.put(&format!("/api/assets/{id}"), &words).await?.expect(200).map(drop)
}

async fn described(client: &Client, id: &str) -> anyhow::Result<Value> {
    let page = client.get_json(&format!("/api/assets/{id}")).await?;
    Ok(page["exifInfo"]["description"].clone())
}

async fn undo(client: &Client, body: &Value) -> anyhow::Result<Value> {
    client.post("/api/calotype/undo", body).await?.expect(200)?.json()
}

#[tokio::test]
async fn everything_that_a_key_did_is_taken_back_but_for_what_changed_since() -> anyhow::Result<()>
{
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let stranger = owner.create_user("stranger@example.com").await?;
        let ids = pictures(&owner, 3).await?;
        let wish = json!({ "name": "a program", "permissions": ["all"] });
        let made = owner.post("/api/api-keys", &wish).await?.expect(201)?.json()?;
        let key = owner.with_key(&text(&made, "secret")?);
        let key_id = text(&made["apiKey"], "id")?;
        describe(&owner, &ids[0], "first").await?;

        key.put("/api/assets", &json!({ "ids": ids, "isFavorite": true })).await?.expect(204)?;
        describe(&key, &ids[0], "second").await?;
        // In between and afterwards people have their say.
        describe(&owner, &ids[0], "third").await?;
        describe(&key, &ids[0], "fourth").await?;
        describe(&key, &ids[1], "nonsense").await?;
        describe(&owner, &ids[1], "sense").await?;
        let new = json!({ "albumName": "By a program", "assetIds": ids });
        let album = text(&key.post("/api/albums", &new).await?.expect(201)?.json()?, "id")?;
        let person = json!({ "name": "Nobody" });
        let person = text(&key.post("/api/people", &person).await?.expect(201)?.json()?, "id")?;
        let tags = key.put("/api/tags", &json!({ "tags": ["odd"] })).await?.json()?;
        let tagging = format!("/api/tags/{}/assets", text(&tags[0], "id")?);
        key.put(&tagging, &json!({ "ids": ids })).await?.expect(200)?;
        let late = another_picture(&key).await?;
        // The key may be gone when it turns out what it did.
        owner.delete(&format!("/api/api-keys/{key_id}"), &json!({})).await?.expect(204)?;
        owner.wait_until_idle().await?;

        let wish = json!({ "apiKeyId": key_id, "from": EVER });
        let preview = json!({ "apiKeyId": key_id, "from": EVER, "dryRun": true });
        let before = position(&owner).await?;
        let would = undo(&owner, &preview).await?;
        ensure!(position(&owner).await? == before, "a preview wrote something");
        stranger.post("/api/calotype/undo", &wish).await?.expect(400)?;
        let other = json!({ "apiKeyId": key_id, "from": "2100-01-01T00:00:00.000Z" });
        owner.post("/api/calotype/undo", &other).await?.expect(400)?;
        owner.post("/api/calotype/undo", &json!({ "apiKeyId": key_id })).await?.expect(400)?;

        let done = undo(&owner, &wish).await?;
        ensure!(done["undone"] == would["undone"], "{done} instead of {would}");
        ensure!(owner.timeline("isFavorite=true").await?.is_empty(), "still favorites");
        ensure!(described(&owner, &ids[0]).await? == "third", "not what the owner had said");
        ensure!(described(&owner, &ids[1]).await? == "sense", "what the owner said is gone");
        owner.get(&format!("/api/albums/{album}")).await?.expect(400)?;
        owner.get(&format!("/api/people/{person}")).await?.expect(400)?;
        let page = owner.get_json(&format!("/api/assets/{}", ids[2])).await?;
        ensure!(page["tags"] == json!([]), "{page}");
        let left = done["leftAlone"].as_array().context("no list")?;
        let stays = |id: &str| left.iter().find(|item| item["id"] == id);
        let what = stays(&ids[1]).context("the second photo is not left alone")?;
        ensure!(what["what"] == json!(["description"]), "{what}");
        // What cannot be taken back is named with its reason: uploads, and making a tag.
        let never = done["cannotBeUndone"].as_array().context("no list")?;
        let upload = never.iter().find(|item| item["id"] == late.as_str());
        ensure!(upload.is_some_and(|item| item["what"] == json!(["uploaded"])), "{done}");
        ensure!(never.iter().all(|item| item["why"][0].is_string()), "{done}");

        // Taken back in turn, it is as the key had left it.
        let again = undo(&owner, &json!({ "commandId": done["correlationId"] })).await?;
        ensure!(again["leftAlone"] == json!([]), "{again}");
        ensure!(owner.timeline("isFavorite=true").await?.len() == 3, "not favorites again");
        ensure!(described(&owner, &ids[0]).await? == "fourth", "not what the key had said");
        owner.get(&format!("/api/albums/{album}")).await?.expect(200)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_session_is_taken_back_within_a_span() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let ids = pictures(&owner, 2).await?;
        let phone = owner.login(ADMIN_EMAIL).await?;
        let sessions = phone.get_json("/api/sessions").await?;
        let own = sessions.as_array().context("no sessions")?;
        let own = own.iter().find(|it| it["current"] == true).context("no session")?;
        let session_id = text(own, "id")?;
        describe(&phone, &ids[0], "before").await?;
        let moment = json!({ "name": "a moment" });
        let moment = phone.post("/api/people", &moment).await?.expect(201)?.json()?;
        // The moment is told by the log itself, so no clock has a part in it.
        let from = text(&moment, "updatedAt")?;
        describe(&phone, &ids[1], "after").await?;
        describe(&owner, &ids[0], "by another").await?;
        owner.delete(&format!("/api/sessions/{session_id}"), &json!({})).await?.expect(204)?;

        let done = undo(&owner, &json!({ "sessionId": session_id, "from": from })).await?;
        ensure!(done["commandId"].is_null(), "{done}");
        ensure!(described(&owner, &ids[1]).await? == "", "still described");
        ensure!(described(&owner, &ids[0]).await? == "by another", "another session's words");
        let undone = done["undone"].as_array().context("no list")?;
        ensure!(undone.iter().all(|item| item["id"] != ids[0].as_str()), "{done}");
        ensure!(undone.iter().any(|item| item["kind"] == "person"), "{done}");
        let none =
            json!({ "sessionId": session_id, "from": EVER, "to": "2001-01-01T00:00:00.000Z" });
        owner.post("/api/calotype/undo", &none).await?.expect(400)?;
        Ok(())
    })
    .await
}
