//! Bringing a photo, an album or a library back to what it was, by new events that can be taken back.

use anyhow::ensure;
use calotype_tests::{Client, Options, story};
use serde_json::{Value, json};

use super::{another_picture, position, then};
use crate::organizing::{pictures, text};

async fn revert(client: &Client, kind: &str, id: &str, at: i64) -> anyhow::Result<Value> {
    let body = json!({ "kind": kind, "id": id, "at": at.to_string() });
    client.post("/api/calotype/revert", &body).await?.expect(200)?.json()
}

async fn undo(client: &Client, done: &Value) -> anyhow::Result<Value> {
    let body = json!({ "commandId": done["correlationId"] });
    client.post("/api/calotype/undo", &body).await?.expect(200)?.json()
}

/// What people see of an asset's page and processors have no part in.
async fn page(client: &Client, id: &str, at: i64) -> anyhow::Result<Value> {
    let told = then(client, &format!("assets/{id}"), at).await?;
    let asset = &told["asset"];
    let names = ["isFavorite", "isTrashed", "visibility", "localDateTime", "tags", "people"];
    let mut page: serde_json::Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), asset[*name].clone())).collect();
    page.insert("description".into(), asset["exifInfo"]["description"].clone());
    page.insert("rating".into(), asset["exifInfo"]["rating"].clone());
    page.insert("latitude".into(), asset["exifInfo"]["latitude"].clone());
    Ok(Value::Object(page))
}

#[tokio::test]
async fn a_photo_is_brought_back_and_that_is_taken_back() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let stranger = owner.create_user("stranger@example.com").await?;
        let ids = pictures(&owner, 3).await?;
        let id = &ids[0];
        owner.put("/api/assets", &json!({ "ids": [id], "rating": 3 })).await?.expect(204)?;
        let tags = owner.put("/api/tags", &json!({ "tags": ["sea", "sand"] })).await?.json()?;
        let tagging =
            |at: usize| anyhow::Ok(format!("/api/tags/{}/assets", text(&tags[at], "id")?));
        owner.put(&tagging(0)?, &json!({ "ids": [id] })).await?.expect(200)?;
        owner.wait_until_idle().await?;
        let first = position(&owner).await?;
        let change = json!({
            "ids": [id], "isFavorite": true, "description": "words", "rating": 5,
            "dateTimeOriginal": "2001-02-03T04:05:06.000Z", "latitude": 1, "longitude": 2,
            "visibility": "archive",
        });
        owner.put("/api/assets", &change).await?.expect(204)?;
        owner.delete(&tagging(0)?, &json!({ "ids": [id] })).await?.expect(200)?;
        owner.put(&tagging(1)?, &json!({ "ids": [id] })).await?.expect(200)?;
        owner.delete("/api/assets", &json!({ "ids": [id] })).await?.expect(204)?;
        owner.wait_until_idle().await?;
        let second = position(&owner).await?;
        ensure!(
            page(&owner, id, first).await? != page(&owner, id, second).await?,
            "nothing changed"
        );

        let body = json!({ "kind": "asset", "id": id, "at": first, "dryRun": true });
        let preview = owner.post("/api/calotype/revert", &body).await?.expect(200)?.json()?;
        ensure!(position(&owner).await? == second, "a preview wrote something");
        stranger.post("/api/calotype/revert", &body).await?.expect(400)?;
        owner.anonymous().post("/api/calotype/revert", &body).await?.expect(401)?;
        let key = owner.create_key(&["asset.read"]).await?;
        key.post("/api/calotype/revert", &body).await?.expect(403)?;
        // A key needs what each change back needs.
        let key = owner.create_key(&["asset.update"]).await?;
        key.post("/api/calotype/revert", &body).await?.expect(403)?;

        let done = revert(&owner, "asset", id, first).await?;
        ensure!(done["undone"] == preview["undone"] && done["leftAlone"] == json!([]), "{done}");
        owner.wait_until_idle().await?;
        let third = position(&owner).await?;
        let (was, is) = (page(&owner, id, first).await?, page(&owner, id, third).await?);
        ensure!(was == is, "{is} instead of {was}");
        let again = revert(&owner, "asset", id, first).await?;
        ensure!(again["undone"] == json!([]) && again["correlationId"].is_null(), "{again}");

        let undone = undo(&owner, &done).await?;
        ensure!(undone["leftAlone"] == json!([]), "{undone}");
        owner.wait_until_idle().await?;
        let now = position(&owner).await?;
        let (was, is) = (page(&owner, id, second).await?, page(&owner, id, now).await?);
        ensure!(was == is, "{is} instead of {was}");
        // What happened before is as it was.
        ensure!(page(&owner, id, third).await? == page(&owner, id, first).await?, "rewritten");

        // What does not come back is named.
        owner.post("/api/stacks", &json!({ "assetIds": ids[1..] })).await?.expect(201)?;
        let stacked = revert(&owner, "asset", &ids[1], second).await?;
        ensure!(stacked["cannotBeUndone"][0]["what"] == json!(["stack"]), "{stacked}");
        let early = revert(&owner, "asset", &ids[1], 1).await?;
        ensure!(early["cannotBeUndone"][0]["what"][0] == "uploaded", "{early}");
        let purge = json!({ "ids": [id], "force": true });
        owner.delete("/api/assets", &purge).await?.expect(204)?;
        let gone = revert(&owner, "asset", id, first).await?;
        ensure!(gone["cannotBeUndone"][0]["what"][0] == "deleted", "{gone}");
        stranger.post("/api/calotype/revert", &body).await?.expect(400)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_album_is_brought_back_by_who_may_change_it() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let friend = owner.create_user("friend@example.com").await?;
        let ids = pictures(&owner, 3).await?;
        let start = position(&owner).await?;
        let new = json!({ "albumName": "Summer", "assetIds": ids[..2] });
        let id = text(&owner.post("/api/albums", &new).await?.expect(201)?.json()?, "id")?;
        let path = format!("/api/albums/{id}");
        let users =
            json!({ "albumUsers": [{ "userId": friend.my_id().await?, "role": "viewer" }] });
        owner.put(&format!("{path}/users"), &users).await?.expect(200)?;
        let first = position(&owner).await?;
        let album = async |at| {
            Ok::<_, anyhow::Error>({
                let mut told = then(&owner, &format!("albums/{id}"), at).await?;
                told["at"] = Value::Null;
                told["album"]["updatedAt"] = Value::Null;
                told
            })
        };
        let words =
            json!({ "albumName": "Winter", "description": "snow", "isActivityEnabled": false });
        owner.call("PATCH".parse()?, &path, &words).await?.expect(200)?;
        owner.delete(&format!("{path}/assets"), &json!({ "ids": [ids[0]] })).await?.expect(200)?;
        owner.put(&format!("{path}/assets"), &json!({ "ids": [ids[2]] })).await?.expect(200)?;
        let out = format!("{path}/user/{}", friend.my_id().await?);
        owner.delete(&out, &json!({})).await?.expect(204)?;
        friend.get(&path).await?.expect(400)?;
        let second = position(&owner).await?;

        let body = json!({ "kind": "album", "id": id, "at": first.to_string() });
        friend.post("/api/calotype/revert", &body).await?.expect(400)?;
        let done = revert(&owner, "album", &id, first).await?;
        ensure!(done["leftAlone"] == json!([]) && done["cannotBeUndone"] == json!([]), "{done}");
        let third = position(&owner).await?;
        let (mut was, mut is) = (album(first).await?, album(third).await?);
        // What comes back comes last.
        for told in [&mut was, &mut is] {
            let mut ids: Vec<String> = serde_json::from_value(told["assetIds"].take())?;
            ids.sort();
            told["assetIds"] = json!(ids);
            told["album"]["albumThumbnailAssetId"] = Value::Null;
        }
        ensure!(was == is, "{is} instead of {was}");
        friend.get(&path).await?.expect(200)?;
        // A guest looks and changes nothing back.
        friend.post("/api/calotype/revert", &body).await?.expect(400)?;
        let undone = undo(&owner, &done).await?;
        ensure!(undone["leftAlone"] == json!([]), "{undone}");
        let now = position(&owner).await?;
        ensure!(album(now).await?["album"]["albumName"] == "Winter", "not taken back");
        ensure!(album(now).await?["assetIds"] == album(second).await?["assetIds"]);
        friend.get(&path).await?.expect(400)?;

        // Before it was made there was none; its links end with it, and come back with it.
        let link = json!({ "type": "ALBUM", "albumId": id });
        let link = owner.post("/api/shared-links", &link).await?.expect(201)?.json()?;
        let visit = format!("/api/shared-links/me?key={}", text(&link, "key")?);
        owner.anonymous().get(&visit).await?.expect(200)?;
        let done = revert(&owner, "album", &id, start).await?;
        ensure!(done["undone"][0]["what"] == json!(["created"]), "{done}");
        owner.get(&path).await?.expect(400)?;
        owner.anonymous().get(&visit).await?.expect(401)?;
        undo(&owner, &done).await?;
        owner.get(&path).await?.expect(200)?;
        owner.anonymous().get(&visit).await?.expect(200)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_library_is_brought_back_and_that_is_taken_back() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let friend = owner.create_user("friend@example.com").await?;
        let ids = pictures(&owner, 3).await?;
        let theirs = pictures(&friend, 1).await?;
        let album = async |client: &Client, name: &str| {
            let new = json!({ "albumName": name });
            text(&client.post("/api/albums", &new).await?.expect(201)?.json()?, "id")
        };
        let kept = album(&owner, "Kept").await?;
        let person = json!({ "name": "Anna" });
        let person = text(&owner.post("/api/people", &person).await?.expect(201)?.json()?, "id")?;
        owner.wait_until_idle().await?;
        let first = position(&owner).await?;

        owner.put("/api/assets", &json!({ "ids": ids, "isFavorite": true })).await?.expect(204)?;
        owner.delete("/api/assets", &json!({ "ids": [ids[0]] })).await?.expect(204)?;
        owner.delete(&format!("/api/albums/{kept}"), &json!({})).await?.expect(204)?;
        let made = album(&owner, "Made").await?;
        owner
            .put(&format!("/api/people/{person}"), &json!({ "name": "Bert" }))
            .await?
            .expect(200)?;
        owner.put("/api/users/me", &json!({ "name": "Somebody" })).await?.expect(200)?;
        owner.post("/api/stacks", &json!({ "assetIds": ids[1..] })).await?.expect(201)?;
        let late = another_picture(&owner).await?;
        // What others do is not the owner's to bring back.
        friend
            .put("/api/assets", &json!({ "ids": theirs, "isFavorite": true }))
            .await?
            .expect(204)?;
        let friends = album(&friend, "Friends").await?;
        owner.wait_until_idle().await?;
        let second = position(&owner).await?;

        let me = owner.my_id().await?;
        let body = json!({ "kind": "user", "id": me, "at": first });
        friend.post("/api/calotype/revert", &body).await?.expect(400)?;
        let done = revert(&owner, "user", &me, first).await?;
        ensure!(done["leftAlone"] == json!([]), "{done}");
        let never = done["cannotBeUndone"].as_array().map(Vec::as_slice).unwrap_or_default();
        ensure!(never.len() == 1 && never[0]["id"] == late.as_str(), "{done}");
        owner.wait_until_idle().await?;
        let third = position(&owner).await?;
        ensure!(owner.timeline("isFavorite=true").await?.is_empty(), "still favorites");
        ensure!(owner.timeline("").await?.len() == 4, "still in the trash");
        ensure!(owner.get_json("/api/stacks").await? == json!([]), "still stacked");
        owner.get(&format!("/api/albums/{kept}")).await?.expect(200)?;
        owner.get(&format!("/api/albums/{made}")).await?.expect(400)?;
        ensure!(owner.get_json(&format!("/api/people/{person}")).await?["name"] == "Anna");
        ensure!(owner.get_json("/api/users/me").await?["name"] != "Somebody", "still renamed");
        ensure!(
            friend.timeline("isFavorite=true").await?.len() == 1,
            "the friend's went back, too"
        );
        friend.get(&format!("/api/albums/{friends}")).await?.expect(200)?;
        for what in ["timeline?isFavorite=true", "people"] {
            let (mut was, mut is) =
                (then(&owner, what, first).await?, then(&owner, what, third).await?);
            for told in [&mut was, &mut is] {
                told["at"] = Value::Null;
                if let Some(person) = told["people"].get_mut(0) {
                    person["updatedAt"] = Value::Null;
                }
            }
            ensure!(was == is, "{what}: {is} instead of {was}");
        }

        let undone = undo(&owner, &done).await?;
        ensure!(undone["leftAlone"] == json!([]), "{undone}");
        ensure!(owner.timeline("isFavorite=true").await?.len() == 2, "not favorites again");
        owner.get(&format!("/api/albums/{kept}")).await?.expect(400)?;
        owner.get(&format!("/api/albums/{made}")).await?.expect(200)?;
        ensure!(owner.get_json("/api/users/me").await?["name"] == "Somebody");
        let now = position(&owner).await?;
        let (was, is) =
            (then(&owner, "timeline", second).await?, then(&owner, "timeline", now).await?);
        ensure!(was["months"] == is["months"], "{is} instead of {was}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn who_only_edits_an_album_brings_no_owner_back() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let other = owner.create_user("other@example.com").await?;
        let editor = owner.create_user("editor@example.com").await?;
        let (other_id, editor_id) = (other.my_id().await?, editor.my_id().await?);
        let new = json!({ "albumName": "Summer", "albumUsers": [
            { "userId": other_id, "role": "editor" }, { "userId": editor_id, "role": "editor" },
        ] });
        let id = text(&owner.post("/api/albums", &new).await?.expect(201)?.json()?, "id")?;
        let path = format!("/api/albums/{id}");
        let user = format!("{path}/user/{other_id}");
        owner.put(&user, &json!({ "role": "owner" })).await?.expect(204)?;
        let first = position(&owner).await?;
        owner.delete(&user, &json!({})).await?.expect(204)?;
        other.get(&path).await?.expect(400)?;

        revert(&editor, "album", &id, first).await?;
        other.get(&path).await?.expect(400)?;
        revert(&owner, "album", &id, first).await?;
        other.get(&path).await?.expect(200)?;
        Ok(())
    })
    .await
}
