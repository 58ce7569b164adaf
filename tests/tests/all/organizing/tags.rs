//! Tags by path, on assets, in the timeline, and gone again.

use anyhow::ensure;
use calotype_tests::media::media;
use calotype_tests::{Client, Options, Upload, story};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
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

/// An upload with a sidecar that names keywords.
async fn with_keywords(client: &Client, name: &str, keywords: &[&str]) -> anyhow::Result<String> {
    let picture = Upload::of(&media("photos/edge/rating_1.jpg")?)?;
    let bytes = calotype_tests::jpeg::with_comment(&picture.bytes, name);
    let form = Form::new()
        .text("fileCreatedAt", "2024-01-02T03:04:05.000Z")
        .text("fileModifiedAt", "2024-01-02T03:04:05.000Z")
        .part("sidecarData", Part::bytes(sidecar(keywords).into_bytes()).file_name("x.jpg.xmp"))
        .part("assetData", Part::bytes(bytes).file_name(name.to_owned()));
    let request = client.request(Method::POST, "/api/assets").multipart(form);
    text(&client.send(request).await?.expect(201)?.json()?, "id")
}

fn sidecar(keywords: &[&str]) -> String {
    let items: String = keywords.iter().map(|word| format!("<rdf:li>{word}</rdf:li>")).collect();
    format!(
        concat!(
            r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF "#,
            r#"xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description "#,
            r#"xmlns:lr="http://ns.adobe.com/lightroom/1.0/" "#,
            r#"xmlns:dc="http://purl.org/dc/elements/1.1/">"#,
            "<lr:hierarchicalSubject><rdf:Bag>{}</rdf:Bag></lr:hierarchicalSubject>",
            "<dc:subject><rdf:Bag><rdf:li>flat</rdf:li></rdf:Bag></dc:subject>",
            "</rdf:Description></rdf:RDF></x:xmpmeta>"
        ),
        items
    )
}

async fn tags_of(client: &Client, id: &str) -> anyhow::Result<Vec<String>> {
    let asset = client.get_json(&format!("/api/assets/{id}")).await?;
    let tags = asset["tags"].as_array().into_iter().flatten();
    Ok(tags.filter_map(|tag| tag["value"].as_str().map(str::to_owned)).collect())
}

#[tokio::test]
async fn keywords_of_files_are_tags_and_yield_to_people() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let first = with_keywords(&admin, "a.jpg", &["animals|birds", "city"]).await?;
        let second = with_keywords(&admin, "b.jpg", &["animals|birds"]).await?;
        admin.wait_until_idle().await?;
        ensure!(tags_of(&admin, &first).await? == ["animals/birds", "city"]);
        ensure!(tags_of(&admin, &second).await? == ["animals/birds"]);
        let all = admin.get_json("/api/tags").await?;
        let id_of = |value: &str| {
            let mut tags = all.as_array().into_iter().flatten();
            let tag = tags.rfind(|tag| tag["value"] == value);
            tag.and_then(|tag| tag["id"].as_str()).unwrap_or_default().to_owned()
        };
        ensure!(all.as_array().is_some_and(|all| all.len() == 3), "{all}");
        let birds = admin.timeline(&format!("tagId={}", id_of("animals"))).await?;
        ensure!(birds.len() == 2, "{birds:?}");

        // A person takes one away and gives another; the file read anew changes neither.
        let gone = format!("/api/tags/{}/assets", id_of("city"));
        admin.delete(&gone, &json!({ "ids": [first] })).await?.expect(200)?;
        let given = admin.put("/api/tags", &json!({ "tags": ["mine"] })).await?.json()?;
        let given = format!("/api/tags/{}/assets", text(&given[0], "id")?);
        admin.put(&given, &json!({ "ids": [first] })).await?.expect(200)?;
        let again = json!({ "assetIds": [first], "name": "refresh-metadata" });
        admin.post("/api/assets/jobs", &again).await?.expect(204)?;
        admin.wait_until_idle().await?;
        ensure!(tags_of(&admin, &first).await? == ["animals/birds", "mine"]);

        // A sidecar without the keyword takes away what only the other one named.
        let other = with_keywords(&admin, "c.jpg", &["other"]).await?;
        let wish = json!({ "sourceId": other, "targetId": first, "albums": false,
            "favorite": false, "stack": false, "sharedLinks": false });
        admin.put("/api/assets/copy", &wish).await?.expect(204)?;
        admin.wait_until_idle().await?;
        ensure!(tags_of(&admin, &first).await? == ["mine", "other"]);
        let kinds: Vec<String> = admin
            .history(&first)
            .await?
            .iter()
            .filter_map(|event| event["type"].as_str().map(str::to_owned))
            .filter(|kind| kind.contains("agged"))
            .collect();
        let wanted = [
            "AssetTaggedByFile",
            "AssetTaggedByFile",
            "AssetUntagged",
            "AssetTagged",
            "AssetUntaggedByFile",
            "AssetTaggedByFile",
        ];
        ensure!(kinds == wanted, "the history tells {kinds:?}");
        Ok(())
    })
    .await
}
