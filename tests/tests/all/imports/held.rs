//! Uploads wait for no processing, however much of it waits.

use anyhow::{Context as _, ensure};
use calotype_tests::answer::sha1_hex;
use calotype_tests::{Client, Options, Upload, story};
use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::Method;
use serde_json::{Value, json};

use super::picture;

/// Photos that wait for all that is made of them.
const WAITING: usize = 1_000;
/// Photos of one request.
const TOGETHER: usize = 250;
/// Files that are sent at once.
const AT_ONCE: usize = 4;
/// Queues of what is made of a photo.
const QUEUES: [&str; 2] = ["metadataExtraction", "thumbnailGeneration"];

async fn command(admin: &Client, command: &str) -> anyhow::Result<()> {
    for queue in QUEUES {
        let body = json!({ "command": command, "force": false });
        admin.put(&format!("/api/jobs/{queue}"), &body).await?.expect(200)?;
    }
    Ok(())
}

async fn waiting(admin: &Client) -> anyhow::Result<usize> {
    let queue = admin.get_json("/api/queues/thumbnailGeneration").await?;
    let count = queue["statistics"]["paused"].as_u64().with_context(|| format!("{queue}"))?;
    Ok(usize::try_from(count)?)
}

async fn import(admin: &Client) -> anyhow::Result<()> {
    let batch = admin.post("/api/calotype/batches", &json!({})).await?.expect(201)?.json()?;
    let batch = format!("/api/calotype/batches/{}", batch["id"].as_str().context("no batch")?);
    let batch = batch.as_str();
    let said: Vec<Value> = futures::stream::iter(0..WAITING)
        .map(|number| async move {
            let bytes = picture(number)?;
            let (sha1, blake3) = (sha1_hex(&bytes), blake3::hash(&bytes).to_hex().to_string());
            let path = format!("{batch}/files/{sha1}?blake3={blake3}&extension=jpg");
            admin.send(admin.request(Method::PUT, &path).body(bytes)).await?.expect(204)?;
            anyhow::Ok(json!({
                "sha1": sha1, "blake3": blake3, "fileName": "a.jpg",
                "fileCreatedAt": "2024-01-02T03:04:05.000Z",
                "fileModifiedAt": "2024-01-02T03:04:05.000Z",
            }))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    for files in said.chunks(TOGETHER) {
        let wish = json!({ "files": files });
        admin.post(&format!("{batch}/commit"), &wish).await?.expect(200)?;
    }
    Ok(())
}

#[tokio::test]
async fn upload_is_answered_while_all_that_was_made_of_a_thousand_waits() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        command(&admin, "pause").await?;
        import(&admin).await?;
        ensure!(waiting(&admin).await? == WAITING, "{} wait", waiting(&admin).await?);
        let bytes = picture(WAITING)?;
        let sha1 = sha1_hex(&bytes);
        let id = admin.upload(&Upload::new("now.jpg", bytes)).await?;
        // It is there for whoever asks, and nothing was made of anything meanwhile.
        let original = admin.get(&format!("/api/assets/{id}/original")).await?.expect(200)?;
        ensure!(original.sha1() == sha1, "other bytes came back");
        let shown = admin.timeline("").await?;
        ensure!(shown.contains(&id), "it does not show");
        ensure!(waiting(&admin).await? == WAITING + 1, "{} wait", waiting(&admin).await?);
        admin.get(&format!("/api/assets/{id}/thumbnail")).await?.expect(404)?;
        Ok(())
    })
    .await
}
