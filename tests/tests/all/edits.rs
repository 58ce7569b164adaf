//! Edits of photos: seen everywhere, taken back, refused where they would do harm.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use calotype_tests::client::WORK_LIMIT;
use calotype_tests::jpeg::size;
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Answer, Client, Options, story};
use serde_json::{Value, json};

/// A photo of 1,024 by 683 pixels or so; its size is asked for.
const PHOTO: &str = "photos/nature/prairie_falcon.jpg";
const GIF: &str = "photos/gif/muybridge.gif";

fn path(asset: &str) -> String {
    format!("/api/assets/{asset}/edits")
}

fn crop(x: i64, y: i64, width: i64, height: i64) -> Value {
    let parameters = json!({ "x": x, "y": y, "width": width, "height": height });
    json!({ "action": "crop", "parameters": parameters })
}

fn rotate(angle: i64) -> Value {
    json!({ "action": "rotate", "parameters": { "angle": angle } })
}

fn mirror(axis: &str) -> Value {
    json!({ "action": "mirror", "parameters": { "axis": axis } })
}

async fn info(client: &Client, asset: &str) -> anyhow::Result<Value> {
    client.get_json(&format!("/api/assets/{asset}")).await
}

async fn picture(client: &Client, asset: &str, query: &str) -> anyhow::Result<Answer> {
    client.get(&format!("/api/assets/{asset}/{query}")).await?.expect(200)
}

/// Edits an asset and waits until its pictures show it.
async fn edit(client: &Client, asset: &str, edits: &[Value]) -> anyhow::Result<Value> {
    let answer = client.put(&path(asset), &json!({ "edits": edits })).await?.expect(200)?.json()?;
    client.wait_until_idle().await?;
    Ok(answer)
}

fn sides(asset: &Value) -> anyhow::Result<(i64, i64)> {
    asset["width"].as_i64().zip(asset["height"].as_i64()).context("an asset without a size")
}

fn size_of(answer: &Answer) -> Option<(i64, i64)> {
    size(&answer.body).map(|(width, height)| (width.into(), height.into()))
}

#[tokio::test]
async fn an_edited_photo_shows_so_and_goes_back() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let asset = admin.upload_file(&media(PHOTO)?).await?;
        admin.wait_until_idle().await?;
        let none = admin.get_json(&path(&asset)).await?;
        ensure!(none == json!({ "assetId": asset, "edits": [] }), "{none}");
        let before = info(&admin, &asset).await?;
        ensure!(before["isEdited"] == false, "{before}");
        let (width, height) = sides(&before)?;
        let original = picture(&admin, &asset, "original").await?;
        let plain = picture(&admin, &asset, "thumbnail").await?;

        let wish = [crop(10, 20, width / 2, height / 4), rotate(90)];
        let made = edit(&admin, &asset, &wish).await?;
        ensure!(made["edits"][0]["parameters"] == wish[0]["parameters"], "{made}");
        ensure!(made["edits"][1]["action"] == "rotate", "{made}");
        let after = info(&admin, &asset).await?;
        ensure!(after["isEdited"] == true, "{after}");
        ensure!(sides(&after)? == (height / 4, width / 2), "{after}");
        ensure!(after["thumbhash"] != before["thumbhash"], "the old thumbhash");
        ensure!(after["exifInfo"] == before["exifInfo"], "what the file says changed");

        let edited = picture(&admin, &asset, "thumbnail?edited=true").await?;
        ensure!(edited.body != plain.body, "the thumbnail is not edited");
        let same = picture(&admin, &asset, "thumbnail?edited=false").await?;
        ensure!(same.body == plain.body, "the thumbnail without edits is gone");
        let full = picture(&admin, &asset, "original?edited=true").await?;
        ensure!(size_of(&full) == Some((height / 4, width / 2)), "{:?}", size_of(&full));
        ensure!(picture(&admin, &asset, "original").await?.body == original.body, "another file");
        let preview = picture(&admin, &asset, "thumbnail?size=preview&edited=true").await?;
        ensure!(size_of(&preview).is_some_and(|(wide, high)| wide < high), "not turned");
        let month = &after["localDateTime"].as_str().unwrap_or_default()[..7];
        let bucket = format!("/api/timeline/bucket?timeBucket={month}-01");
        let cells = admin.get_json(&bucket).await?;
        ensure!(cells["ratio"][0].as_f64().is_some_and(|ratio| ratio < 1.0), "{cells}");
        ensure!(cells["thumbhash"][0] == after["thumbhash"], "{cells}");

        // The same once more is no change.
        let events = admin.history(&asset).await?.len();
        ensure!(edit(&admin, &asset, &wish).await? == made, "other edits");
        ensure!(admin.history(&asset).await?.len() == events, "an event too many");

        // Another edit begins with the file again.
        edit(&admin, &asset, &[mirror("horizontal"), mirror("vertical")]).await?;
        ensure!(sides(&info(&admin, &asset).await?)? == (width, height), "still cut");
        admin.delete(&path(&asset), &json!({})).await?.expect(204)?;
        admin.delete(&path(&asset), &json!({})).await?.expect(204)?;
        let back = info(&admin, &asset).await?;
        for field in ["isEdited", "width", "height", "thumbhash"] {
            ensure!(back[field] == before[field], "{field} is {}", back[field]);
        }
        let shown = picture(&admin, &asset, "thumbnail?edited=true").await?;
        ensure!(shown.body == plain.body, "the edited thumbnail is left");
        let words: Vec<String> = admin
            .history(&asset)
            .await?
            .iter()
            .filter_map(|event| event["type"].as_str().map(str::to_owned))
            .filter(|word| word.starts_with("AssetEdit"))
            .collect();
        let pictures = "AssetEditedPicturesRecorded";
        let expected = ["AssetEdited", pictures, "AssetEdited", pictures, "AssetEditsRemoved"];
        ensure!(words == expected, "{words:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn edits_are_refused_in_immichs_words() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let asset = admin.upload_file(&media(PHOTO)?).await?;
        let gif = admin.upload_file(&media(GIF)?).await?;
        admin.wait_until_idle().await?;
        let put = async |asset: &str, edits: Value| {
            let answer = admin.put(&path(asset), &json!({ "edits": edits })).await?;
            answer.expect(400)?.message()
        };
        for (edits, message) in [
            (json!([crop(0, 0, 100_000, 1)]), "Crop parameters are out of bounds"),
            (json!([rotate(90), crop(0, 0, 1, 1)]), "Crop action must be the first edit action"),
            (json!([rotate(90), rotate(90)]), "Duplicate edit actions are not allowed"),
            (json!([rotate(45)]), "Angle must be one of the following values: 0, 90, 180, 270"),
            (json!([]), "Validation failed"),
            (json!([{ "action": "blur", "parameters": {} }]), "Validation failed"),
            (json!([crop(-1, 0, 1, 1)]), "Validation failed"),
        ] {
            let told = put(&asset, edits.clone()).await?;
            ensure!(told == message, "{edits}: {told}");
        }
        let told = put(&gif, json!([rotate(90)])).await?;
        ensure!(told == "Editing GIF images is not supported", "{told}");

        let body = json!({ "edits": [rotate(90)] });
        let stranger = admin.create_user("stranger@example.com").await?;
        let told = stranger.put(&path(&asset), &body).await?.expect(400)?.message()?;
        ensure!(told == "Not found or no asset.edit.create access", "{told}");
        stranger.get(&path(&asset)).await?.expect(400)?;
        stranger.delete(&path(&asset), &json!({})).await?.expect(400)?;
        admin.anonymous().put(&path(&asset), &body).await?.expect(401)?;
        let key = admin.create_key(&["asset.edit.get"]).await?;
        key.get(&path(&asset)).await?.expect(200)?;
        key.put(&path(&asset), &body).await?.expect(403)?;
        key.delete(&path(&asset), &json!({})).await?.expect(403)?;
        admin.put("/api/assets/1/edits", &body).await?.expect(400)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_edit_is_taken_back_like_any_change() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let asset = admin.upload_file(&media(PHOTO)?).await?;
        admin.wait_until_idle().await?;
        let first = edit(&admin, &asset, &[rotate(90)]).await?;
        edit(&admin, &asset, &[rotate(180)]).await?;
        let events = admin.history(&asset).await?;
        let last = events.iter().rfind(|event| event["type"] == "AssetEdited");
        let request = last.context("no edit in the history")?["correlationId"].clone();
        let wish = json!({ "commandId": request, "dryRun": false });
        let done = admin.post("/api/calotype/undo", &wish).await?.expect(200)?.json()?;
        ensure!(done["undone"].as_array().is_some_and(|undone| undone.len() == 1), "{done}");
        ensure!(admin.get_json(&path(&asset)).await? == first, "other edits");
        admin.wait_until_idle().await?;
        let (width, height) = sides(&info(&admin, &asset).await?)?;
        ensure!(width < height, "not turned again");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn faces_go_with_the_photo() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let asset = admin.upload_file(&media(PHOTO)?).await?;
        admin.wait_until_idle().await?;
        let (width, height) = sides(&info(&admin, &asset).await?)?;
        let person = admin.post("/api/people", &json!({ "name": "Anna" })).await?.expect(201)?;
        let person = person.json()?["id"].clone();
        let face = |x: i64, y: i64, wide: i64, high: i64, size: (i64, i64)| {
            json!({
                "assetId": asset, "personId": person, "imageWidth": size.0, "imageHeight": size.1,
                "x": x, "y": y, "width": wide, "height": high,
            })
        };
        let corner = face(0, 0, 100, 50, (width, height));
        admin.post("/api/faces", &corner).await?.expect(201)?;
        let faces = async || admin.get_json(&format!("/api/faces?id={asset}")).await;
        let plain = faces().await?;

        edit(&admin, &asset, &[rotate(90)]).await?;
        let turned = faces().await?;
        let told = |name: &str| turned[0][name].as_i64();
        ensure!(
            told("imageWidth") == Some(height) && told("imageHeight") == Some(width),
            "{turned}"
        );
        let edges = (told("boundingBoxX1"), told("boundingBoxX2"), told("boundingBoxY2"));
        ensure!(edges == (Some(height - 50), Some(height), Some(100)), "{turned}");

        // What is drawn on the turned photo lies in the file where it was seen.
        admin.post("/api/faces", &face(0, 0, 40, 30, (height, width))).await?.expect(201)?;
        edit(&admin, &asset, &[crop(200, 0, width - 200, height)]).await?;
        ensure!(faces().await? == json!([]), "faces that are cut off");
        admin.delete(&path(&asset), &json!({})).await?.expect(204)?;
        let back = faces().await?;
        ensure!(back.as_array().is_some_and(|faces| faces.len() == 2), "{back}");
        // From left to right: both begin at the edge, so the older one comes first.
        for field in ["id", "boundingBoxX1", "boundingBoxX2", "boundingBoxY2", "imageWidth"] {
            ensure!(back[0][field] == plain[0][field], "{back} instead of {plain}");
        }
        let drawn = &back[1];
        ensure!(drawn["boundingBoxX2"] == 30 && drawn["boundingBoxY2"] == height, "{drawn}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn visitors_see_the_edited_photo_and_archives_hold_it_on_request() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let asset = admin.upload_file(&media(PHOTO)?).await?;
        admin.wait_until_idle().await?;
        edit(&admin, &asset, &[rotate(270)]).await?;
        let wish = json!({ "type": "INDIVIDUAL", "assetIds": [asset] });
        let link = admin.post("/api/shared-links", &wish).await?.expect(201)?.json()?;
        let key = link["key"].as_str().context("a link without a key")?;
        let visitor = admin.anonymous();
        let shown = picture(&visitor, &asset, &format!("thumbnail?key={key}")).await?;
        let edited = picture(&admin, &asset, "thumbnail?edited=true").await?;
        ensure!(shown.body == edited.body, "a visitor sees the photo without edits");
        let file = picture(&visitor, &asset, &format!("original?key={key}")).await?;
        let full = picture(&admin, &asset, "original?edited=true").await?;
        ensure!(file.body == full.body, "a visitor gets the file without edits");
        let name = file.header("content-disposition");
        ensure!(name.ends_with("prairie_falcon_edited.jpeg"), "{name}");

        let original = picture(&admin, &asset, "original").await?;
        for (is_edited, inside) in [(true, &full), (false, &original)] {
            let body = json!({ "assetIds": [asset], "edited": is_edited });
            let archive = admin.post("/api/download/archive", &body).await?.expect(200)?;
            let holds = archive.body.windows(inside.body.len()).any(|part| part == inside.body);
            ensure!(holds, "edited {is_edited}: another file in the archive");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn no_archive_is_sent_without_an_edited_photo_that_belongs_in_it() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let asset = admin.upload_file(&media(PHOTO)?).await?;
        let plain = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        admin.wait_until_idle().await?;
        edit(&admin, &asset, &[rotate(270)]).await?;
        let path = "original?edited=true";
        let edited = picture(&admin, &asset, path).await?;
        let wish = json!({ "assetIds": [plain, asset], "edited": true });
        let lost = std::fs::remove_dir_all(server.data().join("derived"));
        lost.context("no folder of what was made")?;

        let refused = admin.post("/api/download/archive", &wish).await?.expect(404)?.json()?;
        ensure!(refused["message"] == "An edited photo is missing and is made again", "{refused}");
        let originals = json!({ "assetIds": [plain, asset] });
        admin.post("/api/download/archive", &originals).await?.expect(200)?;
        // Nobody but the archive asked for it to be made again.
        let archive = until("the archive", WORK_LIMIT, async || {
            let answer = admin.post("/api/download/archive", &wish).await?;
            ensure!(matches!(answer.status, 200 | 404), "{}", answer.shown());
            Ok((answer.status == 200).then_some(answer))
        })
        .await?;
        let holds = archive.body.windows(edited.body.len()).any(|part| part == edited.body);
        ensure!(holds, "an archive without the edited photo");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_phone_is_told_of_edits() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let asset = admin.upload_file(&media(PHOTO)?).await?;
        admin.wait_until_idle().await?;
        let made = edit(&admin, &asset, &[rotate(90), mirror("vertical")]).await?;
        let lines = async || {
            let body = json!({ "types": ["AssetsV2", "AssetEditsV1"] });
            let answer = admin.post("/api/sync/stream", &body).await?.expect(200)?;
            let lines = answer.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            let lines: Result<Vec<Value>, _> = lines.map(serde_json::from_slice).collect();
            lines.context("lines that are no JSON")
        };
        let told = lines().await?;
        let edits: Vec<&Value> = told.iter().filter(|line| line["type"] == "AssetEditV1").collect();
        ensure!(edits.len() == 2, "{told:?}");
        let second = &edits[1]["data"];
        ensure!(second["assetId"] == json!(asset) && second["sequence"] == 1, "{second}");
        ensure!(second["id"] == made["edits"][1]["id"] && second["action"] == "mirror", "{second}");
        ensure!(second["parameters"] == json!({ "axis": "vertical" }), "{second}");
        let line = told.iter().find(|line| line["type"] == "AssetV2").context("no asset")?;
        ensure!(line["data"]["isEdited"] == true, "{line}");

        admin.delete(&path(&asset), &json!({})).await?.expect(204)?;
        let told = lines().await?;
        let gone: BTreeSet<&str> = told
            .iter()
            .filter(|line| line["type"] == "AssetEditDeleteV1")
            .filter_map(|line| line["data"]["editId"].as_str())
            .collect();
        let former = made["edits"].as_array().into_iter().flatten();
        let former: BTreeSet<&str> = former.filter_map(|edit| edit["id"].as_str()).collect();
        ensure!(gone == former, "{told:?}");
        ensure!(!told.iter().any(|line| line["type"] == "AssetEditV1"), "{told:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn paused_editor_makes_no_pictures_until_it_goes_on() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let asset = admin.upload_file(&media(PHOTO)?).await?;
        admin.wait_until_idle().await?;
        let pause = json!({ "isPaused": true });
        admin.put("/api/queues/editor", &pause).await?.expect(200)?;
        let wish = json!({ "edits": [rotate(90)] });
        admin.put(&path(&asset), &wish).await?.expect(200)?;
        let queue = admin.get_json("/api/queues/editor").await?;
        ensure!(queue["statistics"]["paused"] == 1, "{queue}");
        let waiting = info(&admin, &asset).await?;
        ensure!(waiting["isEdited"] == true, "{waiting}");
        admin.put("/api/queues/editor", &json!({ "isPaused": false })).await?.expect(200)?;
        until("the edited pictures", WORK_LIMIT, async || {
            let (width, height) = sides(&info(&admin, &asset).await?)?;
            Ok((width < height).then_some(()))
        })
        .await
    })
    .await
}
