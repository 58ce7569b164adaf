//! JetStream loses everything while there is work that no asset waits for: jobs by hand, forced re-runs, files of
//! what was deleted for good. All of it happens, and once.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::server::Victim;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, Upload, crash, database, jpeg, story};
use serde_json::json;
use sqlx::{PgPool, Postgres, Transaction};

/// How long the server may take for one of these.
const SOON: Duration = Duration::from_secs(60);
const PICTURE: &str = "photos/edge/rating_1.jpg";
/// The lock of whoever does requests; see `processors/src/requests.rs`.
const REQUESTS_LOCK: i64 = 0x6361_6c6f_0000_0010;

/// Keeps the server from doing requests and errands until it is dropped, as if it were too busy.
async fn hold(pool: &PgPool) -> anyhow::Result<Transaction<'static, Postgres>> {
    let mut held = pool.begin().await?;
    sqlx::query("select pg_advisory_xact_lock($1)").bind(REQUESTS_LOCK).execute(&mut *held).await?;
    sqlx::query("select from work.checkpoints where name = 'errands' for update")
        .execute(&mut *held)
        .await?;
    Ok(held)
}

/// What was asked for: the photo that stays, and the tag that goes. Nothing of it happens while this is held.
struct Asked {
    kept: String,
    tag: String,
    held: Transaction<'static, Postgres>,
}

/// Asks for one thing of each kind, and sees that none of it happens yet but that all of it counts.
async fn ask(admin: &Client, data: &Path) -> anyhow::Result<Asked> {
    let kept = admin.upload_file(&media(PICTURE)?).await?;
    let picture = Upload::of(&media(PICTURE)?)?;
    let other = jpeg::with_comment(&picture.bytes, "another");
    let gone = admin.upload(&Upload::new("gone.jpg", other)).await?;
    admin.wait_for_thumbnail(&kept).await?;
    admin.wait_for_thumbnail(&gone).await?;
    admin.wait_until_idle().await?;
    let tag = admin.post("/api/tags", &json!({ "name": "empty" })).await?.expect(201)?.json()?;
    let tag = tag["id"].as_str().context("no id")?.to_owned();
    ensure!(originals(data)? == 2, "{} originals", originals(data)?);

    let pool = database::connect(data).await?;
    let held = hold(&pool).await?;
    let ids = json!({ "ids": [gone], "force": true });
    admin.delete("/api/assets", &ids).await?.expect(204)?;
    admin.post("/api/jobs", &json!({ "name": "tag-cleanup" })).await?.expect(204)?;
    let again = json!({ "command": "start", "force": true });
    let answer = admin.put("/api/jobs/thumbnailGeneration", &again).await?.expect(200)?.json()?;
    ensure!(answer["jobCounts"]["active"] == 1, "{answer}");
    let queues = admin.get_json("/api/jobs").await?;
    let background = &queues["backgroundTask"];
    ensure!(background["jobCounts"]["active"] == 1, "{background}");
    ensure!(background["queueStatus"]["isActive"] == true, "{background}");
    let listed = admin.get_json("/api/queues/backgroundTask/jobs?status=active").await?;
    ensure!(listed[0]["name"] == "TagCleanup", "{listed}");
    crash::delete_stream(data).await?;
    Ok(Asked { kept, tag, held })
}

/// Everything happened, and once.
async fn ensure_done_once(
    admin: &Client,
    data: &Path,
    (kept, tag): (&str, &str),
) -> anyhow::Result<()> {
    until("the files of what was purged to be gone", SOON, async || {
        Ok((originals(data)? == 1).then_some(()))
    })
    .await?;
    admin.wait_until_idle().await?;
    let tags = admin.get_json("/api/tags").await?;
    ensure!(!tags.to_string().contains(tag), "the empty tag is there: {tags}");
    let pool = database::connect(data).await?;
    let count = async |event_type: &str| -> anyhow::Result<i64> {
        let sql = "select count(*) from log.events where type = $1";
        Ok(sqlx::query_scalar(sql).bind(event_type).fetch_one(&pool).await?)
    };
    ensure!(count("QueueRequestDone").await? == 2, "not two requests are done");
    ensure!(count("TagDeleted").await? == 1, "the tag was not deleted once");
    let history = admin.history(kept).await?;
    let times = |name: &str| history.iter().filter(|event| event["type"] == name).count();
    ensure!(times("AssetProcessingRequested") == 1, "{history:?}");
    ensure!(times("AssetThumbnailsRecorded") == 2, "{history:?}");
    until("no errand to be left", SOON, async || {
        let left: i64 =
            sqlx::query_scalar("select count(*) from work.errands").fetch_one(&pool).await?;
        Ok((left == 0).then_some(()))
    })
    .await?;
    pool.close().await;
    Ok(())
}

fn originals(data: &Path) -> anyhow::Result<usize> {
    files_under(&data.join("library"))
}

fn files_under(folder: &Path) -> anyhow::Result<usize> {
    let mut count = 0;
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(0) };
    for entry in entries {
        let entry = entry?;
        count += if entry.file_type()?.is_dir() { files_under(&entry.path())? } else { 1 };
    }
    Ok(count)
}

#[tokio::test]
async fn work_that_no_asset_waits_for_outlives_the_stream() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let data = server.data();
        let Asked { kept, tag, held } = ask(&admin, &data).await?;
        held.rollback().await?;
        ensure_done_once(&admin, &data, (&kept, &tag)).await
    })
    .await
}

#[tokio::test]
async fn work_that_no_asset_waits_for_outlives_the_stream_and_the_server() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let data = server.data();
        let Asked { kept, tag, held } = ask(&admin, &data).await?;
        server.kill(Victim::Server).await?;
        // Its database goes with it.
        drop(held);
        server.go_on().await?;
        ensure_done_once(&admin, &data, (&kept, &tag)).await
    })
    .await
}
