//! A bucket that goes away: people are told so, nothing is lost or given up, and work goes on when it is back.

use std::time::Duration;

use anyhow::ensure;
use calotype_tests::bucket::Bucket;
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Upload, story};
use serde_json::json;

use super::story::on;

/// How long work may take that waits for the bucket and then is done.
const SOON: Duration = Duration::from_secs(120);
const PHOTO: &str = "photos/edge/rating_1.jpg";
const LATE: &str = "photos/nature/prairie_falcon.jpg";
const QUEUES: [&str; 2] = ["metadataExtraction", "thumbnailGeneration"];

async fn tell_queues(admin: &Client, word: &str) -> anyhow::Result<()> {
    for queue in QUEUES {
        let job = json!({ "command": word, "force": false });
        admin.put(&format!("/api/jobs/{queue}"), &job).await?.expect(200)?;
    }
    Ok(())
}

#[tokio::test]
async fn nothing_is_lost_while_the_bucket_is_away() -> anyhow::Result<()> {
    let bucket = Bucket::start().await?;
    story(on(&bucket), async |server| {
        let admin = server.client().sign_up().await?;
        let known = admin.upload_file(&media(PHOTO)?).await?;
        admin.wait_until_idle().await?;
        tell_queues(&admin, "pause").await?;
        let waiting = admin.upload_file(&media(LATE)?).await?;

        bucket.shut();
        for what in ["original", "thumbnail"] {
            let path = format!("/api/assets/{known}/{what}");
            let refused = admin.get(&path).await?.expect(503)?;
            ensure!(!refused.message()?.is_empty() && !refused.header("retry-after").is_empty());
        }
        let upload = Upload::of(&media("photos/edge/colour_grey.jpg")?)?;
        admin.send_upload(&upload).await?.expect(503)?;
        tell_queues(&admin, "resume").await?;
        until("work to wait for the bucket", SOON, async || {
            Ok(server.log().contains("work waits for the bucket").then_some(()))
        })
        .await?;

        bucket.open();
        let told = admin.send_upload(&upload).await?.expect(201)?.json()?;
        ensure!(told["status"] == "created", "what was refused was kept: {told}");
        admin.wait_for_thumbnail(&waiting).await?;
        admin.get(&format!("/api/assets/{known}/original")).await?.expect(200)?;
        for id in [&known, &waiting] {
            let events = admin.history(id).await?;
            let failed = events.iter().find(|event| event["type"] == "AssetProcessingFailed");
            ensure!(failed.is_none(), "it was given up: {failed:?}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn server_starts_while_the_bucket_is_away_and_stays_with_it() -> anyhow::Result<()> {
    let bucket = Bucket::start().await?;
    bucket.shut();
    story(on(&bucket), async |server| {
        let admin = server.client().sign_up().await?;
        let upload = Upload::of(&media(PHOTO)?)?;
        admin.send_upload(&upload).await?.expect(503)?;
        ensure!(bucket.has_refused(), "nobody asked the bucket");
        bucket.open();
        admin.send_upload(&upload).await?.expect(201)?;
        admin.wait_until_idle().await?;
        server.terminate().await?;
        // Without the bucket every photo would seem to be missing.
        let mut program = calotype_tests::binary::command()?;
        program.args(["serve", "--testing", "--port", "0", "--data"]).arg(server.data());
        let refused = calotype_tests::binary::finish(program, "", SOON).await?.failure()?;
        ensure!(refused.contains(&bucket.address()), "{refused}");
        server.go_on().await
    })
    .await
}

#[tokio::test]
async fn what_the_bucket_refuses_is_told_of_and_goes_on_when_that_is_mended() -> anyhow::Result<()>
{
    let bucket = Bucket::start().await?;
    story(on(&bucket), async |server| {
        let admin = server.client().sign_up().await?;
        tell_queues(&admin, "pause").await?;
        let waiting = admin.upload_file(&media(LATE)?).await?;
        bucket.deny();
        tell_queues(&admin, "resume").await?;
        let stream = format!("asset-{waiting}");
        let parked = async || {
            let all = admin.get_json("/api/calotype/parked").await?;
            let of_it = all.as_array().into_iter().flatten();
            Ok(of_it.filter(|it| it["streamId"] == stream.as_str()).cloned().next())
        };
        let told = until("parked work", SOON, parked).await?;
        let reason = told["reason"].as_str().unwrap_or_default();
        ensure!(reason.contains("the object store denies access"), "{told}");

        bucket.open();
        admin.wait_for_thumbnail(&waiting).await?;
        until("nothing parked", SOON, async || Ok(parked().await?.is_none().then_some(()))).await?;
        let events = admin.history(&waiting).await?;
        let failed = events.iter().find(|event| event["type"] == "AssetProcessingFailed");
        ensure!(failed.is_none(), "it was given up: {failed:?}");
        Ok(())
    })
    .await
}
