//! Links open by the same key and name again, partners see again, and what was said is there again.

use anyhow::ensure;
use calotype_tests::{Options, story};
use serde_json::json;

use super::{ensure_whole, said, undo};
use crate::organizing::{pictures, text};

#[tokio::test]
async fn a_deleted_link_opens_by_the_same_key_again() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let ids = pictures(&owner, 2).await?;
        let new = json!({
            "type": "INDIVIDUAL", "assetIds": ids, "slug": "two", "password": "secret",
            "description": "two of them", "allowDownload": true,
        });
        let made = owner.post("/api/shared-links", &new).await?.expect(201)?;
        let link = made.json()?;
        let path = format!("/api/shared-links/{}", text(&link, "id")?);
        // What the photos show changes while they are worked on.
        owner.wait_until_idle().await?;
        let before = owner.get_json(&path).await?;
        let change = json!({ "description": "changed", "allowDownload": false, "slug": "pair" });
        let changed = owner.call("PATCH".parse()?, &path, &change).await?.expect(200)?;
        ensure_whole(&undo(&owner, &changed).await?)?;
        let after = owner.get_json(&path).await?;
        ensure!(after == before, "{after} instead of {before}");

        let deleted = owner.delete(&path, &json!({})).await?.expect(204)?;
        ensure_whole(&undo(&owner, &deleted).await?)?;
        let after = owner.get_json(&path).await?;
        ensure!(after == before, "{after} instead of {before}");
        let seen = format!("/api/shared-links/me?key={}", text(&link, "key")?);
        owner.anonymous().get(&seen).await?.expect(401)?;
        let login = format!("/api/shared-links/login?key={}", text(&link, "key")?);
        let password = json!({ "password": "secret" });
        owner.anonymous().post(&login, &password).await?.expect(201)?;

        // A name that another link has by now stays with that one.
        let deleted = owner.delete(&path, &json!({})).await?.expect(204)?;
        let other = json!({ "type": "INDIVIDUAL", "assetIds": ids, "slug": "two" });
        owner.post("/api/shared-links", &other).await?.expect(201)?;
        let done = undo(&owner, &deleted).await?;
        ensure!(said(&done, "leftAlone", "shared_link")?["what"] == json!(["slug"]), "{done}");
        let after = owner.get_json(&path).await?;
        ensure!(after["slug"].is_null() && after["key"] == before["key"], "{after}");
        owner.anonymous().post(&login, &password).await?.expect(201)?;

        let done = undo(&owner, &made).await?;
        ensure!(said(&done, "leftAlone", "shared_link")?["what"] == json!(["created"]), "{done}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn partners_and_what_was_said_come_back() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let gives = server.client().sign_up().await?;
        let sees = gives.create_user("sees@example.com").await?;
        let ids = pictures(&gives, 1).await?;
        let (giver, seer) = (gives.my_id().await?, sees.my_id().await?);
        let asset = format!("/api/assets/{}", ids[0]);
        let pair = json!({ "sharedWithId": seer });
        let shared = gives.post("/api/partners", &pair).await?.expect(201)?;
        let show = json!({ "inTimeline": true });
        let path = format!("/api/partners/{giver}");
        let shown = sees.put(&path, &show).await?.expect(200)?;
        let ended = gives.delete(&format!("/api/partners/{seer}"), &json!({})).await?;
        let ended = ended.expect(204)?;
        sees.get(&asset).await?.expect(400)?;
        // Who saw it does not begin it again.
        let done = undo(&sees, &shown).await?;
        ensure!(done["undone"] == json!([]), "{done}");
        ensure_whole(&undo(&gives, &ended).await?)?;
        sees.get(&asset).await?.expect(200)?;
        let partners = sees.get_json("/api/partners?direction=shared-with").await?;
        ensure!(partners[0]["inTimeline"] == true, "{partners}");
        ensure_whole(&undo(&sees, &shown).await?)?;
        let done = undo(&gives, &shared).await?;
        ensure!(said(&done, "undone", "partner")?["what"] == json!(["partner"]), "{done}");
        sees.get(&asset).await?.expect(400)?;

        let album =
            json!({ "albumName": "A", "albumUsers": [{ "userId": seer, "role": "viewer" }] });
        let album = text(&gives.post("/api/albums", &album).await?.expect(201)?.json()?, "id")?;
        let like = json!({ "albumId": album, "type": "like" });
        let liked = sees.post("/api/activities", &like).await?.expect(201)?;
        let comment = json!({ "albumId": album, "type": "comment", "comment": "Nice" });
        let comment = sees.post("/api/activities", &comment).await?.expect(201)?.json()?;
        let path = format!("/api/activities/{}", text(&comment, "id")?);
        let removed = gives.delete(&path, &json!({})).await?.expect(204)?;
        ensure_whole(&undo(&gives, &removed).await?)?;
        let list = format!("/api/activities?albumId={album}");
        let told = sees.get_json(&list).await?;
        ensure!(
            told[1]["comment"] == "Nice" && told[1]["createdAt"] == comment["createdAt"],
            "{told}"
        );
        ensure_whole(&undo(&sees, &liked).await?)?;
        // It may be given again.
        sees.post("/api/activities", &like).await?.expect(201)?;
        ensure!(sees.get_json(&list).await?.as_array().is_some_and(|all| all.len() == 2));

        // Who has left says nothing more.
        let removed = sees.delete(&path, &json!({})).await?.expect(204)?;
        let leave = format!("/api/albums/{album}/user/me");
        sees.delete(&leave, &json!({})).await?.expect(204)?;
        let done = undo(&sees, &removed).await?;
        ensure!(said(&done, "leftAlone", "activity")?["what"] == json!(["comment"]), "{done}");
        ensure!(gives.get_json(&list).await?.as_array().is_some_and(|all| all.len() == 1));
        Ok(())
    })
    .await
}
