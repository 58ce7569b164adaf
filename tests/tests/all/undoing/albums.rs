//! Albums come back as they were; who may not share something does not give it back.

use anyhow::ensure;
use calotype_tests::{Client, Options, story};
use serde_json::json;

use super::{ensure_whole, redo, said, undo};
use crate::organizing::{pictures, text};

async fn share(owner: &Client, album: &str, with: &Client, role: &str) -> anyhow::Result<()> {
    let body = json!({ "albumUsers": [{ "userId": with.my_id().await?, "role": role }] });
    owner.put(&format!("/api/albums/{album}/users"), &body).await?.expect(200).map(drop)
}

#[tokio::test]
async fn a_deleted_album_comes_back_whole() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let friend = owner.create_user("friend@example.com").await?;
        let ids = pictures(&owner, 3).await?;
        let theirs = pictures(&friend, 1).await?;
        let new = json!({ "albumName": "Summer", "description": "by the sea", "assetIds": ids });
        let id = text(&owner.post("/api/albums", &new).await?.expect(201)?.json()?, "id")?;
        let path = format!("/api/albums/{id}");
        share(&owner, &id, &friend, "editor").await?;
        friend.put(&format!("{path}/assets"), &json!({ "ids": theirs })).await?.expect(200)?;
        let change = json!({ "albumThumbnailAssetId": ids[1], "order": "asc" });
        owner.call("PATCH".parse()?, &path, &change).await?.expect(200)?;
        let comment = json!({ "albumId": id, "type": "comment", "comment": "Nice" });
        friend.post("/api/activities", &comment).await?.expect(201)?;
        let link = json!({ "type": "ALBUM", "albumId": id, "slug": "summer" });
        let link = owner.post("/api/shared-links", &link).await?.expect(201)?.json()?;
        let before = owner.get_json(&path).await?;

        let deleted = owner.delete(&path, &json!({})).await?.expect(204)?;
        owner.get(&path).await?.expect(400)?;
        friend.get(&format!("/api/assets/{}", ids[0])).await?.expect(400)?;
        // Only who did it takes it back.
        let body = json!({ "commandId": deleted.header("x-correlation-id") });
        friend.post("/api/calotype/undo", &body).await?.expect(400)?;
        let key = owner.create_key(&["album.update"]).await?;
        let refused = key.post("/api/calotype/undo", &body).await?.expect(403)?;
        ensure!(refused.message()? == "Missing required permission: album.delete");

        let done = undo(&owner, &deleted).await?;
        ensure!(said(&done, "undone", "album")?["what"] == json!(["deleted"]), "{done}");
        // What others had put in is theirs to put in again.
        ensure!(said(&done, "leftAlone", "album")?["what"] == json!(["assets"]), "{done}");
        let after = owner.get_json(&path).await?;
        for name in [
            "id",
            "albumName",
            "description",
            "order",
            "albumThumbnailAssetId",
            "albumUsers",
            "createdAt",
            "ownerId",
            "shared",
            "isActivityEnabled",
        ] {
            ensure!(after[name] == before[name], "{name} is {} now", after[name]);
        }
        ensure!(after["assetCount"] == 3 && before["assetCount"] == 4, "{after}");
        friend.get(&format!("/api/assets/{}", ids[0])).await?.expect(200)?;
        let said = owner.get_json(&format!("/api/activities?albumId={id}")).await?;
        ensure!(said[0]["comment"] == "Nice", "{said}");
        let key = text(&link, "key")?;
        for way in [format!("key={key}"), "slug=summer".to_owned()] {
            let seen = owner.anonymous().get_json(&format!("/api/shared-links/me?{way}")).await?;
            ensure!(seen["album"]["id"] == id.as_str(), "{seen}");
        }

        // Taken back again, it is gone, and everybody's access with it.
        let again = redo(&owner, &done).await?;
        ensure_whole(&again)?;
        owner.get(&path).await?.expect(400)?;
        friend.get(&format!("/api/assets/{}", ids[0])).await?.expect(400)?;
        owner.anonymous().get(&format!("/api/shared-links/me?key={key}")).await?.expect(401)?;
        Ok(())
    })
    .await
}

/// Makes a link to an album, with a name of its own; answers its key.
async fn link(by: &Client, album: &str, slug: &str) -> anyhow::Result<String> {
    let body = json!({ "type": "ALBUM", "albumId": album, "slug": slug });
    text(&by.post("/api/shared-links", &body).await?.expect(201)?.json()?, "key")
}

/// Whether all of some links open, by key and by name; or none of them.
async fn ensure_open(
    anybody: &Client,
    links: &[(&str, &str)],
    are_open: bool,
) -> anyhow::Result<()> {
    for (key, slug) in links {
        for way in [format!("key={key}"), format!("slug={slug}")] {
            let seen = anybody.get(&format!("/api/shared-links/me?{way}")).await?;
            ensure!((seen.status == 200) == are_open, "{slug} by {way} answers {}", seen.status);
        }
    }
    Ok(())
}

#[tokio::test]
async fn links_that_ended_with_an_album_come_back_with_it() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let friend = owner.create_user("friend@example.com").await?;
        let anybody = server.client();
        let new = json!({ "albumName": "Summer" });
        let made = owner.post("/api/albums", &new).await?.expect(201)?;
        let id = text(&made.json()?, "id")?;

        // Nothing but a link has happened since it was made.
        let ours = link(&owner, &id, "ours").await?;
        let undone = undo(&owner, &made).await?;
        ensure_open(&anybody, &[(&ours, "ours")], false).await?;
        let again = redo(&owner, &undone).await?;
        ensure_whole(&again)?;
        ensure_open(&anybody, &[(&ours, "ours")], true).await?;

        // Whose link it is does not matter.
        share(&owner, &id, &friend, "editor").await?;
        let theirs = link(&friend, &id, "theirs").await?;
        let links = [(ours.as_str(), "ours"), (theirs.as_str(), "theirs")];
        let deleted = owner.delete(&format!("/api/albums/{id}"), &json!({})).await?.expect(204)?;
        ensure_open(&anybody, &links, false).await?;
        let mut done = undo(&owner, &deleted).await?;
        for are_open in [true, false] {
            ensure_whole(&done)?;
            ensure_open(&anybody, &links, are_open).await?;
            done = redo(&owner, &done).await?;
        }
        ensure_whole(&done)?;
        ensure_open(&anybody, &links, true).await?;

        // What the friend ended stays ended, whatever becomes of the album.
        let listed = friend.get_json("/api/shared-links").await?;
        let path = format!("/api/shared-links/{}", text(&listed[0], "id")?);
        let ended = friend.delete(&path, &json!({})).await?.expect(204)?;
        let deleted = owner.delete(&format!("/api/albums/{id}"), &json!({})).await?.expect(204)?;
        ensure_whole(&undo(&owner, &deleted).await?)?;
        ensure_open(&anybody, &links[..1], true).await?;
        ensure_open(&anybody, &links[1..], false).await?;
        ensure_whole(&undo(&friend, &ended).await?)?;
        ensure_open(&anybody, &links, true).await
    })
    .await
}

#[tokio::test]
async fn what_was_done_to_an_album_goes_back_but_for_what_changed_since() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let friend = owner.create_user("friend@example.com").await?;
        let ids = pictures(&owner, 2).await?;
        let new = json!({ "albumName": "Summer" });
        let made = owner.post("/api/albums", &new).await?.expect(201)?;
        let id = text(&made.json()?, "id")?;
        let path = format!("/api/albums/{id}");

        let filled = owner.put(&format!("{path}/assets"), &json!({ "ids": ids })).await?;
        ensure_whole(&undo(&owner, &filled.expect(200)?).await?)?;
        ensure!(owner.get_json(&path).await?["assetCount"] == 0, "still filled");
        let friend_id = friend.my_id().await?;
        let users = json!({ "albumUsers": [{ "userId": friend_id, "role": "editor" }] });
        let shared = owner.put(&format!("{path}/users"), &users).await?.expect(200)?;
        friend.get(&path).await?.expect(200)?;

        // A friend's change goes back by the friend, until they have no part in the album.
        let renamed = json!({ "albumName": "Winter", "description": "snow" });
        let patch: reqwest::Method = "PATCH".parse()?;
        let renamed = friend.call(patch.clone(), &path, &renamed).await?.expect(200)?;
        let words = json!({ "description": "ice" });
        owner.call(patch, &path, &words).await?.expect(200)?;
        let done = undo(&friend, &renamed).await?;
        ensure!(said(&done, "undone", "album")?["what"] == json!(["name"]), "{done}");
        ensure!(said(&done, "leftAlone", "album")?["what"] == json!(["description"]), "{done}");
        ensure!(owner.get_json(&path).await?["albumName"] == "Summer", "still winter");

        ensure_whole(&undo(&owner, &shared).await?)?;
        friend.get(&path).await?.expect(400)?;
        let done = redo(&friend, &done).await?;
        ensure!(done["undone"] == json!([]), "an outsider renames: {done}");

        // A new album goes, unless something happened to it since.
        let done = undo(&owner, &made).await?;
        ensure!(said(&done, "leftAlone", "album")?["what"] == json!(["created"]), "{done}");
        let made = owner.post("/api/albums", &new).await?.expect(201)?;
        ensure_whole(&undo(&owner, &made).await?)?;
        let gone = format!("/api/albums/{}", text(&made.json()?, "id")?);
        owner.get(&gone).await?.expect(400)?;
        Ok(())
    })
    .await
}
