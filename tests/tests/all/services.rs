//! Models on other machines: asked in order, believed only where they make sense, and done without where they are
//! away.

use anyhow::{Context as _, ensure};
use calotype_tests::client::WORK_LIMIT;
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, story};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const PLATE: &str = "ocr/plate_alaska.jpg";
const SIGN: &str = "ocr/sign_no_litter_japanese.jpg";
const CAT: &str = "photos/scenes/cat_chelsea.png";
/// Nobody listens there: the port for discarding.
const NOBODY: &str = "http://127.0.0.1:9";

/// What a machine says to `GET /ping` and to everything else; to what it says nothing it hangs.
#[derive(Clone, Copy)]
struct Manner {
    ping: Option<&'static str>,
    predict: &'static str,
}

/// A machine that is no service; its address.
async fn machine(manner: Manner) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    drop(tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            drop(tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = connection.read_u8().await else { return };
                    head.push(byte);
                }
                let is_ping = head.starts_with(b"GET /ping ");
                let Some(body) = (if is_ping { manner.ping } else { Some(manner.predict) }) else {
                    return std::future::pending().await;
                };
                let length = body.len();
                // It takes one request a connection.
                let answer = format!(
                    "HTTP/1.1 200 so\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
                );
                connection.write_all(answer.as_bytes()).await.ok();
                // Reads what is still said, so that the answer is heard.
                let mut rest = [0; 4_096];
                while connection.read(&mut rest).await.is_ok_and(|count| count > 0) {}
            }));
        }
    }));
    Ok(format!("http://{address}"))
}

async fn ask(admin: &Client, urls: &[String]) -> anyhow::Result<()> {
    let mut config = admin.get_json("/api/system-config").await?;
    config["machineLearning"]["urls"] = json!(urls);
    config["machineLearning"]["availabilityChecks"] =
        json!({ "enabled": true, "timeout": 1_000, "interval": 1_000 });
    admin.put("/api/system-config", &config).await?.expect(200).map(drop)
}

async fn texts(client: &Client, asset: &str) -> anyhow::Result<String> {
    let lines = client.get_json(&format!("/api/assets/{asset}/ocr")).await?;
    let lines = lines.as_array().context("no list")?;
    Ok(lines.iter().filter_map(|line| line["text"].as_str()).collect::<Vec<_>>().join(" "))
}

async fn first_found(client: &Client, words: &str) -> anyhow::Result<Value> {
    let answer = client.post("/api/search/smart", &json!({ "query": words })).await?;
    Ok(answer.expect(200)?.json()?["assets"]["items"][0]["originalFileName"].clone())
}

/// Nothing was given up in the queues that models do.
async fn ensure_nothing_failed(admin: &Client) -> anyhow::Result<()> {
    let queues = admin.get_json("/api/jobs").await?;
    for queue in ["ocr", "smartSearch"] {
        ensure!(queues[queue]["jobCounts"]["failed"] == 0, "{queue}: {queues}");
    }
    Ok(())
}

#[tokio::test]
async fn another_machine_looks_and_reads_and_nothing_is_lost_while_it_is_away() -> anyhow::Result<()>
{
    let arguments = ["--roles", "ml"].map(str::to_owned).to_vec();
    let seeing = Options { testing: false, arguments, models: true, ..Options::default() };
    story(seeing, async |other| {
        story(Options::default(), async |server| {
            let admin = server.client().sign_up().await?;
            ask(&admin, &[NOBODY.to_owned(), other.url()]).await?;
            let features = admin.get_json("/api/server/features").await?;
            ensure!(features["ocr"] == true && features["smartSearch"] == true, "{features}");
            let plate = admin.upload_file(&media(PLATE)?).await?;
            admin.upload_file(&media(CAT)?).await?;
            admin.wait_until_idle().await?;
            ensure!(texts(&admin, &plate).await?.contains("ALASKA"), "it was not read");
            ensure!(
                first_found(&admin, "a cat").await? == "cat_chelsea.png",
                "it was not looked at"
            );
            let events = admin.history(&plate).await?;
            let read = events.iter().find(|event| event["type"] == "AssetTextRead");
            let said = read.map(|event| event["sentence"].to_string()).unwrap_or_default();
            ensure!(said.contains("PP-OCRv6_tiny"), "{events:?}");

            other.terminate().await?;
            let sign = admin.upload_file(&media(SIGN)?).await?;
            admin.wait_for_thumbnail(&sign).await?;
            until("it to wait for the other machine", WORK_LIMIT, async || {
                let queues = admin.get_json("/api/jobs").await?;
                let counts = &queues["ocr"]["jobCounts"];
                let open = counts["waiting"].as_i64().unwrap_or_default()
                    + counts["active"].as_i64().unwrap_or_default();
                Ok((open == 1).then_some(()))
            })
            .await?;
            ensure_nothing_failed(&admin).await?;
            other.go_on().await?;
            ask(&admin, &[other.url()]).await?;
            admin.wait_until_idle().await?;
            ensure!(texts(&admin, &sign).await?.contains("MINATO"), "it was not read");
            ensure_nothing_failed(&admin).await
        })
        .await
    })
    .await
}

#[tokio::test]
async fn machines_that_hang_or_lie_cost_nothing_but_time() -> anyhow::Result<()> {
    story(Options { models: true, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let says = |ping, predict| machine(Manner { ping, predict });
        let urls = [
            says(None, "").await?,
            says(Some("no"), "").await?,
            says(Some("pong"), "<html>").await?,
            says(Some("pong"), r#"{"clip": "[NaN, 1]", "ocr": {"text": ["a"], "box": []}}"#)
                .await?,
            says(
                Some("pong"),
                r#"{"clip": "[]", "ocr": {"text": ["A LIE"], "box": [0, 0, 0, 0, 0, 0, 0],
                "boxScore": [0.9], "textScore": [0.9]}}"#,
            )
            .await?,
            "no address".to_owned(),
            NOBODY.to_owned(),
        ];
        ask(&admin, &urls).await?;
        let plate = admin.upload_file(&media(PLATE)?).await?;
        admin.upload_file(&media(CAT)?).await?;
        admin.wait_until_idle().await?;
        let words = texts(&admin, &plate).await?;
        ensure!(words.contains("ALASKA") && !words.contains("LIE"), "{words}");
        ensure!(first_found(&admin, "a cat").await? == "cat_chelsea.png", "it was not looked at");
        ensure_nothing_failed(&admin).await
    })
    .await
}

#[tokio::test]
async fn people_are_recognised_by_another_machine_s_model_after_a_restart() -> anyhow::Result<()> {
    let arguments = ["--roles", "ml"].map(str::to_owned).to_vec();
    let seeing = Options { testing: false, arguments, models: true, ..Options::default() };
    story(seeing, async |other| {
        story(Options::default(), async |server| {
            let admin = server.client().sign_up().await?;
            ask(&admin, &[other.url()]).await?;
            let order = async |command: &str, force: bool| {
                let body = json!({ "command": command, "force": force });
                admin.put("/api/jobs/facialRecognition", &body).await?.expect(200).map(drop)
            };
            order("pause", false).await?;
            let mut photos = Vec::new();
            for number in 1..=3 {
                let file = media(&format!("faces/obama_{number}.jpg"))?;
                photos.push(admin.upload_file(&file).await?);
            }
            until("faces of nobody", WORK_LIMIT, async || {
                let queues = admin.get_json("/api/jobs").await?;
                let counts = &queues["facialRecognition"]["jobCounts"];
                Ok((counts["paused"] == 3 && counts["waiting"] == 0).then_some(()))
            })
            .await?;
            order("empty", false).await?;
            server.terminate().await?;
            server.go_on().await?;
            order("resume", false).await?;
            // Since the start nobody has asked the other machine anything.
            order("start", true).await?;
            admin.wait_until_idle().await?;
            for photo in &photos {
                let faces = admin.get_json(&format!("/api/faces?id={photo}")).await?;
                ensure!(faces[0]["person"]["id"].is_string(), "nobody was recognised: {faces}");
            }
            Ok(())
        })
        .await
    })
    .await
}
