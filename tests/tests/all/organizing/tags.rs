//! Tags by path, on assets, in the timeline, and gone again.

use anyhow::ensure;
use calotype_tests::{Options, story};
use reqwest::Method;
use serde_json::json;

use super::{pictures, text};

#[tokio::test]
async fn tags_grow_by_path_and_go_with_what_stands_under_them() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;

        let paths = json!({ "tags": ["animals/birds/owl", "animals/birds", "/city//", "/"] });
        let made = admin.put("/api/tags", &paths).await?.expect(200)?.json()?;
        ensure!(made.as_array().is_some_and(|made| made.len() == 3), "{made}");
        ensure!(made[0]["value"] == "animals/birds/owl" && made[0]["name"] == "owl", "{made}");
        ensure!(made[0]["parentId"] == made[1]["id"], "{made}");
        let again = admin.put("/api/tags", &paths).await?.expect(200)?.json()?;
        ensure!(again == made, "a path is two tags: {again}");

        let under = json!({ "name": "hawk", "parentId": made[1]["id"], "color": "ff0000" });
        let hawk = admin.post("/api/tags", &under).await?.expect(201)?.json()?;
        ensure!(hawk["value"] == "animals/birds/hawk" && hawk["color"] == "#ff0000", "{hawk}");
        let taken = admin.post("/api/tags", &under).await?.expect(400)?;
        ensure!(taken.message()? == "A tag with that name already exists", "{}", taken.shown());

        let path = format!("/api/tags/{}", text(&hawk, "id")?);
        let plain =
            admin.call(Method::PATCH, &path, &json!({ "color": null })).await?.expect(200)?;
        ensure!(plain.json()?.get("color").is_none(), "{}", plain.shown());
        let bad = admin.put(&path, &json!({ "color": "reddish" })).await?.expect(400)?.json()?;
        ensure!(bad["message"] == "Validation failed", "{bad}");

        let all = admin.get_json("/api/tags").await?;
        let values: Vec<&str> =
            all.as_array().into_iter().flatten().filter_map(|tag| tag["value"].as_str()).collect();
        ensure!(
            values
                == ["animals", "animals/birds", "animals/birds/hawk", "animals/birds/owl", "city"],
            "{values:?}"
        );

        let birds = format!("/api/tags/{}", text(&made[1], "id")?);
        admin.delete(&birds, &json!({})).await?.expect(204)?;
        let left = admin.get_json("/api/tags").await?;
        ensure!(left.as_array().is_some_and(|left| left.len() == 2), "{left}");
        admin.get(&path).await?.expect(400)?;
        // The path is free again.
        admin.put("/api/tags", &paths).await?.expect(200).map(drop)
    })
    .await
}

#[tokio::test]
async fn tagged_assets_show_it_and_follow_the_tag() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let friend = admin.create_user("friend@example.com").await?;
        let ids = pictures(&admin, 3).await?;
        let theirs = pictures(&friend, 1).await?;
        let made = admin.put("/api/tags", &json!({ "tags": ["a/b", "c"] })).await?.json()?;
        let (below, other) = (text(&made[0], "id")?, text(&made[1], "id")?);
        let above = text(&made[0], "parentId")?;

        let asked = json!({ "ids": [ids[0], ids[1], ids[1], theirs[0]] });
        let path = format!("/api/tags/{below}/assets");
        let told = admin.put(&path, &asked).await?.expect(200)?.json()?;
        ensure!(
            told == json!([
                { "id": ids[0], "success": true },
                { "id": ids[1], "success": true },
                { "id": ids[1], "success": false, "error": "duplicate" },
                { "id": theirs[0], "success": false, "error": "no_permission" },
            ]),
            "{told}"
        );
        let bulk = json!({ "assetIds": [ids[1], ids[2], theirs[0]], "tagIds": [below, other] });
        let count = admin.put("/api/tags/assets", &bulk).await?.expect(200)?.json()?;
        ensure!(count == json!({ "count": 3 }), "{count}");
        let again = admin.put("/api/tags/assets", &bulk).await?.expect(200)?.json()?;
        ensure!(again == json!({ "count": 0 }), "{again}");

        let asset = admin.get_json(&format!("/api/assets/{}", ids[2])).await?;
        let values: Vec<_> =
            asset["tags"].as_array().into_iter().flatten().map(|tag| &tag["value"]).collect();
        ensure!(values == ["a/b", "c"], "{asset}");
        let mut shown = admin.timeline(&format!("tagId={above}")).await?;
        shown.sort();
        let mut expected = ids.clone();
        expected.sort();
        ensure!(shown == expected, "the tag above does not show what stands under it: {shown:?}");
        let foreign = friend.get(&format!("/api/timeline/buckets?tagId={above}")).await?;
        foreign.expect(400)?;

        let gone = json!({ "ids": [ids[0], ids[0]] });
        let told = admin.delete(&path, &gone).await?.expect(200)?.json()?;
        ensure!(
            told == json!([
                { "id": ids[0], "success": true },
                { "id": ids[0], "success": false, "error": "not_found" },
            ]),
            "{told}"
        );
        ensure!(admin.timeline(&format!("tagId={below}")).await?.len() == 2, "still tagged");

        admin.delete(&format!("/api/tags/{other}"), &json!({})).await?.expect(204)?;
        let asset = admin.get_json(&format!("/api/assets/{}", ids[2])).await?;
        ensure!(asset["tags"].as_array().is_some_and(|tags| tags.len() == 1), "{asset}");
        let kinds: Vec<String> = admin
            .history(&ids[0])
            .await?
            .iter()
            .filter_map(|event| event["type"].as_str().map(str::to_owned))
            .filter(|kind| kind.ends_with("agged"))
            .collect();
        ensure!(kinds == ["AssetTagged", "AssetUntagged"], "the history tells {kinds:?}");
        Ok(())
    })
    .await
}
