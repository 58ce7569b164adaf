//! Queues that administrators pause, empty, clear and start, and work that got stuck.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::binary::run;
use calotype_tests::database;
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer, story};
use serde_json::{Value, json};

const QUEUE: &str = "thumbnailGeneration";
const JOBS: &str = "/api/queues/thumbnailGeneration/jobs";
/// How long the server may take for one of these.
const SOON: Duration = Duration::from_secs(30);
const PICTURE: &str = "photos/edge/rating_1.jpg";

async fn count(admin: &Client, state: &str) -> anyhow::Result<i64> {
    let queue = admin.get_json("/api/queues/thumbnailGeneration").await?;
    queue["statistics"][state].as_i64().with_context(|| format!("no count of {state}: {queue}"))
}

async fn command(admin: &Client, command: &str) -> anyhow::Result<Value> {
    let body = json!({ "command": command, "force": false });
    admin.put(&format!("/api/jobs/{QUEUE}"), &body).await?.expect(200)?.json()
}

#[tokio::test]
async fn an_emptied_queue_does_nothing_until_it_is_started() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        command(&admin, "pause").await?;
        let id = admin.upload_file(&media(PICTURE)?).await?;
        ensure!(count(&admin, "paused").await? == 1, "it does not wait");
        let listed = admin.get_json(&format!("{JOBS}?status=paused")).await?;
        ensure!(listed[0]["data"]["id"] == id.as_str(), "{listed}");

        admin.delete(JOBS, &json!({})).await?.expect(204)?;
        ensure!(count(&admin, "paused").await? == 0, "it still waits");
        command(&admin, "resume").await?;
        // The other step is done, this one is not.
        admin.wait_until_idle().await?;
        let asset = admin.get_json(&format!("/api/assets/{id}")).await?;
        ensure!(asset["exifInfo"]["exifImageWidth"].is_number(), "{asset}");
        admin.get(&format!("/api/assets/{id}/thumbnail")).await?.expect(404)?;

        command(&admin, "start").await?;
        admin.wait_for_thumbnail(&id).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_failed_can_be_cleared_and_started_again() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        admin.upload_file(&unreadable(server)?).await?;
        admin.wait_until_idle().await?;
        ensure!(count(&admin, "failed").await? == 1, "nothing failed");
        let is_parked = async || {
            let parked = admin.get_json("/api/calotype/parked").await?;
            anyhow::Ok(parked.as_array().is_some_and(|parked| !parked.is_empty()))
        };
        until("the parked asset", SOON, async || Ok(is_parked().await?.then_some(()))).await?;

        command(&admin, "clear-failed").await?;
        ensure!(count(&admin, "failed").await? == 0, "it is still counted");
        until("nothing parked", SOON, async || Ok((!is_parked().await?).then_some(()))).await?;

        command(&admin, "start").await?;
        let failed = async || Ok((count(&admin, "failed").await? == 1).then_some(()));
        until("the second failure", SOON, failed).await?;
        admin.delete(JOBS, &json!({ "failed": true })).await?.expect(204)?;
        ensure!(count(&admin, "failed").await? == 0, "it is still counted");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn parked_work_is_retried_and_discarded_by_an_operator() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&unreadable(server)?).await?;
        admin.wait_until_idle().await?;
        let key = admin.create_secret(&["all"]).await?;
        let url = server.url();
        let cli = async |words: &[&str]| {
            let mut all = vec!["parked", "--server", &url, "--api-key", &key];
            all.extend(words);
            anyhow::Ok(run(&all, "").await?.success().with_context(|| words.join(" "))?.stdout)
        };
        let stream = format!("asset-{id}");

        let listed = async || Ok(cli(&["list"]).await?.contains(&stream).then_some(()));
        until("the parked asset", SOON, listed).await?;
        let shown = cli(&["show", &stream]).await?;
        ensure!(shown.contains("tried 1 times"), "{shown}");
        let retried = cli(&["retry", &stream]).await?;
        ensure!(retried.contains("1 done, 0 left"), "{retried}");
        let again = async || Ok(cli(&["show", &stream]).await?.contains("tried 2").then_some(()));
        until("the second try", SOON, again).await?;
        admin.wait_until_idle().await?;

        cli(&["discard", &stream]).await?;
        ensure!(cli(&["list"]).await?.contains("Nothing is parked"), "it is still parked");
        ensure!(count(&admin, "failed").await? == 0, "it is still counted");
        let history = admin.history(&id).await?;
        let last = history.last().context("no history")?;
        ensure!(last["type"] == "AssetFailureDismissed", "{last}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_parked_stream_of_a_projection_is_applied_or_skipped() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&media(PICTURE)?).await?;
        admin.wait_for_thumbnail(&id).await?;
        let stream = format!("asset-{id}");
        let pool = database::connect(&server.data()).await?;
        // Nothing can be written for this asset while the constraint stands.
        sqlx::query("alter table read.timeline_v2 add constraint no check (not is_favorite)")
            .execute(&pool)
            .await?;
        admin.put(&format!("/api/assets/{id}"), &json!({ "isFavorite": true })).await?;
        let parked = async || {
            let rows = admin.get(&format!("/api/calotype/parked/{stream}")).await?;
            Ok((rows.status == 200).then_some(rows))
        };
        let rows = until("the parked stream", SOON, parked).await?.json()?;
        ensure!(rows[0]["kind"] == "projection" && rows[0]["name"] == "timeline_v2", "{rows}");
        let ready = async || {
            let ready = admin.get_json("/ready").await?;
            Ok((ready["parts"]["parked"]["streams"] == 1).then_some(ready))
        };
        let ready = until("health to turn yellow", SOON, ready).await?;
        ensure!(ready["status"] == "degraded", "{ready}");
        ensure!(ready["parts"]["parked"]["state"] == "degraded", "{ready}");

        let path = format!("/api/calotype/parked/{stream}/retry");
        let failed = admin.post(&path, &json!({})).await?.expect(200)?.json()?;
        ensure!(failed[0]["left"] == 1 && failed[0]["reason"].is_string(), "{failed}");
        sqlx::query("alter table read.timeline_v2 drop constraint no").execute(&pool).await?;
        let done = admin.post(&path, &json!({})).await?.expect(200)?.json()?;
        ensure!(done[0]["done"] == 1 && done[0]["left"] == 0, "{done}");
        ensure!(admin.timeline("isFavorite=true").await? == [id.clone()], "not a favorite");
        // The stream flows again.
        admin.put(&format!("/api/assets/{id}"), &json!({ "isFavorite": false })).await?;
        ensure!(admin.timeline("isFavorite=true").await?.is_empty(), "still a favorite");
        pool.close().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_key_that_may_start_jobs_starts_those_of_its_owner() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&media(PICTURE)?).await?;
        let body = json!({ "assetIds": [id], "name": "refresh-metadata" });
        let key = admin.create_key(&["job.create"]).await?;
        key.post("/api/assets/jobs", &body).await?.expect(204)?;
        let other = admin.create_user("other@example.com").await?;
        let other = other.create_key(&["job.create"]).await?;
        let refused = other.post("/api/assets/jobs", &body).await?.expect(400)?;
        ensure!(refused.message()? == "Not found or no asset.update access", "{refused:?}");
        Ok(())
    })
    .await
}

fn unreadable(server: &TestServer) -> anyhow::Result<std::path::PathBuf> {
    let path = server.scratch().join("unreadable.jpg");
    std::fs::write(&path, [&[0xff, 0xd8, 0xff, 0xe0][..], &[7; 4000]].concat())?;
    Ok(path)
}
