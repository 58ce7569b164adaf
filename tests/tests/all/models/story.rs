//! Trying models for searches and texts on a running server: from the first asset to the way back.

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::models::another;
use calotype_tests::server::Victim;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer, binary, story};
use serde_json::{Value, json};

use super::{WAIT, begin, diff, finished, of_task, switch, trial, tried};

const CAT: &str = "photos/scenes/cat_chelsea.png";
const FALCON: &str = "photos/nature/prairie_falcon.jpg";
const SIGN: &str = "ocr/sign_no_litter_japanese.jpg";
const SEARCH: &str = "smartSearch";

fn models() -> Options {
    Options { models: true, ..Options::default() }
}

/// Puts other models beside those that are brought along.
fn put_others(server: &TestServer) -> anyhow::Result<()> {
    let data = server.data();
    another(&data, "clip/conse-effnet-lite0-minilm", "other", &["visual/model.onnx"])?;
    another(&data, "ocr/PP-OCRv6_tiny", "other", &["recognition/model.onnx"])
}

async fn upload(admin: &Client, files: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    for file in files {
        ids.push(admin.upload_file(&media(file)?).await?);
    }
    admin.wait_until_idle().await?;
    Ok(ids)
}

async fn search(admin: &Client) -> anyhow::Result<Vec<String>> {
    let body = json!({ "query": "a cat" });
    let answer = admin.post("/api/search/smart", &body).await?.expect(200)?.json()?;
    let items = answer["assets"]["items"].as_array().context("no list")?;
    Ok(items.iter().filter_map(|item| item["id"].as_str().map(str::to_owned)).collect())
}

async fn lines(admin: &Client, asset: &str) -> anyhow::Result<Vec<Value>> {
    let answer = admin.get_json(&format!("/api/assets/{asset}/ocr")).await?;
    let lines = answer.as_array().cloned().context("no list")?;
    Ok(lines.into_iter().map(|line| line["text"].clone()).collect())
}

async fn looks(admin: &Client, asset: &str) -> anyhow::Result<usize> {
    let events = admin.history(asset).await?;
    Ok(events.iter().filter(|event| event["type"] == "AssetEmbedded").count())
}

#[tokio::test]
async fn a_model_is_tried_beside_the_one_in_use_and_takes_its_place_at_once() -> anyhow::Result<()>
{
    story(models(), async |server| {
        put_others(server)?;
        let admin = server.client().sign_up().await?;
        let photos = upload(&admin, &[CAT, FALCON, SIGN]).await?;
        let (found, read) = (search(&admin).await?, lines(&admin, &photos[2]).await?);
        ensure!(found.len() == 3 && !read.is_empty(), "{found:?} {read:?}");
        let refused = admin.post("/api/calotype/models/switch", &json!({ "task": SEARCH })).await?;
        refused.expect(404)?;

        let told = tried(&admin, SEARCH, "other").await?;
        ensure!(told["tried"] == 3 && told["missing"] == 0 && told["failed"] == 0, "{told}");
        ensure!(search(&admin).await? == found, "a trial changed a search");
        let told = of_task(&admin, SEARCH).await?;
        let beside: Vec<&Value> = told["results"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|it| it["beside"] == 3 && it["assets"] == 0)
            .collect();
        ensure!(beside.len() == 1 && beside[0]["model"]["name"] == "other", "{told}");
        let words = json!({ "task": SEARCH, "words": ["a cat", "a bird"] });
        let told = diff(&admin, words).await?;
        ensure!(told["searches"].as_array().is_some_and(|it| it.len() == 2), "{told}");
        ensure!(told["searches"][0]["kept"] == 3 && told["missing"] == 0, "{told}");

        switch(&admin, "switch", SEARCH).await?;
        ensure!(search(&admin).await?.len() == 3, "something is not found by the other model");
        for photo in &photos {
            ensure!(looks(&admin, photo).await? == 1, "something was looked at again");
        }
        let config = admin.get_json("/api/system-config").await?;
        ensure!(config["machineLearning"]["clip"]["modelName"] == "other", "{config}");
        admin
            .post("/api/calotype/projections/embeddings/rebuild", &json!({}))
            .await?
            .expect(200)?;
        ensure!(search(&admin).await?.len() == 3, "a rebuild finds something else");
        let later = upload(&admin, &["photos/webp/denali.webp"]).await?;
        ensure!(search(&admin).await?.contains(&later[0]), "the other model is not asked");

        switch(&admin, "rollback", SEARCH).await?;
        let back = search(&admin).await?;
        let known: Vec<&String> = back.iter().filter(|id| **id != later[0]).collect();
        ensure!(known == found.iter().collect::<Vec<_>>(), "{back:?}, before {found:?}");
        ensure!(back.contains(&later[0]), "what came in between is not asked for");
        let path = "/api/calotype/models/rollback";
        admin.post(path, &json!({ "task": SEARCH })).await?.expect(409)?;

        ensure_texts(&admin, &photos[2], &read).await?;
        ensure_commands(&admin, server).await
    })
    .await
}

/// Texts follow a switch, and come back with it.
async fn ensure_texts(admin: &Client, sign: &str, read: &[Value]) -> anyhow::Result<()> {
    tried(admin, "ocr", "other").await?;
    ensure!(lines(admin, sign).await? == read, "a trial changed a text");
    let told = diff(admin, json!({ "task": "ocr" })).await?;
    let texts = &told["texts"];
    ensure!(texts["compared"] == 4, "{told}");
    switch(admin, "switch", "ocr").await?;
    let is_told = texts["assetIds"].as_array().is_some_and(|ids| ids.contains(&json!(sign)));
    // The limits of the settings may drop what the other model is less sure of.
    until("the texts of the other model", WAIT, async || {
        Ok((is_told == (lines(admin, sign).await? != read)).then_some(()))
    })
    .await
    .with_context(|| told.to_string())?;
    switch(admin, "rollback", "ocr").await?;
    until("the texts of before", WAIT, async || {
        Ok((lines(admin, sign).await? == read).then_some(()))
    })
    .await?;
    Ok(())
}

/// The same by the command line.
async fn ensure_commands(admin: &Client, server: &TestServer) -> anyhow::Result<()> {
    let (url, key) = (server.url(), admin.create_secret(&["all"]).await?);
    let run = async |words: &[&str]| -> anyhow::Result<binary::Done> {
        let all = [&["models"][..], words, &["--server", &url, "--api-key", &key]].concat();
        binary::run(&all, "").await
    };
    // The other model knows what came while it was in use, and of two that came afterwards a trial of one lacks one.
    upload(admin, &["photos/edge/colour_grey.jpg", "photos/edge/date_slashes.jpg"]).await?;
    let done = run(&["try", SEARCH, "other", "--sample", "1", "--wait"]).await?;
    ensure!(done.code == Some(0) && done.stdout.contains("finished"), "{done:?}");
    let done = run(&["switch", SEARCH, "--model", "other"]).await?;
    ensure!(done.code != Some(0) && done.stderr.contains("409"), "{done:?}");
    let done = run(&["switch", SEARCH, "--incomplete"]).await?;
    ensure!(done.code == Some(0) && done.stdout.contains("in use    other@1"), "{done:?}");
    let done = run(&["rollback", SEARCH]).await?;
    ensure!(done.code == Some(0) && done.stdout.contains("rolled back"), "{done:?}");
    let done = run(&["diff", SEARCH, "--word", "a cat"]).await?;
    ensure!(done.stdout.contains("of the first twenty stay"), "{done:?}");
    for words in [&["list"][..], &["trials"]] {
        let done = run(words).await?;
        ensure!(done.code == Some(0) && done.stdout.contains("other"), "{done:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_trial_goes_on_after_a_restart_and_ends_when_it_is_cancelled() -> anyhow::Result<()> {
    story(models(), async |server| {
        put_others(server)?;
        let admin = server.client().sign_up().await?;
        upload(&admin, &[CAT, FALCON]).await?;
        let queue = async |command: &str| {
            let body = json!({ "command": command, "force": false });
            admin.put("/api/jobs/smartSearch", &body).await?.expect(200).map(drop)
        };
        queue("pause").await?;
        let wish = json!({ "task": SEARCH, "name": "other" });
        let (kept, cancelled) = (begin(&admin, wish.clone()).await?, begin(&admin, wish).await?);
        let path = format!("/api/calotype/models/trials/{cancelled}");
        admin.delete(&path, &json!({})).await?.expect(204)?;
        server.kill(Victim::Server).await?;
        server.go_on().await?;
        ensure!(trial(&admin, &kept).await?["tried"] == 0, "a paused queue did something");
        queue("resume").await?;
        let done = finished(&admin, &kept).await?;
        ensure!(done["tried"] == 2, "{done}");
        let ended = trial(&admin, &cancelled).await?;
        ensure!(ended["state"] == "cancelled" && ended["seen"] == 0, "{ended}");
        let nobody = json!({ "task": SEARCH, "name": "nothing" });
        admin.post(super::TRIALS, &nobody).await?.expect(404)?;
        Ok(())
    })
    .await
}
