//! An external library: until its files are assets, and until they are gone again with all that was known of them.

use std::fs;
use std::time::{Duration, Instant};

use calotype_tests::jpeg::with_comment;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer, database};
use reqwest::Method;
use serde_json::json;

use crate::cpu::Used;
use crate::figures;
use crate::pictures::{Kind, synthesize};

/// Files of the library.
const FILES: u32 = 5_000;
/// How long its deletion may take until nothing is left to do, in seconds.
const DELETED_S: f64 = 15.0;
/// How long anything may take before it counts as stuck.
const STUCK_AFTER: Duration = Duration::from_secs(600);
/// Queues that would make pictures: paused, because what is measured is the library itself.
const PAUSED: [&str; 4] = ["metadataExtraction", "thumbnailGeneration", "sidecar", "smartSearch"];

/// Measures.
pub(crate) async fn measure() -> anyhow::Result<()> {
    figures::group(&format!("an external library of {FILES} files"));
    let mut server = TestServer::start(Options::default()).await?;
    let admin = server.client().sign_up().await?;
    for queue in PAUSED {
        let pause = json!({ "isPaused": true });
        admin.put(&format!("/api/queues/{queue}"), &pause).await?.expect(200)?;
    }
    let folder = server.scratch().join("photos");
    fs::create_dir(&folder)?;
    let picture = synthesize(Kind::Small, 1)?;
    for number in 0..FILES {
        let bytes = with_comment(&picture, &number.to_string());
        fs::write(folder.join(format!("{number}.jpg")), bytes)?;
    }
    let body = json!({ "ownerId": admin.my_id().await?, "name": "Attic", "importPaths": [folder] });
    let library = admin.post("/api/libraries", &body).await?.expect(201)?.json()?;
    let path = format!("/api/libraries/{}", library["id"].as_str().unwrap_or_default());

    let (begun, before) = (Instant::now(), Used::by(&server)?);
    admin.post(&format!("{path}/scan"), &json!({})).await?.expect(204)?;
    wait_for_assets(&admin, FILES).await?;
    note("scanned", begun, before, &server)?;

    let (begun, before) = (Instant::now(), Used::by(&server)?);
    admin.call(Method::DELETE, &path, &json!({})).await?.expect(204)?;
    figures::note("deletion asked for, until its answer", begun.elapsed().as_secs_f64(), "s");
    wait_for_assets(&admin, 0).await?;
    note("deleted, until no asset shows", begun, before, &server)?;
    wait_for_errands(&server).await?;
    let took = begun.elapsed().as_secs_f64();
    figures::at_most("deleted, until nothing is left to do", took, DELETED_S, "s");
    note("the same", begun, before, &server)?;
    server.terminate().await?;
    Ok(())
}

async fn wait_for_assets(admin: &Client, count: u32) -> anyhow::Result<()> {
    until("the assets of the library", STUCK_AFTER, async || {
        let counts = admin.get_json("/api/assets/statistics").await?;
        Ok((counts["total"] == count).then_some(()))
    })
    .await
}

/// Waits until what follows from every deletion is done: their files are looked for, and their keys let go.
async fn wait_for_errands(server: &TestServer) -> anyhow::Result<()> {
    let pool = database::connect(&server.data()).await?;
    until("the errands of the deletion", STUCK_AFTER, async || {
        let left: bool = sqlx::query_scalar(
            "select exists (select from work.errands)
                 or (select position from work.checkpoints where name = 'errands')
                    < (select max(position.position) from log.positions as position
                         join log.events as event using (event_id)
                        where event.type = 'AssetPurged')",
        )
        .fetch_one(&pool)
        .await?;
        Ok((!left).then_some(()))
    })
    .await?;
    pool.close().await;
    Ok(())
}

fn note(what: &str, begun: Instant, before: Used, server: &TestServer) -> anyhow::Result<()> {
    let took = begun.elapsed().as_secs_f64();
    let cpu = Used::by(server)?.since(before).as_secs_f64();
    figures::note(what, took, "s");
    figures::note(&format!("{what}, processor time"), cpu, "s");
    Ok(())
}
