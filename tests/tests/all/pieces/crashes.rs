//! Lines that break, servers that are killed, uploads that nobody goes on with.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::answer::sha1_hex;
use calotype_tests::server::Victim;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer, database, story};
use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::{PIECE, append, begin, metadata, offset, photo, tus};
use crate::imports::originals;

/// How long something may take to be seen.
const SOON: Duration = Duration::from_secs(60);
/// What of a piece comes before its line breaks, in bytes: enough that some of it is written.
const COME: usize = 600_000;
/// What of a piece is durable at least every so many bytes.
const SYNC_BYTES: usize = 16 << 20;

/// Sends the beginning of a piece, and keeps the line open.
async fn half_a_piece(
    server: &TestServer,
    key: &str,
    place: &str,
    (offset, length): (usize, usize),
    bytes: &[u8],
) -> anyhow::Result<TcpStream> {
    let address = server.url().trim_start_matches("http://").to_owned();
    let mut line = TcpStream::connect(&address).await?;
    let head = format!(
        "PATCH {place} HTTP/1.1\r\nhost: {address}\r\nx-api-key: {key}\r\ntus-resumable: 1.0.0\r\n\
         content-type: {PIECE}\r\nupload-offset: {offset}\r\ncontent-length: {length}\r\n\r\n"
    );
    line.write_all(head.as_bytes()).await?;
    line.write_all(bytes).await?;
    line.flush().await?;
    Ok(line)
}

/// The rest of an upload; says which asset it became.
async fn finish(client: &Client, place: &str, bytes: &[u8]) -> anyhow::Result<String> {
    let come = offset(client, place).await?;
    let done = append(client, place, come, &bytes[come..]).await?.expect(204)?;
    let id = done.header("calotype-asset-id").to_owned();
    let original = client.get(&format!("/api/assets/{id}/original")).await?.expect(200)?;
    ensure!(original.sha1() == sha1_hex(bytes), "other bytes came back");
    Ok(id)
}

#[tokio::test]
async fn what_came_before_a_line_broke_counts() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let bytes = photo(1, 1_000_000)?;
        let place = begin(&admin, bytes.len(), &metadata(&[("filename", "a.jpg")])).await?;
        let line = half_a_piece(server, &key, &place, (0, bytes.len()), &bytes[..COME]).await?;
        let file = place.rsplit('/').next().context("no id")?;
        let file = server.data().join("tmp/uploads").join(file);
        until("a part of the piece to be written", SOON, async || {
            Ok(std::fs::metadata(&file).is_ok_and(|it| it.len() > 0).then_some(()))
        })
        .await?;
        // One request at a time is at it.
        append(&admin, &place, 0, b"").await?.expect(423)?;
        admin.send(tus(&admin, Method::DELETE, &place)).await?.expect(423)?;
        drop(line);
        until("what came to count", SOON, async || {
            Ok((offset(&admin, &place).await? == COME).then_some(()))
        })
        .await?;
        finish(&admin, &place, &bytes).await?;
        admin.wait_until_idle().await
    })
    .await
}

#[tokio::test]
async fn what_a_killed_server_said_is_there_is_there() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let bytes = photo(2, SYNC_BYTES + 3_000_000)?;
        let place = begin(&admin, bytes.len(), &metadata(&[("filename", "a.jpg")])).await?;
        append(&admin, &place, 0, &bytes[..100_000]).await?.expect(204)?;
        let come = SYNC_BYTES + 1_500_000;
        let length = bytes.len() - 100_000;
        let line =
            half_a_piece(server, &key, &place, (100_000, length), &bytes[100_000..come]).await?;
        let before = until("a part of the piece to be durable", SOON, async || {
            let offset = offset(&admin, &place).await?;
            Ok((offset >= SYNC_BYTES).then_some(offset))
        })
        .await?;
        server.kill(Victim::Server).await?;
        drop(line);
        server.go_on().await?;
        let after = offset(&admin, &place).await?;
        ensure!(after >= before && after <= come, "{before} was told before, and {after} after");
        let file = place.rsplit('/').next().context("no id")?;
        let on_disk = std::fs::metadata(server.data().join("tmp/uploads").join(file))?.len();
        ensure!(on_disk >= u64::try_from(after)?, "{after} was told, and {on_disk} is on the disk");
        let id = finish(&admin, &place, &bytes).await?;

        // Killed between the event and its note: who asks next finds it done, and nothing is doubled.
        let database = database::connect(&server.data()).await?;
        sqlx::query("update work.uploads set finished_at = null, asset_id = null, is_new = null")
            .execute(&database)
            .await?;
        std::fs::write(server.data().join("tmp/uploads").join(file), &bytes)?;
        let told = admin.send(tus(&admin, Method::HEAD, &place)).await?.expect(200)?;
        ensure!(told.header("calotype-asset-id") == id, "{:?}", told.headers);
        ensure!(told.header("calotype-asset-status") == "duplicate", "{:?}", told.headers);
        let count = admin.get_json("/api/assets/statistics").await?;
        ensure!(count["total"] == 1, "{count}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn upload_that_nobody_goes_on_with_is_forgotten() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let said = metadata(&[("filename", "a.jpg")]);
        let bytes = photo(3, 0)?;
        let (over, kept) =
            (begin(&admin, bytes.len(), &said).await?, begin(&admin, bytes.len(), &said).await?);
        for place in [&over, &kept] {
            append(&admin, place, 0, &bytes[..500]).await?.expect(204)?;
        }
        let database = database::connect(&server.data()).await?;
        let id = |place: &str| place.rsplit('/').next().unwrap_or_default().to_owned();
        sqlx::query("update work.uploads set expires_at = now() - interval '1 hour' where upload_id = $1::uuid")
            .bind(id(&over))
            .execute(&database)
            .await?;
        admin.send(tus(&admin, Method::HEAD, &over)).await?.expect(404)?;
        append(&admin, &over, 500, &bytes[500..]).await?.expect(404)?;
        let file = |place: &str| server.data().join("tmp/uploads").join(id(place));
        let (gone, there) = (file(&over), file(&kept));
        ensure!(gone.exists() && there.exists());
        // House is kept when the server starts.
        server.kill(Victim::Server).await?;
        server.go_on().await?;
        until("the bytes to be removed", SOON, async || Ok((!gone.exists()).then_some(()))).await?;
        ensure!(there.exists(), "another upload went with it");
        finish(&admin, &kept, &bytes).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn files_that_a_closed_batch_left_are_removed_after_a_day() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let mut batches = Vec::new();
        for number in 0..2_u32 {
            let opened = admin.post("/api/calotype/batches", &json!({})).await?.expect(201)?.json()?;
            let path =
                format!("/api/calotype/batches/{}", opened["id"].as_str().context("no batch")?);
            let mut files = Vec::new();
            for file in 0..2_u32 {
                let bytes = photo(10 * number + file, 0)?;
                let (sha1, blake3) = (sha1_hex(&bytes), blake3::hash(&bytes).to_hex().to_string());
                let name = json!({ "files": [{ "sha1": sha1, "blake3": blake3, "extension": "jpg" }] });
                admin.post(&format!("{path}/check"), &name).await?.expect(200)?;
                let put = format!("{path}/files/{sha1}?blake3={blake3}&extension=jpg");
                admin.send(admin.request(Method::PUT, &put).body(bytes)).await?.expect(204)?;
                files.push((sha1, blake3));
            }
            batches.push((path, files));
        }
        let (closed, files) = &batches[0];
        let (sha1, blake3) = &files[0];
        let wish = json!({ "files": [{
            "sha1": sha1, "blake3": blake3, "fileName": "a.jpg",
            "fileCreatedAt": "2024-01-02T03:04:05.000Z",
            "fileModifiedAt": "2024-01-02T03:04:05.000Z",
        }] });
        admin.post(&format!("{closed}/commit"), &wish).await?.expect(200)?;
        admin.post(&format!("{closed}/close"), &json!({})).await?.expect(200)?;
        let there = originals(server)?.len();
        ensure!(there == 4, "{there} originals");
        let database = database::connect(&server.data()).await?;
        let waiting: i64 = sqlx::query_scalar("select count(*) from work.batch_files")
            .fetch_one(&database)
            .await?;
        ensure!(waiting == 3, "{waiting} files wait");
        for statement in [
            "update work.batch_files set expected_at = now() - interval '2 days'",
            "update read.batches_v1 set closed_at = now() - interval '2 days' where closed_at is not null",
        ] {
            sqlx::query(statement).execute(&database).await?;
        }
        let data = server.data();
        server.kill(Victim::Server).await?;
        server.go_on().await?;
        let database = database::connect(&data).await?;
        until("what was left to be removed", SOON, async || {
            let waiting: i64 = sqlx::query_scalar("select count(*) from work.batch_files")
                .fetch_one(&database)
                .await?;
            Ok((waiting == 2).then_some(()))
        })
        .await?;
        let kept = admin.get_json("/api/assets/statistics").await?;
        ensure!(kept["total"] == 1, "{kept}");
        let mut status = Vec::new();
        for (path, files) in &batches {
            for (sha1, blake3) in files {
                let name = json!({ "files": [{ "sha1": sha1, "blake3": blake3, "extension": "jpg" }] });
                let told = admin.post(&format!("{path}/check"), &name).await?.expect(200)?.json()?;
                status.push(told["files"][0]["status"].as_str().unwrap_or_default().to_owned());
            }
        }
        ensure!(status == ["committed", "missing", "uploaded", "uploaded"], "{status:?}");
        Ok(())
    })
    .await
}
