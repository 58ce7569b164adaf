//! Stories about people: lists, counts, faces, merges, pictures, and what a later run of a model may not do.

use anyhow::{Context as _, ensure};
use calotype_tests::jpeg::size as size_of_jpeg;
use calotype_tests::media::media;
use calotype_tests::{Client, Options, story};
use reqwest::Method;
use serde_json::{Value, json};

/// A photo to draw on.
const PORTRAIT: &str = "photos/nature/prairie_falcon.jpg";
const OTHERS: [&str; 3] =
    ["photos/edge/rating_1.jpg", "photos/webp/denali.webp", "photos/png/density_plot.png"];

async fn create(client: &Client, body: &Value) -> anyhow::Result<String> {
    let person = client.post("/api/people", body).await?.expect(201)?.json()?;
    Ok(person["id"].as_str().context("a person without an id")?.to_owned())
}

/// Puts a person on an asset without a place, as black-box suites do.
async fn put_on(client: &Client, asset_id: &str, person_id: &str) -> anyhow::Result<()> {
    let body = json!({ "assetId": asset_id, "personId": person_id });
    client.anonymous().post("/api/calotype/testing/faces", &body).await?.expect(201).map(drop)
}

async fn draw(client: &Client, asset_id: &str, person_id: &str) -> anyhow::Result<()> {
    let face = json!({
        "assetId": asset_id, "personId": person_id, "imageWidth": 1440, "imageHeight": 960,
        "x": 333, "y": 111, "width": 222, "height": 123,
    });
    client.post("/api/faces", &face).await?.expect(201).map(drop)
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect()
}

async fn assets_of(client: &Client, person_id: &str) -> anyhow::Result<Value> {
    Ok(client.get_json(&format!("/api/people/{person_id}/statistics")).await?["assets"].clone())
}

#[tokio::test]
async fn people_are_listed_in_order_and_counted() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let mut assets = Vec::new();
        for path in OTHERS {
            assets.push(admin.upload_file(&media(path)?).await?);
        }
        let favorite = create(&admin, &json!({ "name": "Zoe", "isFavorite": true })).await?;
        let often = create(&admin, &json!({ "name": "Carl" })).await?;
        let once = create(&admin, &json!({ "name": "Anna", "color": "#a1b2c3" })).await?;
        let nameless = create(&admin, &json!({})).await?;
        let rare = create(&admin, &json!({})).await?;
        let hidden = create(&admin, &json!({ "name": "Hid", "isHidden": true })).await?;
        create(&admin, &json!({ "name": "Nowhere", "birthDate": "1990-05-01" })).await?;
        for (person, count) in
            [(&favorite, 1), (&often, 2), (&once, 1), (&nameless, 3), (&rare, 2), (&hidden, 1)]
        {
            for asset in &assets[..count] {
                put_on(&admin, asset, person).await?;
            }
        }

        let list = admin.get_json("/api/people").await?;
        let ids: Vec<&str> = list["people"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|it| it["id"].as_str())
            .collect();
        ensure!(ids == [&favorite, &often, &once, &nameless], "the list is {list}");
        ensure!(list["total"] == 6 && list["hidden"] == 1, "counted {list}");
        let all = admin.get_json("/api/people?withHidden=true&size=4").await?;
        ensure!(all["hasNextPage"] == true, "no next page in {all}");
        let last = admin.get_json("/api/people?withHidden=true&size=4&page=2").await?;
        ensure!(names(&last["people"]) == ["Hid"] && last["hasNextPage"] == false, "{last}");

        ensure!(assets_of(&admin, &nameless).await? == 3, "not on three assets");
        admin.delete("/api/assets", &json!({ "ids": [assets[2]] })).await?.expect(204)?;
        ensure!(assets_of(&admin, &nameless).await? == 2, "still on a trashed asset");
        let archive = json!({ "visibility": "archive" });
        admin.put(&format!("/api/assets/{}", assets[1]), &archive).await?.expect(200)?;
        ensure!(assets_of(&admin, &nameless).await? == 1, "still on an archived asset");
        let few = admin.get_json("/api/people").await?;
        ensure!(names(&few["people"]) == ["Zoe", "Anna", "Carl"], "the list is {few}");
        ensure_found_by_name(&admin).await
    })
    .await
}

async fn ensure_found_by_name(admin: &Client) -> anyhow::Result<()> {
    create(admin, &json!({ "name": "René van Dijk" })).await?;
    for (text, expected) in [
        ("an", vec!["Anna"]),
        ("RENE", vec!["René van Dijk"]),
        ("dij", vec!["René van Dijk"]),
        ("hi", vec![]),
        ("%25", vec![]),
    ] {
        let found = admin.get_json(&format!("/api/search/person?name={text}")).await?;
        ensure!(names(&found) == expected, "{text} found {found}");
    }
    let found = admin.get_json("/api/search/person?name=hi&withHidden=true").await?;
    ensure!(names(&found) == ["Hid"], "{found}");
    let missing = admin.get("/api/search/person").await?.expect(400)?.json()?;
    ensure!(missing["errors"][0]["path"] == json!(["name"]), "{missing}");
    Ok(())
}

#[tokio::test]
async fn a_person_is_changed_and_refuses_nonsense() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let id = create(&admin, &json!({ "name": "Anna", "birthDate": "1990-05-01" })).await?;
        let path = format!("/api/people/{id}");

        let change = json!({
            "name": "Bertha", "birthDate": null, "isFavorite": true, "isHidden": true,
            "color": "#ffeedd",
        });
        let changed = admin.put(&path, &change).await?.expect(200)?.json()?;
        for name in ["name", "birthDate", "isFavorite", "isHidden", "color"] {
            ensure!(changed[name] == change[name], "{name} is {}", changed[name]);
        }
        let patched = admin.call(Method::PATCH, &path, &json!({ "color": null })).await?;
        ensure!(patched.expect(200)?.json()?.get("color").is_none(), "still a colour");

        for (body, message) in [
            (json!({ "birthDate": "9999-01-01" }), "Birth date cannot be in the future"),
            (json!({ "birthDate": "yesterday" }), "Invalid ISO date"),
            (json!({ "name": 5 }), "Invalid input: expected string, received number"),
            (json!({ "color": "red" }), "Invalid string: must match pattern /^#?([0-9A-Fa-f]{3}|[0-9A-Fa-f]{4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})$/"),
        ] {
            let refused = admin.put(&path, &body).await?.expect(400)?.json()?;
            ensure!(refused["errors"][0]["message"] == message, "{body} answers {refused}");
        }
        let nobody = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d";
        // A photo that is not theirs to see holds up its own item, the one before it not.
        let bulk = json!({ "people": [
            { "id": id, "name": "Clara" },
            { "id": nobody, "name": "X" },
            { "id": id, "name": "Dora", "featureFaceAssetId": nobody },
        ] });
        let done = admin.put("/api/people", &bulk).await?.expect(200)?.json()?;
        let expected = json!([
            { "id": id, "success": true },
            { "id": nobody, "success": false, "error": "unknown" },
            { "id": id, "success": false, "error": "unknown" },
        ]);
        ensure!(done == expected, "{done}");
        ensure!(admin.get_json(&path).await?["name"] == "Clara", "not renamed");

        let history = admin.get_json(&format!("/api/calotype/people/{id}/history")).await?;
        let kinds: Vec<&str> = history["events"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|event| event["type"].as_str())
            .collect();
        ensure!(
            kinds
                == [
                    "PersonCreated",
                    "PersonNamed",
                    "PersonBirthDateChanged",
                    "PersonHidden",
                    "PersonFavorited",
                    "PersonColorChanged",
                    "PersonColorChanged",
                    "PersonNamed",
                ],
            "the history tells {kinds:?}"
        );

        admin.delete(&path, &json!({})).await?.expect(204)?;
        let gone = admin.get(&path).await?.expect(400)?;
        ensure!(gone.message()? == "Not found or no person.read access", "{}", gone.shown());
        admin.get_json(&format!("/api/calotype/people/{id}/history")).await?;
        ensure_keys_are_narrow(&admin).await
    })
    .await
}

async fn ensure_keys_are_narrow(admin: &Client) -> anyhow::Result<()> {
    let id = create(admin, &json!({})).await?;
    let key = admin.create_key(&["person.read"]).await?;
    key.get(&format!("/api/people/{id}")).await?.expect(200)?;
    let refused = key.put(&format!("/api/people/{id}"), &json!({ "name": "X" })).await?;
    let expected = "Missing required permission: person.update";
    ensure!(refused.expect(403)?.message()? == expected, "a narrow key renames");
    let stranger = admin.create_user("stranger@example.com").await?;
    let history = stranger.get(&format!("/api/calotype/people/{id}/history")).await?;
    history.expect(400)?;
    let picture = stranger.get(&format!("/api/people/{id}/thumbnail")).await?;
    picture.expect(400).map(drop)
}

#[tokio::test]
async fn faces_are_drawn_moved_merged_and_removed() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let asset = admin.upload_file(&media(PORTRAIT)?).await?;
        admin.wait_for_thumbnail(&asset).await?;
        let anna = create(&admin, &json!({ "name": "Anna" })).await?;
        let bert = create(&admin, &json!({})).await?;
        draw(&admin, &asset, &anna).await?;

        let faces = admin.get_json(&format!("/api/faces?id={asset}")).await?;
        let face = &faces[0];
        for (name, expected) in [
            ("imageWidth", 1440),
            ("imageHeight", 960),
            ("boundingBoxX1", 333),
            ("boundingBoxX2", 555),
            ("boundingBoxY1", 111),
            ("boundingBoxY2", 234),
        ] {
            ensure!(face[name] == expected, "{name} is {}", face[name]);
        }
        ensure!(face["sourceType"] == "manual" && face["person"]["name"] == "Anna", "{face}");
        let shown = admin.get_json(&format!("/api/assets/{asset}")).await?;
        ensure!(names(&shown["people"]) == ["Anna"], "on the asset is {}", shown["people"]);

        // To Bert by the face, back to Anna by the photo, and then both are one.
        let face_id = face["id"].as_str().context("a face without an id")?.to_owned();
        let body = json!({ "id": face_id });
        let moved = admin.put(&format!("/api/faces/{bert}"), &body).await?.expect(200)?.json()?;
        ensure!(moved["id"] == bert.as_str(), "{moved}");
        ensure!(
            assets_of(&admin, &anna).await? == 0 && assets_of(&admin, &bert).await? == 1,
            "not moved"
        );
        let data = json!({ "data": [{ "assetId": asset, "personId": bert }] });
        let back = admin.put(&format!("/api/people/{anna}/reassign"), &data).await?.expect(200)?;
        ensure!(back.json()?[0]["id"] == anna.as_str(), "{}", back.shown());
        let merge = format!("/api/people/{bert}/merge");
        let themselves = admin.post(&merge, &json!({ "ids": [bert] })).await?.expect(400)?;
        ensure!(themselves.message()? == "Cannot merge a person into themselves", "merged");
        let nobody = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d";
        let done = admin.post(&merge, &json!({ "ids": [anna, nobody] })).await?.expect(200)?;
        let expected = json!([
            { "id": anna, "success": true },
            { "id": nobody, "success": false, "error": "no_permission" },
        ]);
        ensure!(done.json()? == expected, "{}", done.shown());
        let bert_now = admin.get_json(&format!("/api/people/{bert}")).await?;
        ensure!(bert_now["name"] == "Anna", "who stays took no name over: {bert_now}");
        ensure!(assets_of(&admin, &bert).await? == 1, "who stays took no face over");
        admin.get(&format!("/api/people/{anna}")).await?.expect(400)?;

        let force = json!({ "force": false });
        admin.delete(&format!("/api/faces/{face_id}"), &force).await?.expect(204)?;
        ensure!(
            admin.get_json(&format!("/api/faces?id={asset}")).await? == json!([]),
            "a face is left"
        );
        ensure!(assets_of(&admin, &bert).await? == 0, "a removed face counts");
        let nowhere = json!({
            "assetId": asset, "personId": bert, "imageWidth": 10, "imageHeight": 10,
            "x": 20, "y": 20, "width": 5, "height": 5,
        });
        admin.post("/api/faces", &nowhere).await?.expect(400).map(drop)
    })
    .await
}

#[tokio::test]
async fn a_person_gets_the_picture_of_the_face_that_stands_for_them() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let first = admin.upload_file(&media(PORTRAIT)?).await?;
        let second = admin.upload_file(&media(OTHERS[0])?).await?;
        admin.wait_until_idle().await?;
        let anna = create(&admin, &json!({ "name": "Anna" })).await?;
        let path = format!("/api/people/{anna}/thumbnail");
        let none = admin.get(&path).await?.expect(404)?;
        ensure!(none.message()? == "Not Found", "{}", none.shown());

        draw(&admin, &first, &anna).await?;
        admin.wait_until_idle().await?;
        let picture = admin.get(&path).await?.expect(200)?;
        ensure!(picture.header("content-type") == "image/jpeg", "not a JPEG");
        let cache = picture.header("cache-control");
        ensure!(cache == "private, no-cache, no-transform", "kept: {cache}");
        ensure!(size_of_jpeg(&picture.body) == Some((250, 250)), "another size");

        let elsewhere = json!({ "featureFaceAssetId": second });
        let refused = admin.put(&format!("/api/people/{anna}"), &elsewhere).await?.expect(400)?;
        ensure!(refused.message()? == "Invalid assetId for feature face", "{}", refused.shown());
        draw(&admin, &second, &anna).await?;
        admin.put(&format!("/api/people/{anna}"), &elsewhere).await?.expect(200)?;
        admin.wait_until_idle().await?;
        let another = admin.get(&path).await?.expect(200)?;
        ensure!(another.body != picture.body, "it is the same picture");

        // Behind the PIN the photo takes the picture along: the other photo's face takes its place, then none.
        admin.post("/api/auth/pin-code", &json!({ "pinCode": "123456" })).await?.expect(204)?;
        let locked = json!({ "visibility": "locked" });
        admin.put(&format!("/api/assets/{second}"), &locked).await?.expect(200)?;
        admin.wait_until_idle().await?;
        let again = admin.get(&path).await?.expect(200)?;
        ensure!(again.body != another.body, "it shows what is locked");
        admin.put(&format!("/api/assets/{first}"), &locked).await?.expect(200)?;
        admin.wait_until_idle().await?;
        admin.get(&path).await?.expect(404)?;
        admin
            .post("/api/auth/session/unlock", &json!({ "pinCode": "123456" }))
            .await?
            .expect(204)?;
        let shown = json!({ "visibility": "timeline" });
        for id in [&first, &second] {
            admin.put(&format!("/api/assets/{id}"), &shown).await?.expect(200)?;
        }
        admin.wait_until_idle().await?;
        admin.get(&path).await?.expect(200)?;

        let bert = create(&admin, &json!({})).await?;
        let body = json!({ "personId": bert });
        let given = server.client().post("/api/calotype/testing/person-thumbnail", &body).await?;
        given.expect(201)?;
        admin.get(&format!("/api/people/{bert}/thumbnail")).await?.expect(200)?;

        let only = json!({ "only": ["person"] });
        server.client().post("/api/calotype/testing/reset", &only).await?.expect(204)?;
        ensure!(admin.get_json("/api/people").await?["total"] == 0, "people are left");
        ensure!(
            admin.get_json(&format!("/api/faces?id={first}")).await? == json!([]),
            "faces are left"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn ordinary_servers_have_no_testing_routes() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        for path in ["faces", "person-thumbnail"] {
            let path = format!("/api/calotype/testing/{path}");
            server.client().post(&path, &json!({})).await?.expect(404)?;
        }
        Ok(())
    })
    .await
}
