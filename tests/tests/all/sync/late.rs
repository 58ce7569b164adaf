//! What a read model could not apply and applies later: phones that were past it end with what REST shows.

use anyhow::{Context as _, ensure};
use calotype_tests::client::WORK_LIMIT;
use calotype_tests::media::media;
use calotype_tests::phone::{Ended, Phone};
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer, Upload, database, story};
use serde_json::json;
use sqlx::AssertSqlSafe;

use super::compare::ensure_shows_what_rest_shows;

/// Somebody's photo with the phones of those who see it.
struct Shown {
    owner: Client,
    asset: String,
    phones: Vec<Phone>,
}

async fn shown(server: &TestServer) -> anyhow::Result<Shown> {
    let owner = server.client().sign_up().await?;
    let partner = owner.create_user("partner@example.com").await?;
    let sharing = json!({ "sharedWithId": partner.my_id().await? });
    owner.post("/api/partners", &sharing).await?.expect(201)?;
    let picture = std::fs::read(media("photos/edge/rating_1.jpg")?)?;
    let asset = owner.upload(&Upload::new("a.jpg", picture)).await?;
    owner.wait_until_idle().await?;
    let mut phones = vec![Phone::of(owner.clone()).await?, Phone::of(partner).await?];
    for phone in &mut phones {
        phone.sync_whole().await?;
    }
    Ok(Shown { owner, asset, phones })
}

/// Changes the photo while a table refuses it, lets the phones go past that, and then lets the table have it.
async fn apply_late(server: &TestServer, shown: &mut Shown, table: &str) -> anyhow::Result<String> {
    let pool = database::connect(&server.data()).await?;
    let Shown { owner, asset, phones } = shown;
    let refuse =
        format!("alter table read.{table} add constraint no check (visibility <> 'archive')");
    sqlx::query(AssertSqlSafe(refuse)).execute(&pool).await?;
    let path = format!("/api/assets/{asset}");
    // It takes access away: a read model that still shows what was before may not be silent about it.
    let answer = owner.put(&path, &json!({ "visibility": "archive" })).await?;
    ensure!(matches!(answer.status, 200 | 503), "{}", answer.shown());
    let stream = format!("asset-{asset}");
    until("the change to be put aside", WORK_LIMIT, async || {
        let waits = "select exists (select from work.parked where stream_id = $1)";
        let waits: bool = sqlx::query_scalar(waits).bind(&stream).fetch_one(&pool).await?;
        Ok(waits.then_some(()))
    })
    .await?;
    owner.put("/api/users/me", &json!({ "name": table })).await?.expect(200)?;
    for phone in phones {
        ensure!(phone.sync(None).await? == Ended::Whole, "a reset for nothing");
    }
    let allow = format!("alter table read.{table} drop constraint no");
    sqlx::query(AssertSqlSafe(allow)).execute(&pool).await?;
    Ok(stream)
}

async fn ensure_phones_agree(shown: &mut Shown) -> anyhow::Result<()> {
    for phone in &mut shown.phones {
        ensure!(phone.sync(None).await? == Ended::Reset, "the phone goes on without it");
        phone.sync_whole().await?;
        ensure_shows_what_rest_shows(phone).await?;
        ensure!(phone.sync(None).await? == Ended::Whole, "a second reset");
    }
    let held = shown.phones[0].table("asset");
    let held = &held.get(&shown.asset).context("the photo is gone")?["visibility"];
    ensure!(*held == "archive", "the owner's phone has it {held}");
    ensure!(shown.phones[1].table("asset").is_empty(), "the partner's phone still has it");
    Ok(())
}

async fn ensure_told_after_retry(table: &str) -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let mut shown = shown(server).await?;
        let stream = apply_late(server, &mut shown, table).await?;

        let path = format!("/api/calotype/parked/{stream}/retry");
        shown.owner.post(&path, &json!({})).await?.expect(200)?;

        ensure_phones_agree(&mut shown).await?;
        let path = "/api/calotype/projections/sync/rebuild";
        shown.owner.post(path, &json!({})).await?.expect(200)?;
        for phone in &mut shown.phones {
            ensure!(phone.sync(None).await? == Ended::Whole, "a reset for nothing");
            ensure_shows_what_rest_shows(phone).await.context("after a rebuild")?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn phones_hear_of_what_the_change_log_applies_late() -> anyhow::Result<()> {
    ensure_told_after_retry("sync_assets_v2").await
}

#[tokio::test]
async fn phones_hear_of_what_another_read_model_applies_late() -> anyhow::Result<()> {
    ensure_told_after_retry("assets_v1").await
}

#[tokio::test]
async fn phones_hear_of_what_a_rebuild_applies_late() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let mut shown = shown(server).await?;
        apply_late(server, &mut shown, "assets_v1").await?;

        let path = "/api/calotype/projections/assets/rebuild";
        shown.owner.post(path, &json!({})).await?.expect(200)?;

        ensure_phones_agree(&mut shown).await
    })
    .await
}
