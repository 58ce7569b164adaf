//! What is locked at the very moment at which it is shared is shared with nobody, also when it comes out again.

use anyhow::{Context as _, ensure};
use calotype_tests::client::WORK_LIMIT;
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Answer, Client, Options, TestServer, database, story};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::lost_access::{made, photo};

/// Without the reset of tests a command that takes access away is not waited for longer than elsewhere.
fn options() -> Options {
    Options { testing: false, ..Options::default() }
}

/// Locks an asset while the read models stand still, asks for something that shares it, and lets them go on when
/// `written` is in the log; says what was answered.
async fn locked_while(
    server: &TestServer,
    owner: &Client,
    asset: &str,
    (method, path, body): (Method, &str, Value),
    written: &str,
) -> anyhow::Result<Answer> {
    let pool = database::connect(&server.data()).await?;
    let counted = "select count(*) from log.events where type = $1";
    let before: i64 = sqlx::query_scalar(counted).bind(written).fetch_one(&pool).await?;
    let mut held = pool.begin().await?;
    sqlx::query("select from work.checkpoints for update").execute(&mut *held).await?;
    let locked = json!({ "visibility": "locked" });
    owner.put(&format!("/api/assets/{asset}"), &locked).await?.expect(503)?;
    let release = async {
        until(written, WORK_LIMIT, async || {
            let now: i64 = sqlx::query_scalar(counted).bind(written).fetch_one(&pool).await?;
            Ok((now > before).then_some(()))
        })
        .await?;
        held.rollback().await?;
        anyhow::Ok(())
    };
    let (answer, released) = tokio::join!(owner.call(method, path, &body), release);
    released?;
    pool.close().await;
    answer
}

/// Takes an asset out from behind the PIN.
async fn show_again(owner: &Client, asset: &str) -> anyhow::Result<()> {
    let pin = json!({ "pinCode": "123456" });
    owner.post("/api/auth/session/unlock", &pin).await?.expect(204)?;
    let back = json!({ "visibility": "timeline" });
    owner.put(&format!("/api/assets/{asset}"), &back).await?.expect(200).map(drop)
}

async fn set_pin(owner: &Client) -> anyhow::Result<()> {
    let pin = json!({ "pinCode": "123456" });
    owner.post("/api/auth/pin-code", &pin).await?.expect(204).map(drop)
}

async fn shown_by(owner: &Client, link: &Value) -> anyhow::Result<Value> {
    let path = format!("/api/shared-links/{}", link["id"].as_str().context("no id")?);
    Ok(owner.get_json(&path).await?["assets"].clone())
}

async fn in_album(owner: &Client, album: &str) -> anyhow::Result<Value> {
    Ok(owner.get_json(&format!("/api/albums/{album}")).await?["assetCount"].clone())
}

#[tokio::test]
async fn a_new_link() -> anyhow::Result<()> {
    story(options(), async |server| {
        let owner = server.client().sign_up().await?;
        let asset = photo(&owner).await?;
        set_pin(&owner).await?;
        let wish = json!({ "type": "INDIVIDUAL", "assetIds": [asset] });

        let asked = (Method::POST, "/api/shared-links", wish);
        let answer = locked_while(server, &owner, &asset, asked, "SharedLinkCreated").await?;

        let link = answer.expect(201)?.json()?;
        ensure!(link["assets"] == json!([]), "{link}");
        show_again(&owner, &asset).await?;
        let shown = shown_by(&owner, &link).await?;
        ensure!(shown == json!([]), "the link shows it: {shown}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_copy_that_takes_another_s_place() -> anyhow::Result<()> {
    story(options(), async |server| {
        let owner = server.client().sign_up().await?;
        let source = photo(&owner).await?;
        let target = owner.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        owner.wait_until_idle().await?;
        set_pin(&owner).await?;
        let album = json!({ "albumName": "A", "assetIds": [source] });
        let album = made(&owner, "/api/albums", album).await?;
        let link = json!({ "type": "INDIVIDUAL", "assetIds": [source] });
        let link = owner.post("/api/shared-links", &link).await?.expect(201)?.json()?;
        let wish = json!({ "sourceId": source, "targetId": target });

        let asked = (Method::PUT, "/api/assets/copy", wish);
        let answer = locked_while(server, &owner, &target, asked, "SharedLinkAssetsAdded").await?;

        answer.expect(204)?;
        show_again(&owner, &target).await?;
        let inside = in_album(&owner, &album).await?;
        ensure!(inside == json!(1), "{inside} are in the album");
        let shown = shown_by(&owner, &link).await?;
        let shown = shown.as_array().context("no assets")?;
        ensure!(shown.len() == 1, "the link shows it: {shown:?}");
        Ok(())
    })
    .await
}

/// The correlation id of the last request that recorded an event.
async fn last_request(server: &TestServer, event_type: &str) -> anyhow::Result<Uuid> {
    let pool = database::connect(&server.data()).await?;
    let sql = "select correlation_id from log.events where type = $1 order by recorded_at desc";
    let id = sqlx::query_scalar(sql).bind(event_type).fetch_one(&pool).await?;
    pool.close().await;
    Ok(id)
}

#[tokio::test]
async fn what_an_undo_gives_back() -> anyhow::Result<()> {
    story(options(), async |server| {
        let owner = server.client().sign_up().await?;
        let asset = photo(&owner).await?;
        let other = owner.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        owner.wait_until_idle().await?;
        set_pin(&owner).await?;
        let album = json!({ "albumName": "A", "assetIds": [other] });
        let album = made(&owner, "/api/albums", album).await?;
        let link = json!({ "type": "INDIVIDUAL", "assetIds": [other] });
        let link = owner.post("/api/shared-links", &link).await?.expect(201)?.json()?;
        let of_album = format!("/api/albums/{album}/assets");
        let of_link = format!("/api/shared-links/{}/assets", link["id"].as_str().context("no id")?);
        let ids = |of: &str, id: &str| {
            if of == of_album { json!({ "ids": [id] }) } else { json!({ "assetIds": [id] }) }
        };
        // Locked and shared while the read models stand still: nobody looks again.
        let pool = database::connect(&server.data()).await?;
        let mut held = pool.begin().await?;
        sqlx::query("select from work.checkpoints for update").execute(&mut *held).await?;
        let locked = json!({ "visibility": "locked" });
        owner.put(&format!("/api/assets/{asset}"), &locked).await?.expect(503)?;
        for path in [&of_album, &of_link] {
            owner.put(path, &ids(path, &asset)).await?.expect(503)?;
        }
        held.rollback().await?;
        pool.close().await;

        for (path, removed) in
            [(&of_album, "AlbumAssetsRemoved"), (&of_link, "SharedLinkAssetsRemoved")]
        {
            owner.delete(path, &ids(path, &other)).await?.expect(200)?;
            let wish = json!({ "commandId": last_request(server, removed).await? });
            owner.post("/api/calotype/undo", &wish).await?.expect(200)?;
        }

        show_again(&owner, &asset).await?;
        ensure!(in_album(&owner, &album).await? == json!(1), "it is in the album");
        let shown = shown_by(&owner, &link).await?;
        let shown = shown.as_array().context("no assets")?;
        ensure!(shown.len() == 1, "the link shows it: {shown:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_nobody_could_look_at_again() -> anyhow::Result<()> {
    story(options(), async |server| {
        let owner = server.client().sign_up().await?;
        let asset = photo(&owner).await?;
        set_pin(&owner).await?;
        let album = json!({ "albumName": "A", "assetIds": [] });
        let album = made(&owner, "/api/albums", album).await?;
        let pool = database::connect(&server.data()).await?;
        let mut held = pool.begin().await?;
        sqlx::query("select from work.checkpoints for update").execute(&mut *held).await?;
        let locked = json!({ "visibility": "locked" });
        owner.put(&format!("/api/assets/{asset}"), &locked).await?.expect(503)?;
        let into = format!("/api/albums/{album}/assets");
        owner.put(&into, &json!({ "ids": [asset] })).await?.expect(503)?;
        held.rollback().await?;
        pool.close().await;
        until("the lock to show", WORK_LIMIT, async || {
            let shown = owner.get(&format!("/api/assets/{asset}")).await?;
            Ok((shown.status == 401 || shown.status == 400).then_some(()))
        })
        .await?;

        show_again(&owner, &asset).await?;

        ensure!(in_album(&owner, &album).await? == json!(0), "it is in the album");
        let history = owner.get_json(&format!("/api/calotype/albums/{album}/history")).await?;
        ensure!(history.to_string().contains("AlbumAssetsRemoved"), "never put in: {history}");
        Ok(())
    })
    .await
}
