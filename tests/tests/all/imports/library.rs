//! A library with a little of everything, and what of a library must be the same wherever it is imported to.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use calotype_tests::Client;
use calotype_tests::client::Upload;
use calotype_tests::media::media;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::picture;

/// Photos and films that show in it; one is the film of a live photo.
pub(super) const SHOWN: usize = 7;

/// An XMP file that says more than its photo.
const SIDECAR: &str = r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="2">
 <dc:description><rdf:Alt><rdf:li xml:lang="x-default">From the sidecar</rdf:li></rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta>"#;

fn upload(name: &str, number: usize) -> anyhow::Result<Upload> {
    Ok(Upload::new(name, picture(number)?))
}

async fn id_of(client: &Client, path: &str, wish: &Value) -> anyhow::Result<String> {
    let made = client.post(path, wish).await?.expect(201)?.json()?;
    Ok(made["id"].as_str().with_context(|| format!("no id: {made}"))?.to_owned())
}

/// Fills a person's library; `number` tells its files from others.
pub(super) async fn fill(client: &Client, number: usize) -> anyhow::Result<()> {
    let river = client.upload(&upload("Rhône \u{1F30A}.jpg", number)?).await?;
    let said = json!({
        "description": "By the river, “early”", "rating": 4, "isFavorite": true,
        "dateTimeOriginal": "2020-05-06T07:08:09.000+05:45", "latitude": 46.25, "longitude": 6.125,
    });
    client.put(&format!("/api/assets/{river}"), &said).await?.expect(200)?;
    let old = client.upload(&upload("old.jpg", number + 1)?).await?;
    let said = json!({ "visibility": "archive" });
    client.put(&format!("/api/assets/{old}"), &said).await?.expect(200)?;
    let (below, above) = (upload("below.jpg", number + 2)?, upload("above.jpg", number + 3)?);
    let (below, above) = (client.upload(&below).await?, client.upload(&above).await?);
    id_of(client, "/api/stacks", &json!({ "assetIds": [above, below] })).await?;
    let film = client.upload_file(&media("photos/live/IMG_4711.MOV")?).await?;
    let still = upload("live.jpg", number + 4)?.field("livePhotoVideoId", &film);
    let still = client.upload(&still).await?;
    let tagged = client.upload(&upload("plain.jpg", number + 5)?).await?;
    let beside = upload("beside.jpg", number + 6)?;
    let mut form = Form::new();
    for (name, value) in beside.fields {
        form = form.text(name, value);
    }
    let sidecar = Part::text(SIDECAR).file_name("beside.jpg.xmp");
    let bytes = Part::bytes(beside.bytes).file_name(beside.name);
    let form = form.part("sidecarData", sidecar).part("assetData", bytes);
    client
        .send(client.request(reqwest::Method::POST, "/api/assets").multipart(form))
        .await?
        .expect(201)?;

    let album =
        json!({ "albumName": "Sommer", "description": "All of it", "assetIds": [river, old] });
    let album = id_of(client, "/api/albums", &album).await?;
    let order = json!({ "order": "asc" });
    client
        .call(reqwest::Method::PATCH, &format!("/api/albums/{album}"), &order)
        .await?
        .expect(200)?;
    id_of(client, "/api/albums", &json!({ "albumName": "Winter", "assetIds": [river, still] }))
        .await?;
    for (tag, id) in [("Travel/Rhône", &river), ("Travel", &tagged), ("Travel/Rhône", &tagged)] {
        let made = client.put("/api/tags", &json!({ "tags": [tag] })).await?.expect(200)?.json()?;
        let tag = made[0]["id"].as_str().context("no tag")?;
        client
            .put(&format!("/api/tags/{tag}/assets"), &json!({ "ids": [id] }))
            .await?
            .expect(200)?;
    }
    for (name, asset_id) in [("Anna", &river), ("Béla", &river), ("Anna", &still)] {
        let people = client.get_json("/api/people?withHidden=true").await?;
        let mut people = people["people"].as_array().into_iter().flatten();
        let known = people.find(|it| it["name"] == name).and_then(|it| it["id"].as_str());
        let person_id = match known {
            Some(id) => id.to_owned(),
            None => id_of(client, "/api/people", &json!({ "name": name })).await?,
        };
        let x = if name == "Anna" { 10 } else { 60 };
        let face = json!({ "assetId": asset_id, "personId": person_id, "imageWidth": 100,
            "imageHeight": 200, "x": x, "y": 50, "width": 20, "height": 40 });
        client.post("/api/faces", &face).await?.expect(201)?;
    }
    Ok(())
}

/// What a library has, by checksums and names instead of ids.
pub(super) async fn shown(client: &Client) -> anyhow::Result<Value> {
    let mut assets: BTreeMap<String, String> = BTreeMap::new();
    for visibility in ["timeline", "archive", "hidden"] {
        let wish = json!({ "visibility": visibility, "size": 1000 });
        let found = client.post("/api/search/metadata", &wish).await?.expect(200)?.json()?;
        for asset in found["assets"]["items"].as_array().context("no assets")? {
            let id = asset["id"].as_str().context("no id")?;
            let checksum = asset["checksum"].as_str().context("no checksum")?;
            let before = assets.insert(id.to_owned(), checksum.to_owned());
            ensure!(before.is_none(), "{asset}");
        }
    }
    let named = |id: &Value| id.as_str().and_then(|id| assets.get(id)).cloned();
    let mut shown: BTreeMap<&String, Value> = BTreeMap::new();
    for (id, checksum) in &assets {
        shown.insert(checksum, asset(client, id, &named).await?);
    }
    ensure!(shown.len() == assets.len(), "the same bytes are two assets");
    let mut stacks: Vec<Value> = Vec::new();
    for stack in client.get_json("/api/stacks").await?.as_array().into_iter().flatten() {
        let members = stack["assets"].as_array().into_iter().flatten();
        let mut members: Vec<_> = members.map(|it| named(&it["id"])).collect();
        members.sort_unstable();
        stacks.push(json!([named(&stack["primaryAssetId"]), members]));
    }
    stacks.sort_by_key(Value::to_string);
    let mut albums: BTreeMap<String, Value> = BTreeMap::new();
    for album in client.get_json("/api/albums").await?.as_array().into_iter().flatten() {
        let wish = json!({ "albumIds": [album["id"]], "size": 1000 });
        let found = client.post("/api/search/metadata", &wish).await?.expect(200)?.json()?;
        let inside = found["assets"]["items"].as_array().into_iter().flatten();
        let mut inside: Vec<_> = inside.map(|it| named(&it["id"])).collect();
        inside.sort_unstable();
        let told = json!([album["description"], album["order"], inside]);
        albums.insert(album["albumName"].to_string(), told);
    }
    Ok(json!({ "assets": shown, "stacks": stacks, "albums": albums }))
}

async fn asset(
    client: &Client,
    id: &str,
    named: &impl Fn(&Value) -> Option<String>,
) -> anyhow::Result<Value> {
    let asset = client.get_json(&format!("/api/assets/{id}")).await?;
    let exif = &asset["exifInfo"];
    let mut tags: Vec<String> = asset["tags"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|tag| tag["value"].to_string())
        .collect();
    tags.sort_unstable();
    let faces = client.get_json(&format!("/api/faces?id={id}")).await?;
    let mut people: Vec<String> = Vec::new();
    for face in faces.as_array().into_iter().flatten() {
        // Percent of the picture, whichever size it is told in.
        let part = |edge: &str, side: &str| -> Option<i64> {
            let (edge, side) = (face[edge].as_i64()?, face[side].as_i64()?);
            (edge * 100 + side / 2).checked_div(side)
        };
        let place = [
            part("boundingBoxX1", "imageWidth"),
            part("boundingBoxX2", "imageWidth"),
            part("boundingBoxY1", "imageHeight"),
            part("boundingBoxY2", "imageHeight"),
        ];
        people.push(json!([face["person"]["name"], place]).to_string());
    }
    people.sort_unstable();
    Ok(json!({
        "name": asset["originalFileName"], "favorite": asset["isFavorite"],
        "visibility": asset["visibility"], "description": exif["description"],
        "rating": exif["rating"], "taken": exif["dateTimeOriginal"],
        "local": asset["localDateTime"], "latitude": exif["latitude"],
        "longitude": exif["longitude"], "tags": tags, "people": people,
        "film": named(&asset["livePhotoVideoId"]),
    }))
}
