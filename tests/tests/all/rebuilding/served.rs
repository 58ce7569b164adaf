//! Rebuilds of a running server: ordered over HTTP and from the command line, cut off by a kill, and by nobody but
//! administrators.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::binary::run;
use calotype_tests::media::media;
use calotype_tests::server::Victim;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, database, story};
use reqwest::Method;
use serde_json::{Value, json};

use super::tables_in;

/// How long a rebuild may take to get somewhere.
const SOON: Duration = Duration::from_secs(60);
/// So slow that it does not end by itself while somebody looks.
const SLOW: u32 = 1;

const REBUILD: &str = "/api/calotype/projections/timeline/rebuild";

async fn rebuild(client: &Client) -> anyhow::Result<Value> {
    client.get_json(REBUILD).await
}

/// Begins one that takes long, and waits until it has begun to take in the log.
async fn begun(client: &Client) -> anyhow::Result<Value> {
    let path = format!("{REBUILD}?wait=false");
    client.post(&path, &json!({ "eventsPerSecondMax": SLOW })).await?.expect(200)?;
    until("the first events", SOON, async || {
        let rebuild = rebuild(client).await?;
        Ok((rebuild["events"].as_i64() > Some(0)).then_some(rebuild))
    })
    .await
}

/// Lets it go on as fast as it can, to its end.
async fn ended(client: &Client) -> anyhow::Result<Value> {
    let go_on = json!({ "isPaused": false, "eventsPerSecondMax": null });
    client.put(REBUILD, &go_on).await?.expect(200)?;
    until("the end", SOON, async || {
        let rebuild = rebuild(client).await?;
        Ok((rebuild["state"] != "running").then_some(rebuild))
    })
    .await
}

#[tokio::test]
async fn rebuild_survives_a_kill_and_shows_what_people_did_meanwhile() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        for round in 0..60 {
            let change = json!({ "isFavorite": round % 2 == 0 });
            admin.put(&format!("/api/assets/{id}"), &change).await?.expect(200)?;
        }
        admin.wait_until_idle().await?;
        let before = begun(&admin).await?;
        ensure!(before["stage"] == "filling" && before["state"] == "running", "{before}");

        // An order waits for the disk, and with it for the batches before it.
        admin.put(REBUILD, &json!({ "eventsPerSecondMax": SLOW })).await?.expect(200)?;

        server.kill(Victim::Server).await?;
        server.go_on().await?;

        let after = rebuild(&admin).await?;
        ensure!(after["state"] == "running" && after["beganAt"] == before["beganAt"], "{after}");
        ensure!(after["events"].as_i64() >= before["events"].as_i64(), "from the start: {after}");
        admin.put(REBUILD, &json!({ "isPaused": true })).await?.expect(200)?;
        let favorite = json!({ "isFavorite": true });
        admin.put(&format!("/api/assets/{id}"), &favorite).await?.expect(200)?;
        ensure!(admin.timeline("isFavorite=true").await? == [id.clone()], "the live one stands still");
        let paused = rebuild(&admin).await?;
        ensure!(paused["state"] == "paused" && paused["secondsLeft"].is_null(), "{paused}");

        let done = ended(&admin).await?;

        ensure!(done["state"] == "done" && done["comparison"]["isSame"] == true, "{done}");
        ensure!(done["events"] == done["position"], "events were read twice or never: {done}");
        ensure!(admin.timeline("isFavorite=true").await? == [id.clone()], "other rows");
        admin.put(&format!("/api/assets/{id}"), &json!({ "isFavorite": false })).await?.expect(200)?;
        ensure!(admin.timeline("isFavorite=true").await?.is_empty(), "it does not go on");

        // The role that serves owns what was made and what is kept, and neither is left to anybody.
        let pool = database::connect(&server.data()).await?;
        let owners: Vec<String> = sqlx::query_scalar(
            "select distinct tableowner::text from pg_tables where schemaname in ('read', 'read_prev')",
        )
        .fetch_all(&pool)
        .await?;
        ensure!(owners == ["calotype_app"], "{owners:?}");
        ensure!(tables_in(&pool, "read_prev").await?.contains(&"timeline_v2".to_owned()));
        pool.close().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn operators_compare_switch_and_go_back() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        for round in 0..60 {
            let change = json!({ "isFavorite": round % 2 == 0 });
            admin.put(&format!("/api/assets/{id}"), &change).await?.expect(200)?;
        }
        admin.wait_until_idle().await?;
        let key = admin.create_secret(&["all"]).await?;
        let url = server.url();
        let cli = async |words: &[&str]| {
            let mut all = vec!["projections", "--server", &url, "--api-key", &key];
            all.extend(words);
            anyhow::Ok(run(&all, "").await?.success().with_context(|| words.join(" "))?.stdout)
        };
        let caption = async || {
            let asset = admin.get_json(&format!("/api/assets/{id}")).await?;
            anyhow::Ok(asset["exifInfo"]["description"].as_str().unwrap_or_default().to_owned())
        };
        ensure!(cli(&["diff", "assets"]).await?.contains("would change nothing"));
        // What is kept in memory goes with what was switched.
        let right = caption().await?;
        let pool = database::connect(&server.data()).await?;
        sqlx::query("update read.assets_v1 set description = 'wrong'").execute(&pool).await?;
        pool.close().await;

        let told = cli(&["diff", "assets"]).await?;
        ensure!(told.contains(&id) && told.contains("description: \"wrong\" live"), "{told}");
        let told: Value = serde_json::from_str(&cli(&["diff", "assets", "--json"]).await?)?;
        ensure!(told["examples"][0]["key"]["asset_id"] == *id, "{told}");
        let rebuilt = cli(&["rebuild", "assets"]).await?;
        ensure!(rebuilt.contains("assets: rebuilt from"), "{rebuilt}");
        ensure!(rebuilt.contains("1 rows differ"), "{rebuilt}");
        ensure!(caption().await? == right, "not mended");
        ensure!(cli(&["list"]).await?.contains("one before is kept"));
        for shown in ["wrong", &right] {
            let back = cli(&["rollback", "assets"]).await?;
            ensure!(back.contains("assets: went back"), "{back}");
            until("the rows of before", SOON, async || {
                Ok((caption().await? == shown).then_some(()))
            })
            .await?;
        }
        let dropped = cli(&["discard", "assets"]).await?;
        ensure!(dropped.contains("what was live before is dropped"), "{dropped}");
        let words = ["projections", "rollback", "assets", "--server", &url, "--api-key", &key];
        let refused = run(&words, "").await?.failure()?;
        ensure!(refused.contains("409") && refused.contains("nothing beside"), "{refused}");

        cli(&["rebuild", "timeline", "--rate", &SLOW.to_string(), "--detach"]).await?;
        let paused = cli(&["pause", "timeline"]).await?;
        ensure!(paused.contains("is paused"), "{paused}");
        let resumed = cli(&["resume", "timeline", "--rate", "100000"]).await?;
        ensure!(resumed.contains("timeline: rebuilt from"), "{resumed}");
        ensure!(cli(&["show", "timeline"]).await?.contains("rebuild is done"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn rebuilds_are_for_administrators() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let friend = admin.create_user("friend@example.com").await?;
        let weak = admin.create_key(&["asset.read"]).await?;
        let routes = [
            (Method::GET, "/api/calotype/projections"),
            (Method::GET, REBUILD),
            (Method::POST, REBUILD),
            (Method::PUT, REBUILD),
            (Method::DELETE, REBUILD),
            (Method::POST, "/api/calotype/projections/timeline/diff"),
            (Method::POST, "/api/calotype/projections/timeline/rollback"),
        ];
        for (method, path) in routes {
            for (who, caller, status) in [
                ("nobody", &server.client(), 401),
                ("a stranger", &friend, 403),
                ("a key", &weak, 403),
            ] {
                let answer = caller.call(method.clone(), path, &json!({})).await?;
                ensure!(answer.status == status, "{method} {path} for {who}: {}", answer.shown());
            }
        }
        let none = "/api/calotype/projections/nobody/rebuild";
        admin.get(none).await?.expect(404)?;
        admin.post(none, &json!({})).await?.expect(404)?;
        admin.get(REBUILD).await?.expect(404)?;
        admin.put(REBUILD, &json!({ "isPaused": true })).await?.expect(409)?;
        admin.delete(REBUILD, &json!({})).await?.expect(409)?;
        admin.post(REBUILD, &json!({ "eventsPerSecondMax": 0 })).await?.expect(400)?;
        admin.post(&format!("{REBUILD}?wait=perhaps"), &json!({})).await?.expect(400)?;
        let done = admin.post(REBUILD, &json!({})).await?.expect(200)?.json()?;
        ensure!(done["state"] == "done", "{done}");
        // A reset leaves nothing of it.
        admin.post("/api/calotype/testing/reset", &json!({})).await?;
        let pool = database::connect(&server.data()).await?;
        ensure!(tables_in(&pool, "read_prev").await?.is_empty(), "tables were left");
        pool.close().await;
        Ok(())
    })
    .await
}
