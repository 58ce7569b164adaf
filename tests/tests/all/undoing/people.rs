//! People who were merged or deleted are told apart again, with their faces.

use anyhow::ensure;
use calotype_tests::answer::Answer;
use calotype_tests::{Client, Options, story};
use serde_json::{Value, json};

use super::{ensure_whole, redo, undo};
use crate::organizing::{pictures, text};

async fn person(client: &Client, body: &Value) -> anyhow::Result<String> {
    text(&client.post("/api/people", body).await?.expect(201)?.json()?, "id")
}

async fn assets_of(client: &Client, person: &str) -> anyhow::Result<Value> {
    Ok(client.get_json(&format!("/api/people/{person}/statistics")).await?["assets"].clone())
}

async fn draw(client: &Client, asset: &str, person: &str) -> anyhow::Result<Answer> {
    let face = json!({
        "assetId": asset, "personId": person, "imageWidth": 100, "imageHeight": 100,
        "x": 10, "y": 10, "width": 20, "height": 20,
    });
    client.post("/api/faces", &face).await?.expect(201)
}

#[tokio::test]
async fn a_merge_and_a_deletion_are_taken_back() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let ids = pictures(&admin, 3).await?;
        let anna = person(&admin, &json!({ "birthDate": "1990-05-01" })).await?;
        let bert = person(&admin, &json!({ "name": "Bert", "color": "#ffeedd" })).await?;
        let carl = person(&admin, &json!({ "name": "Carl" })).await?;
        for (asset, of) in ids.iter().zip([&anna, &bert, &carl]) {
            draw(&admin, asset, of).await?;
        }
        // Carl is Bert, and Bert is Anna.
        let merge = async |into: &str, who: &str| {
            let body = json!({ "ids": [who] });
            admin.post(&format!("/api/people/{into}/merge"), &body).await?.expect(200)
        };
        merge(&bert, &carl).await?;
        let merged = merge(&anna, &bert).await?;
        ensure!(assets_of(&admin, &anna).await? == 3, "not one");
        ensure!(admin.get_json(&format!("/api/people/{anna}")).await?["name"] == "Bert");
        let done = undo(&admin, &merged).await?;
        ensure_whole(&done)?;
        ensure!(assets_of(&admin, &anna).await? == 1, "Anna keeps others' faces");
        ensure!(assets_of(&admin, &bert).await? == 2, "Bert is not Carl any more");
        let page = admin.get_json(&format!("/api/people/{anna}")).await?;
        ensure!(page["name"] == "" && page["birthDate"] == "1990-05-01", "{page}");
        let page = admin.get_json(&format!("/api/people/{bert}")).await?;
        ensure!(page["name"] == "Bert" && page["color"] == "#ffeedd", "{page}");
        let faces = admin.get_json(&format!("/api/faces?id={}", ids[2])).await?;
        ensure!(faces[0]["person"]["id"] == bert.as_str(), "{faces}");
        ensure_whole(&redo(&admin, &done).await?)?;
        ensure!(assets_of(&admin, &anna).await? == 3, "not merged again");

        let path = format!("/api/people/{anna}");
        let before = admin.get_json(&path).await?;
        let deleted = admin.delete(&path, &json!({})).await?.expect(204)?;
        admin.get(&path).await?.expect(400)?;
        ensure_whole(&undo(&admin, &deleted).await?)?;
        let after = admin.get_json(&path).await?;
        ensure!(after["name"] == before["name"], "{after}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_was_said_about_a_face_goes_back() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let asset = pictures(&admin, 1).await?.remove(0);
        let anna = person(&admin, &json!({ "name": "Anna" })).await?;
        let bert = person(&admin, &json!({ "name": "Bert" })).await?;
        let list = format!("/api/faces?id={asset}");
        let drawn = draw(&admin, &asset, &anna).await?;
        let done = undo(&admin, &drawn).await?;
        ensure_whole(&done)?;
        ensure!(admin.get_json(&list).await? == json!([]), "still a face");
        ensure_whole(&redo(&admin, &done).await?)?;
        let faces = admin.get_json(&list).await?;
        let face = text(&faces[0], "id")?;

        let body = json!({ "id": face });
        let given = admin.put(&format!("/api/faces/{bert}"), &body).await?.expect(200)?;
        ensure!(admin.get_json(&list).await?[0]["person"]["id"] == bert.as_str());
        ensure_whole(&undo(&admin, &given).await?)?;
        ensure!(admin.get_json(&list).await? == faces, "not Anna's again");
        let body = json!({ "force": false });
        let removed = admin.delete(&format!("/api/faces/{face}"), &body).await?.expect(204)?;
        ensure_whole(&undo(&admin, &removed).await?)?;
        ensure!(admin.get_json(&list).await? == faces, "not there again");

        let path = format!("/api/people/{anna}");
        let change = json!({
            "name": "Annabel", "birthDate": "1990-05-01", "isHidden": true, "isFavorite": true,
            "color": "#ffeedd", "featureFaceAssetId": asset,
        });
        let before = admin.get_json(&path).await?;
        let changed = admin.put(&path, &change).await?.expect(200)?;
        ensure_whole(&undo(&admin, &changed).await?)?;
        let after = admin.get_json(&path).await?;
        for name in ["name", "birthDate", "isHidden", "isFavorite", "color"] {
            ensure!(after[name] == before[name], "{name} is {}", after[name]);
        }
        Ok(())
    })
    .await
}
