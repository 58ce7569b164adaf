//! What is written in photos: read, found, shown where it stands, told to phones, and gone with the photo.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::{Client, Options, story};
use serde_json::{Value, json};

const UPDATE: &str = "ocr/ps4_update_screen.jpg";
const SIGN: &str = "ocr/sign_no_litter_japanese.jpg";
const PLATE: &str = "ocr/plate_alaska.jpg";
const FALCON: &str = "photos/nature/prairie_falcon.jpg";
const QUEUE: &str = "/api/jobs/ocr";
const NOBODY: [&str; 0] = [];

/// The lines of an asset.
async fn lines(client: &Client, asset: &str) -> anyhow::Result<Vec<Value>> {
    let answer = client.get_json(&format!("/api/assets/{asset}/ocr")).await?;
    answer.as_array().cloned().context("no list")
}

/// Letters and digits alone: models leave out spaces.
fn letters(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>().to_lowercase()
}

/// The line that holds these words.
fn line<'a>(lines: &'a [Value], words: &str) -> anyhow::Result<&'a Value> {
    let holds = |line: &&Value| {
        line["text"].as_str().is_some_and(|text| letters(text).contains(&letters(words)))
    };
    lines.iter().find(holds).with_context(|| format!("{words} is not among {lines:?}"))
}

fn corner(line: &Value, number: usize) -> anyhow::Result<[f64; 2]> {
    let at = |axis: &str| line[format!("{axis}{number}")].as_f64().context("no corner");
    Ok([at("x")?, at("y")?])
}

fn is_near(one: [f64; 2], other: [f64; 2]) -> bool {
    (one[0] - other[0]).abs() < 1e-3 && (one[1] - other[1]).abs() < 1e-3
}

/// Names of what a search finds, in the order of the alphabet.
async fn found(client: &Client, path: &str, body: Value) -> anyhow::Result<Vec<String>> {
    let answer = client.post(&format!("/api/search/{path}"), &body).await?.expect(200)?.json()?;
    let items = if answer.is_array() { &answer } else { &answer["assets"]["items"] };
    let items = items.as_array().context("no list")?;
    let names = items.iter().filter_map(|item| item["originalFileName"].as_str());
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort();
    Ok(names)
}

async fn set(admin: &Client, change: impl Fn(&mut Value)) -> anyhow::Result<()> {
    let mut config = admin.get_json("/api/system-config").await?;
    change(&mut config["machineLearning"]);
    admin.put("/api/system-config", &config).await?.expect(200).map(drop)
}

async fn start(admin: &Client, force: bool) -> anyhow::Result<()> {
    admin.put(QUEUE, &json!({ "command": "start", "force": force })).await?.expect(200)?;
    admin.wait_until_idle().await
}

/// How often a model read an asset.
async fn readings(admin: &Client, asset: &str) -> anyhow::Result<usize> {
    let events = admin.history(asset).await?;
    Ok(events.iter().filter(|event| event["type"] == "AssetTextRead").count())
}

/// What a new phone is told of lines, by their ids, and how many are told to be gone.
async fn told(client: &Client) -> anyhow::Result<(BTreeMap<String, Value>, usize)> {
    let body = json!({ "types": ["AssetsV2", "AssetOcrV1"] });
    let answer = client.post("/api/sync/stream", &body).await?.expect(200)?;
    let (mut kept, mut gone) = (BTreeMap::new(), 0);
    for line in answer.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let line: Value = serde_json::from_slice(line).context("a line that is no JSON")?;
        let id = line["data"]["id"].as_str().unwrap_or_default().to_owned();
        match line["type"].as_str() {
            Some("AssetOcrV1") => drop(kept.insert(id, line["data"].clone())),
            Some("AssetOcrDeleteV1") => gone += 1,
            _ => {}
        }
    }
    Ok((kept, gone))
}

#[tokio::test]
async fn photos_are_found_by_what_is_written_in_them() -> anyhow::Result<()> {
    story(Options { models: true, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let update = admin.upload_file(&media(UPDATE)?).await?;
        for path in [SIGN, PLATE, FALCON] {
            admin.upload_file(&media(path)?).await.context(path)?;
        }
        admin.wait_until_idle().await?;
        ensure!(admin.get_json("/api/server/features").await?["ocr"] == true, "it is off");
        let read = lines(&admin, &update).await?;
        for words in ["System Software Update", "automatically restart"] {
            line(&read, words)?;
        }
        for line in &read {
            ensure!(line["assetId"] == json!(update), "{line}");
            ensure!(line["boxScore"].as_f64() >= Some(0.5), "{line}");
            ensure!(line["textScore"].as_f64() >= Some(0.8), "{line}");
            for number in 1..=4 {
                let [x, y] = corner(line, number)?;
                ensure!((0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y), "{line}");
            }
        }
        let one = |words: &str| json!({ "ocr": words });
        for (words, wanted) in [
            ("software UPDATE", vec!["ps4_update_screen.jpg"]),
            ("alaska", vec!["plate_alaska.jpg"]),
            ("minato city", vec!["sign_no_litter_japanese.jpg"]),
            ("city alaska", vec![]),
            ("a word that nobody wrote", vec![]),
        ] {
            for path in ["metadata", "random"] {
                let names = found(&admin, path, one(words)).await?;
                ensure!(names == wanted, "{path} {words}: {names:?}");
            }
        }
        let structured = json!({ "filter": { "ocr": { "matches": "Alaska" } } });
        ensure!(found(&admin, "metadata", structured).await? == ["plate_alaska.jpg"]);
        let smart = json!({ "query": "a sign", "ocr": "alaska" });
        ensure!(found(&admin, "smart", smart).await? == ["plate_alaska.jpg"]);
        let counted = admin.post("/api/search/statistics", &one("alaska")).await?.expect(200)?;
        ensure!(counted.json()?["total"] == 1, "{}", counted.shown());

        let stranger = admin.create_user("stranger@example.com").await?;
        ensure!(found(&stranger, "metadata", one("alaska")).await? == NOBODY);
        stranger.get(&format!("/api/assets/{update}/ocr")).await?.expect(400)?;

        admin
            .delete("/api/assets", &json!({ "ids": [update], "force": true }))
            .await?
            .expect(204)?;
        ensure!(found(&admin, "metadata", one("software update")).await? == NOBODY);
        admin.get(&format!("/api/assets/{update}/ocr")).await?.expect(400).map(drop)
    })
    .await
}

#[tokio::test]
async fn lines_go_with_the_edited_photo_and_phones_hear_of_it() -> anyhow::Result<()> {
    story(Options { models: true, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let update = admin.upload_file(&media(UPDATE)?).await?;
        admin.wait_until_idle().await?;
        let before = lines(&admin, &update).await?;
        let title = line(&before, "System Software Update")?;
        let asset = admin.get_json(&format!("/api/assets/{update}")).await?;
        let sides = asset["width"].as_i64().zip(asset["height"].as_i64());
        let (width, height) = sides.context("no size")?;
        let edits = format!("/api/assets/{update}/edits");
        let edit = async |action: &str, parameters: Value| -> anyhow::Result<()> {
            let body = json!({ "edits": [{ "action": action, "parameters": parameters }] });
            admin.put(&edits, &body).await?.expect(200)?;
            admin.wait_until_idle().await
        };

        // Upper left is upper right of what is turned a quarter clockwise.
        edit("rotate", json!({ "angle": 90 })).await?;
        let turned = lines(&admin, &update).await?;
        ensure!(turned.len() == before.len(), "{turned:?}");
        let [x, y] = corner(title, 1)?;
        let seen = line(&turned, "System Software Update")?;
        ensure!(is_near(corner(seen, 2)?, [1.0 - y, x]), "{title} {seen}");
        let (kept, _) = told(&admin).await?;
        ensure!(kept.len() == before.len(), "{kept:?}");
        let id = title["id"].as_str().context("no id")?;
        ensure!(is_near(corner(&kept[id], 1)?, [x, y]), "where it lies in the file");
        ensure!(kept.values().all(|line| line["isVisible"] == true), "{kept:?}");

        // The lowest tenth of the picture, where the title is not.
        let part =
            json!({ "x": 0, "y": height - height / 10, "width": width, "height": height / 10 });
        edit("crop", part).await?;
        let cut = lines(&admin, &update).await?;
        ensure!(line(&cut, "System Software Update").is_err(), "{cut:?}");
        let (kept, _) = told(&admin).await?;
        ensure!(kept[id]["isVisible"] == false, "{}", kept[id]);
        let shown = kept.values().filter(|line| line["isVisible"] == true).count();
        ensure!(shown == cut.len(), "{kept:?} {cut:?}");

        admin.delete(&edits, &json!({})).await?.expect(204)?;
        ensure!(lines(&admin, &update).await? == before, "it is as it was");
        ensure!(readings(&admin, &update).await? == 1, "an edit is no reason to read anew");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn limits_are_kept_and_what_is_known_is_not_read_again() -> anyhow::Result<()> {
    story(Options { models: true, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let update = admin.upload_file(&media(UPDATE)?).await?;
        admin.wait_until_idle().await?;
        let before = lines(&admin, &update).await?;
        start(&admin, false).await?;
        ensure!(readings(&admin, &update).await? == 1, "what is known was read again");
        start(&admin, true).await?;
        ensure!(readings(&admin, &update).await? == 2, "it was not read again");
        ensure!(lines(&admin, &update).await? == before, "the same lines with the same ids");

        let scores = before.iter().filter_map(|line| line["textScore"].as_f64());
        let limit = scores.fold(0.0, f64::max) - 1e-3;
        set(&admin, |models| models["ocr"]["minRecognitionScore"] = limit.into()).await?;
        start(&admin, false).await?;
        let surest = lines(&admin, &update).await?;
        let is_sure = |line: &Value| line["textScore"].as_f64() >= Some(limit - 1e-4);
        ensure!(surest.iter().all(is_sure), "{surest:?}");
        let wanted = before.iter().filter(|line| is_sure(line)).count();
        ensure!(surest.len() == wanted && wanted < before.len(), "{before:?} {surest:?}");
        let (kept, gone) = told(&admin).await?;
        ensure!((kept.len(), gone) == (wanted, before.len() - wanted), "{kept:?} {gone}");

        set(&admin, |models| models["ocr"]["enabled"] = false.into()).await?;
        let plate = admin.upload_file(&media(PLATE)?).await?;
        admin.wait_until_idle().await?;
        ensure!(lines(&admin, &plate).await?.is_empty(), "nobody wants text");
        ensure!(admin.get_json("/api/server/features").await?["ocr"] == false, "it is on");
        Ok(())
    })
    .await
}
