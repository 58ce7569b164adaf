//! Searching by meaning, from uploads to answers, with the models that are brought along.

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::{Client, Options, story};
use serde_json::{Value, json};

const CAT: &str = "photos/scenes/cat_chelsea.png";
const FALCON: &str = "photos/nature/prairie_falcon.jpg";
const DENALI: &str = "photos/webp/denali.webp";
const QUEUE: &str = "/api/jobs/smartSearch";

async fn smart(client: &Client, body: Value) -> anyhow::Result<Value> {
    client.post("/api/search/smart", &body).await?.expect(200)?.json()
}

/// Names of what is found, in order.
async fn found(client: &Client, body: Value) -> anyhow::Result<Vec<String>> {
    let answer = smart(client, body).await?;
    let items = answer["assets"]["items"].as_array().context("no list")?;
    let name = |item: &Value| item["originalFileName"].as_str().map(str::to_owned);
    items.iter().map(|item| name(item).context("no name")).collect()
}

async fn refused(client: &Client, body: Value, message: &str) -> anyhow::Result<()> {
    let answer = client.post("/api/search/smart", &body).await?.expect(400)?;
    ensure!(answer.message()? == message, "{body}: {}", answer.shown());
    Ok(())
}

async fn switch(admin: &Client, is_on: bool) -> anyhow::Result<()> {
    let mut config = admin.get_json("/api/system-config").await?;
    config["machineLearning"]["clip"]["enabled"] = is_on.into();
    admin.put("/api/system-config", &config).await?.expect(200).map(drop)
}

#[tokio::test]
async fn photos_are_found_by_what_they_show() -> anyhow::Result<()> {
    story(Options { models: true, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let cat = admin.upload_file(&media(CAT)?).await?;
        for path in [FALCON, DENALI] {
            admin.upload_file(&media(path)?).await.context(path)?;
        }
        admin.wait_until_idle().await?;
        let features = admin.get_json("/api/server/features").await?;
        ensure!(features["smartSearch"] == true, "{features}");
        for (words, wanted) in [
            ("a cat", "cat_chelsea.png"),
            ("a bird of prey", "prairie_falcon.jpg"),
            ("a mountain in the snow", "denali.webp"),
        ] {
            let names = found(&admin, json!({ "query": words, "language": "en" })).await?;
            ensure!(names.len() == 3 && names[0] == wanted, "{words}: {names:?}");
        }
        let alike = found(&admin, json!({ "queryAssetId": cat })).await?;
        ensure!(alike.first().is_some_and(|name| name == "cat_chelsea.png"), "{alike:?}");

        ensure_filters(&admin).await?;
        ensure_refusals(&admin, &cat).await?;
        ensure_queue(&admin).await?;
        ensure_trash(&admin, &cat).await
    })
    .await
}

#[tokio::test]
async fn photos_from_before_there_were_models_are_found_when_that_is_asked_for()
-> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let cat = admin.upload_file(&media(CAT)?).await?;
        for force in [false, true] {
            admin.put(QUEUE, &json!({ "command": "start", "force": force })).await?.expect(200)?;
            admin.wait_until_idle().await?;
        }
        admin.wait_for_thumbnail(&cat).await?;
        let features = admin.get_json("/api/server/features").await?;
        ensure!(features["smartSearch"] == false, "{features}");
        ensure!(features["duplicateDetection"] == false, "{features}");
        let queues = admin.get_json("/api/jobs").await?;
        let counts = &queues["smartSearch"]["jobCounts"];
        ensure!(counts["failed"] == 0 && counts["waiting"] == 0, "{queues}");
        refused(&admin, json!({ "query": "a cat" }), "Smart search is not enabled").await?;
        let message = format!("Asset {cat} has no embedding");
        refused(&admin, json!({ "queryAssetId": cat }), &message).await?;

        server.terminate().await?;
        server.give_models(true);
        server.go_on().await?;
        ensure!(found(&admin, json!({ "query": "a cat" })).await?.is_empty(), "nobody asked yet");
        admin.put(QUEUE, &json!({ "command": "start", "force": false })).await?.expect(200)?;
        admin.wait_until_idle().await?;
        ensure!(found(&admin, json!({ "query": "a cat" })).await? == ["cat_chelsea.png"]);
        Ok(())
    })
    .await
}

async fn ensure_filters(admin: &Client) -> anyhow::Result<()> {
    let none: Vec<String> = Vec::new();
    for filter in [json!({ "type": "VIDEO" }), json!({ "isFavorite": true })] {
        let mut body = filter.clone();
        body["query"] = "a cat".into();
        ensure!(found(admin, body).await? == none, "{filter}");
    }
    let since = json!({ "query": "a cat", "takenAfter": "2022-03-01T00:00:00Z",
                        "takenBefore": "2022-04-30T00:00:00Z" });
    ensure!(found(admin, since).await? == ["prairie_falcon.jpg"], "by date");
    let first = smart(admin, json!({ "query": "a cat", "size": 1 })).await?;
    ensure!(first["assets"]["nextPage"] == "2" && first["assets"]["count"] == 1, "{first}");
    let last = smart(admin, json!({ "query": "a cat", "size": 1, "page": 3 })).await?;
    ensure!(last["assets"]["nextPage"].is_null() && last["assets"]["count"] == 1, "{last}");
    Ok(())
}

async fn ensure_refusals(admin: &Client, cat: &str) -> anyhow::Result<()> {
    refused(admin, json!({}), "Either `query` or `queryAssetId` must be set").await?;
    let stranger = admin.create_user("stranger@example.com").await?;
    ensure!(found(&stranger, json!({ "query": "a cat" })).await?.is_empty(), "a stranger's");
    let of_admin = json!({ "queryAssetId": cat });
    refused(&stranger, of_admin, "Not found or no asset.read access").await?;
    switch(admin, false).await?;
    refused(admin, json!({ "query": "a cat" }), "Smart search is not enabled").await?;
    switch(admin, true).await
}

/// What comes while the queue is paused is looked at when it goes on, and everything again when that is forced.
async fn ensure_queue(admin: &Client) -> anyhow::Result<()> {
    let order = async |command: Value| admin.put(QUEUE, &command).await?.expect(200)?.json();
    order(json!({ "command": "pause", "force": false })).await?;
    let cup = admin.upload_file(&media("photos/scenes/coffee.png")?).await?;
    admin.wait_for_thumbnail(&cup).await?;
    ensure!(
        found(admin, json!({ "query": "a cup of coffee" })).await?.len() == 3,
        "it was looked at"
    );
    order(json!({ "command": "resume", "force": false })).await?;
    admin.wait_until_idle().await?;
    let names = found(admin, json!({ "query": "a cup of coffee" })).await?;
    ensure!(names.first().is_some_and(|name| name == "coffee.png"), "{names:?}");
    order(json!({ "command": "start", "force": true })).await?;
    admin.wait_until_idle().await?;
    let looks = admin.history(&cup).await?;
    let looks = looks.iter().filter(|event| event["type"] == "AssetEmbedded").count();
    ensure!(looks == 2, "looked at {looks} times");
    order(json!({ "command": "start", "force": false })).await?;
    admin.wait_until_idle().await?;
    let events = admin.history(&cup).await?;
    let again = events.iter().filter(|event| event["type"] == "AssetEmbedded").count();
    ensure!(again == 2, "what is known was looked at again");
    Ok(())
}

async fn ensure_trash(admin: &Client, cat: &str) -> anyhow::Result<()> {
    admin.delete("/api/assets", &json!({ "ids": [cat] })).await?.expect(204)?;
    let names = found(admin, json!({ "query": "a cat" })).await?;
    ensure!(!names.contains(&"cat_chelsea.png".to_owned()), "{names:?}");
    let with_deleted = found(admin, json!({ "query": "a cat", "withDeleted": true })).await?;
    ensure!(with_deleted.first().is_some_and(|name| name == "cat_chelsea.png"), "{with_deleted:?}");
    Ok(())
}
