//! A server that is emptied while its processors work: what they had in hand does not show up in the new world.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer, Upload, database, jpeg, story};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::json;

/// How long the server may take for one of these.
const SOON: Duration = Duration::from_secs(30);
const PICTURE: &str = "photos/edge/rating_1.jpg";

fn photo(name: &str) -> anyhow::Result<Upload> {
    let picture = Upload::of(&media(PICTURE)?)?;
    Ok(Upload::new(&format!("{name}.jpg"), jpeg::with_comment(&picture.bytes, name)))
}

/// Uploads a photo whose decoder stands still until it is told to go on; says which decoders these are.
async fn hold_a_photo(server: &TestServer, admin: &Client) -> anyhow::Result<Vec<Pid>> {
    let first = admin.upload(&photo("first")?).await?;
    admin.wait_for_thumbnail(&first).await?;
    admin.wait_until_idle().await?;
    // What is uploaded next goes to the one that has just worked.
    let held = server.decoders()?;
    ensure!(!held.is_empty(), "no decoder has stayed");
    for pid in &held {
        kill_process(*pid, Signal::STOP)?;
    }
    admin.upload(&photo("held")?).await?;
    until("work in hand", SOON, async || {
        let queue = admin.get_json("/api/queues/thumbnailGeneration").await?;
        let active = queue["statistics"]["active"].as_i64();
        Ok(active.filter(|active| *active > 0))
    })
    .await?;
    Ok(held)
}

#[tokio::test]
async fn what_is_in_hand_does_not_outlive_a_reset() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let held = hold_a_photo(server, &admin).await?;
        server.client().post("/api/calotype/testing/reset", &json!({})).await?.expect(204)?;
        for pid in &held {
            // Who was ended for the reset is not there any more.
            kill_process(*pid, Signal::CONT).ok();
        }
        let data = server.data();
        let derived = data.join("derived");
        until("the work in hand to be given up", SOON, async || {
            let made = files_under(&derived)?;
            ensure!(made.is_empty(), "it went on behind the reset: {made:?}");
            Ok(held.iter().any(|pid| test_kill_process(*pid).is_err()).then_some(()))
        })
        .await?;

        let anew = server.client().sign_up().await?;
        let id = anew.upload(&photo("anew")?).await?;
        anew.wait_for_thumbnail(&id).await?;
        anew.wait_until_idle().await?;
        let pool = database::connect(&data).await?;
        let streams: Vec<String> = sqlx::query_scalar(
            "select distinct stream_id from log.events where split_part(stream_id, '-', 1) = 'asset'",
        )
        .fetch_all(&pool)
        .await?;
        ensure!(streams == [format!("asset-{id}")], "{streams:?}");
        pool.close().await;
        ensure!(files_under(&data.join("library"))?.len() == 1, "originals of before");
        let made = files_under(&derived)?;
        ensure!(made.len() >= 2 && made.iter().all(|path| path.contains(&id)), "{made:?}");
        Ok(())
    })
    .await
}

fn files_under(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_under(&path)?);
        } else {
            files.push(path.display().to_string());
        }
    }
    Ok(files)
}
