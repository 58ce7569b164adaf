//! What was deleted for good a moment ago, and that no read model has heard of: its bytes come again, and are kept.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer, Upload, database, story};
use serde_json::json;
use sqlx::{PgPool, Postgres, Transaction};

use crate::organizing::text;

const PICTURE: &str = "photos/edge/rating_1.jpg";
const SOON: Duration = Duration::from_secs(60);

/// Keeps the read models where they are until it is dropped, as if they were far behind.
async fn hold(pool: &PgPool) -> anyhow::Result<Transaction<'static, Postgres>> {
    let mut held = pool.begin().await?;
    sqlx::query("select from work.checkpoints where name not in ('errands', 'relay') for update")
        .execute(&mut *held)
        .await?;
    Ok(held)
}

/// Deletes an asset for good, and puts its file back where it lay: files go some time after their asset.
async fn delete(
    server: &TestServer,
    admin: &Client,
    pool: &PgPool,
    id: &str,
) -> anyhow::Result<()> {
    let asset = admin.get_json(&format!("/api/assets/{id}")).await?;
    let key = text(&asset, "originalPath")?;
    let key = key.strip_prefix("/data/").context("not stored here")?.to_owned();
    let path = server.data().join("library").join(key);
    let bytes = std::fs::read(&path)?;
    // It is not answered with 204, because it still shows.
    admin.delete("/api/assets", &json!({ "ids": [id], "force": true })).await?.expect(503)?;
    let purged: i64 = sqlx::query_scalar(
        "select count(*) from log.events where type = 'AssetPurged' and stream_id = $1",
    )
    .bind(format!("asset-{id}"))
    .fetch_one(pool)
    .await?;
    ensure!(purged == 1, "{id} was not deleted");
    std::fs::write(&path, bytes)?;
    Ok(())
}

#[tokio::test]
async fn bytes_of_what_was_just_deleted_are_taken_as_new() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let upload = Upload::of(&media(PICTURE)?)?;
        let gone = admin.upload(&upload).await?;
        admin.wait_until_idle().await?;
        let sha1 = calotype_tests::answer::sha1_hex(&upload.bytes);
        let pool = database::connect(&server.data()).await?;
        let held = hold(&pool).await?;
        delete(server, &admin, &pool, &gone).await?;

        let body = json!({ "assets": [{ "id": "it", "checksum": sha1 }] });
        let check = "/api/assets/bulk-upload-check";
        let answer = admin.post(check, &body).await?.expect(200)?.json()?;
        ensure!(answer["results"][0]["action"] == "accept", "{answer}");
        let again = upload.clone().header("x-immich-checksum", &sha1);
        let answer = admin.send_upload(&again).await?;
        let answer = answer.expect(201)?.json()?;
        let kept = text(&answer, "id")?.clone();
        ensure!(kept != gone, "{answer}");
        // Without the header the answer is found out after the body.
        let answer = admin.send_upload(&upload).await?.expect(200)?.json()?;
        ensure!(answer == json!({ "status": "duplicate", "id": kept }), "{answer}");

        held.rollback().await?;
        until("the read models to have heard of it", SOON, async || {
            let answer = admin.post(check, &body).await?.expect(200)?.json()?;
            Ok((answer["results"][0]["assetId"] == kept.as_str()).then_some(()))
        })
        .await?;
        admin.get(&format!("/api/assets/{gone}")).await?.expect(400)?;
        admin.wait_for_thumbnail(&kept).await?;
        until("no errand to be left", SOON, async || {
            let left: i64 =
                sqlx::query_scalar("select count(*) from work.errands").fetch_one(&pool).await?;
            Ok((left == 0).then_some(()))
        })
        .await?;
        let original = admin.get(&format!("/api/assets/{kept}/original")).await?.expect(200)?;
        ensure!(original.sha1() == sha1, "the bytes went with what was deleted");
        pool.close().await;
        Ok(())
    })
    .await
}
