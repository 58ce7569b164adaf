//! Stacks: several assets that show as one, and what becomes of them when assets go.

use anyhow::ensure;
use calotype_tests::{Client, Options, story};
use serde_json::{Value, json};

use super::{pictures, text};

/// Which stacks the stacked timeline shows, as it writes them, with the assets that stand for them.
async fn stacked(client: &Client) -> anyhow::Result<Vec<(String, Value)>> {
    let mut found = Vec::new();
    let shown = client.timeline("withStacked=true").await?;
    for bucket in client
        .get_json("/api/timeline/buckets?withStacked=true")
        .await?
        .as_array()
        .into_iter()
        .flatten()
    {
        let month = text(bucket, "timeBucket")?;
        let path = format!("/api/timeline/bucket?timeBucket={month}&withStacked=true");
        let columns = client.get_json(&path).await?;
        for (id, stack) in columns["id"]
            .as_array()
            .into_iter()
            .flatten()
            .zip(columns["stack"].as_array().into_iter().flatten())
        {
            ensure!(shown.iter().any(|shown| *id == *shown), "{id} is in one list only");
            found.push((id.as_str().unwrap_or_default().to_owned(), stack.clone()));
        }
    }
    Ok(found)
}

#[tokio::test]
async fn a_stack_shows_as_its_primary_asset() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let ids = pictures(&admin, 4).await?;
        admin.wait_until_idle().await?;

        let stack = admin.post("/api/stacks", &json!({ "assetIds": ids[..3] })).await?;
        let stack = stack.expect(201)?.json()?;
        let stack_id = text(&stack, "id")?;
        ensure!(stack["primaryAssetId"] == ids[0], "{stack}");
        ensure!(stack["assets"].as_array().is_some_and(|assets| assets.len() == 3), "{stack}");
        let mut shown = stacked(&admin).await?;
        shown.sort_by_key(|(id, _)| *id != ids[0]);
        ensure!(shown.len() == 2, "{shown:?}");
        ensure!(shown[0] == (ids[0].clone(), json!([stack_id, "3"])), "{shown:?}");
        ensure!(shown[1] == (ids[3].clone(), Value::Null), "{shown:?}");
        ensure!(admin.timeline("").await?.len() == 4, "without stacks everything shows");
        let asset = admin.get_json(&format!("/api/assets/{}", ids[1])).await?;
        ensure!(
            asset["stack"] == json!({ "id": stack_id, "primaryAssetId": ids[0], "assetCount": 3 }),
            "{}",
            asset["stack"]
        );

        let path = format!("/api/stacks/{stack_id}");
        let wish = json!({ "primaryAssetId": ids[1] });
        let changed = admin.put(&path, &wish).await?.expect(200)?.json()?;
        ensure!(changed["primaryAssetId"] == ids[1], "{changed}");
        ensure!(changed["assets"][0]["id"] == ids[1], "{changed}");
        let stranger = json!({ "primaryAssetId": ids[3] });
        let refused = admin.put(&path, &stranger).await?.expect(400)?;
        ensure!(refused.message()? == "Primary asset must be in the stack", "{}", refused.shown());
        let found = admin.get_json(&format!("/api/stacks?primaryAssetId={}", ids[1])).await?;
        ensure!(found.as_array().is_some_and(|found| found.len() == 1), "{found}");

        let primary = admin.delete(&format!("{path}/assets/{}", ids[1]), &json!({})).await?;
        ensure!(
            primary.expect(400)?.message()? == "Cannot remove stack's primary asset",
            "the primary asset was taken out"
        );
        admin.delete(&format!("{path}/assets/{}", ids[0]), &json!({})).await?.expect(204)?;
        let again = admin.delete(&format!("{path}/assets/{}", ids[0]), &json!({})).await?;
        ensure!(again.expect(400)?.message()? == "Asset not in stack", "taken out twice");
        admin.delete(&path, &json!({})).await?.expect(204)?;
        admin.get(&path).await?.expect(400)?;
        ensure!(admin.timeline("withStacked=true").await?.len() == 4, "not dissolved");
        let few = admin.post("/api/stacks", &json!({ "assetIds": [ids[0]] })).await?.expect(400)?;
        ensure!(few.shown().contains("Too small: expected array to have >=2 items"), "{few:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn stacks_merge_shrink_and_dissolve() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let ids = pictures(&admin, 7).await?;
        let stack = async |assets: &[&String]| {
            let made = admin.post("/api/stacks", &json!({ "assetIds": assets })).await?;
            text(&made.expect(201)?.json()?, "id")
        };
        let first = stack(&[&ids[0], &ids[1]]).await?;
        let second = stack(&[&ids[2], &ids[3], &ids[4]]).await?;

        // The first comes along whole, of the second only the asset that was named.
        let third = stack(&[&ids[5], &ids[0], &ids[4]]).await?;
        admin.get(&format!("/api/stacks/{first}")).await?.expect(400)?;
        let left = admin.get_json(&format!("/api/stacks/{second}")).await?;
        ensure!(left["assets"].as_array().is_some_and(|left| left.len() == 2), "{left}");
        let whole = admin.get_json(&format!("/api/stacks/{third}")).await?;
        ensure!(whole["assets"].as_array().is_some_and(|all| all.len() == 4), "{whole}");

        // Another asset stands in for a primary one that goes into the trash.
        let primary = json!({ "ids": [ids[5]] });
        admin.delete("/api/assets", &primary).await?.expect(204)?;
        let whole = admin.get_json(&format!("/api/stacks/{third}")).await?;
        ensure!(whole["primaryAssetId"] == ids[0], "{whole}");
        let shown = stacked(&admin).await?;
        ensure!(shown.contains(&(ids[0].clone(), json!([third, "3"]))), "{shown:?}");
        admin.post("/api/trash/restore/assets", &primary).await?.expect(200)?;
        let shown = stacked(&admin).await?;
        ensure!(shown.contains(&(ids[0].clone(), json!([third, "4"]))), "{shown:?}");

        // Of two, one is deleted for good: nothing is left to stack.
        let gone = json!({ "ids": [ids[2]], "force": true });
        admin.delete("/api/assets", &gone).await?.expect(204)?;
        admin.get(&format!("/api/stacks/{second}")).await?.expect(400)?;
        let asset = admin.get_json(&format!("/api/assets/{}", ids[3])).await?;
        ensure!(asset["stack"].is_null(), "{}", asset["stack"]);

        let all = json!({ "ids": [third] });
        admin.delete("/api/stacks", &all).await?.expect(204)?;
        ensure!(admin.get_json("/api/stacks").await? == json!([]), "stacks are left");
        Ok(())
    })
    .await
}
