//! The trash: some, all, and nothing of it.

use anyhow::ensure;
use calotype_tests::{Options, story};
use serde_json::json;

use super::pictures;

#[tokio::test]
async fn the_trash_is_restored_in_part_and_whole_and_emptied() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let friend = admin.create_user("friend@example.com").await?;
        let ids = pictures(&admin, 4).await?;
        let theirs = pictures(&friend, 1).await?;
        admin.delete("/api/assets", &json!({ "ids": ids })).await?.expect(204)?;
        friend.delete("/api/assets", &json!({ "ids": theirs })).await?.expect(204)?;

        // As Immich does, it answers how many were asked for.
        let some = json!({ "ids": [ids[0], ids[0]] });
        let told = admin.post("/api/trash/restore/assets", &some).await?.expect(200)?.json()?;
        ensure!(told == json!({ "count": 2 }), "{told}");
        let told = admin.post("/api/trash/restore/assets", &some).await?.expect(200)?.json()?;
        ensure!(told == json!({ "count": 2 }), "{told}");
        let foreign = json!({ "ids": theirs });
        admin.post("/api/trash/restore/assets", &foreign).await?.expect(400)?;

        let told = admin.post("/api/trash/restore", &json!({})).await?.expect(200)?.json()?;
        ensure!(told == json!({ "count": 3 }), "{told}");
        ensure!(admin.timeline("").await?.len() == 4, "not all are back");
        ensure!(friend.timeline("isTrashed=true").await?.len() == 1, "somebody else's came back");

        admin.delete("/api/assets", &json!({ "ids": ids[..2] })).await?.expect(204)?;
        let told = admin.post("/api/trash/empty", &json!({})).await?.expect(200)?.json()?;
        ensure!(told == json!({ "count": 2 }), "{told}");
        let told = admin.post("/api/trash/empty", &json!({})).await?.expect(200)?.json()?;
        ensure!(told == json!({ "count": 0 }), "{told}");
        ensure!(admin.timeline("").await?.len() == 2, "too much or too little is gone");
        admin.get(&format!("/api/assets/{}", ids[0])).await?.expect(400)?;
        ensure!(friend.timeline("isTrashed=true").await?.len() == 1, "somebody else's is gone");
        Ok(())
    })
    .await
}
