//! Large files on their way: over a line that takes no long bodies and breaks, by an importer that is killed, to a server
//! that has lost what it had.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::answer::sha1_hex;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer, database, story};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::proxy::head_of;
use super::{count, folder, importer, originals, picture, run, stored, summary};

/// The longest body that passes the line.
const BODY_BYTES_MAX: usize = 100_000;
/// Of so many chunks one breaks off in its middle.
const BREAKS_EVERY: usize = 4;
/// How long something may take to be seen.
const SOON: Duration = Duration::from_secs(120);

/// A photo of this many bytes and some more: what follows a picture's end is no part of it.
fn large(number: usize, bytes: usize) -> anyhow::Result<Vec<u8>> {
    let mut photo = picture(number)?;
    photo.resize(photo.len() + bytes, 7);
    Ok(photo)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.filter(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
}

/// One request of one connection. `stalls_at`: of chunks from this one on only the first half is
/// passed, and then nothing.
async fn pass(
    mut client: TcpStream,
    server: String,
    chunks: Arc<AtomicUsize>,
    stalls_at: Option<usize>,
) -> anyhow::Result<()> {
    let (bytes, end) = head_of(&mut client).await?;
    let (head, rest) = bytes.split_at(end);
    let head = std::str::from_utf8(head)?;
    let length: usize =
        header(head, "content-length").and_then(|it| it.parse().ok()).unwrap_or_default();
    if length > BODY_BYTES_MAX {
        let mut left = length.saturating_sub(rest.len() - 4);
        let mut chunk = vec![0; 64 * 1024];
        while left > 0 {
            let read = client.read(&mut chunk).await?;
            ensure!(read > 0, "the client went away");
            left = left.saturating_sub(read);
        }
        let answer =
            "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        client.write_all(answer.as_bytes()).await?;
        return Ok(client.shutdown().await?);
    }
    let number = head.starts_with("PATCH ").then(|| chunks.fetch_add(1, Ordering::Relaxed));
    let stalls = stalls_at.is_some() && number >= stalls_at;
    let breaks = number.is_some_and(|number| number % BREAKS_EVERY == 1);
    let mut upstream = TcpStream::connect(server).await?;
    upstream.write_all(head.as_bytes()).await?;
    upstream.write_all(b"\r\nconnection: close").await?;
    upstream.write_all(rest).await?;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = upstream.split();
    if stalls || breaks {
        let half = u64::try_from((length / 2).saturating_sub(rest.len() - 4))?;
        tokio::io::copy(&mut (&mut from_client).take(half), &mut to_server).await?;
        if stalls {
            // Until the importer is killed.
            tokio::io::copy(&mut from_client, &mut tokio::io::sink()).await?;
        }
        return Ok(());
    }
    let there = tokio::io::copy(&mut from_client, &mut to_server);
    let back = tokio::io::copy(&mut from_server, &mut to_client);
    tokio::select! {
        done = back => Ok(done.map(drop)?),
        Err(error) = there => Err(error.into()),
    }
}

/// A line to a server; ends when it is dropped.
async fn line(
    server: &TestServer,
    stalls_at: Option<usize>,
) -> anyhow::Result<(String, Arc<AtomicUsize>, JoinSet<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let address = server.url().trim_start_matches("http://").to_owned();
    let chunks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&chunks);
    let mut proxy = JoinSet::new();
    proxy.spawn(async move {
        let mut passing = JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            passing.spawn(pass(client, address.clone(), Arc::clone(&counted), stalls_at));
        }
    });
    Ok((url, chunks, proxy))
}

async fn ensure_whole(admin: &Client, files: &[Vec<u8>]) -> anyhow::Result<()> {
    let (mut kept, mut sent): (Vec<String>, Vec<String>) =
        (stored(admin).await?, files.iter().map(|bytes| sha1_hex(bytes)).collect());
    kept.sort();
    sent.sort();
    ensure!(kept == sent, "{kept:?} is not {sent:?}");
    ensure!(count(admin).await? == u64::try_from(files.len())?, "doubles, or holes");
    Ok(())
}

#[tokio::test]
async fn large_files_pass_a_line_that_breaks_and_takes_no_long_bodies() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let (photos, home) = (folder(server, "photos"), folder(server, "home"));
        std::fs::create_dir_all(&photos)?;
        let files = [large(1, 700_000)?, large(2, 400_000)?, large(3, 0)?];
        for (number, bytes) in files.iter().enumerate() {
            std::fs::write(photos.join(format!("{number}.jpg")), bytes)?;
        }
        let (url, chunks, proxy) = line(server, None).await?;
        let path = photos.to_str().context("an odd folder")?;
        // The first is sent in chunks by itself, the second when the line has refused it.
        let words = ["import", path, "--json", "--chunk", "500K"];
        let done = summary(&run(&url, &key, &home, &words).await?.success()?)?;
        drop(proxy);
        ensure!(done["created"] == files.len() && done["failed"] == 0, "{done}");
        ensure!(chunks.load(Ordering::Relaxed) > 2 * BREAKS_EVERY, "too few chunks");
        ensure_whole(&admin, &files).await?;
        admin.wait_until_idle().await
    })
    .await
}

#[tokio::test]
async fn importer_that_was_killed_sends_the_rest_of_a_file() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let (photos, home) = (folder(server, "photos"), folder(server, "home"));
        std::fs::create_dir_all(&photos)?;
        let files = [large(1, 600_000)?];
        std::fs::write(photos.join("a.jpg"), &files[0])?;
        let path = photos.to_str().context("an odd folder")?;
        let journal = folder(server, "journal");
        // Each line is another address, and so another import but for its journal.
        let journal = journal.to_str().context("an odd folder")?;
        let words = ["import", path, "--json", "--chunk", "80K", "--journal", journal];
        let (url, chunks, proxy) = line(server, Some(4)).await?;
        let mut child = {
            let mut command = importer(&url, &key, &home, &words)?;
            command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn()?
        };
        until(
            "some chunks",
            SOON,
            async || Ok((chunks.load(Ordering::Relaxed) >= 5).then_some(())),
        )
        .await?;
        child.kill().await?;
        drop(proxy);
        let database = database::connect(&server.data()).await?;
        let come: Vec<i64> = sqlx::query_scalar("select offset_bytes from work.uploads")
            .fetch_all(&database)
            .await?;
        ensure!(come.len() == 1 && come[0] > 0, "{come:?}");
        let before = chunks.load(Ordering::Relaxed);
        let (url, chunks, proxy) = line(server, None).await?;
        let done = summary(&run(&url, &key, &home, &words).await?.success()?)?;
        drop(proxy);
        ensure!(done["created"] == 1 && done["failed"] == 0, "{done}");
        ensure_whole(&admin, &files).await?;
        let uploads: Vec<bool> =
            sqlx::query_scalar("select finished_at is not null from work.uploads")
                .fetch_all(&database)
                .await?;
        ensure!(uploads == [true], "it was begun anew: {uploads:?}");
        ensure!(before >= 5 && chunks.load(Ordering::Relaxed) > 0);
        admin.wait_until_idle().await
    })
    .await
}

#[tokio::test]
async fn import_mends_what_the_server_has_lost() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let (photos, home) = (folder(server, "photos"), folder(server, "home"));
        std::fs::create_dir_all(&photos)?;
        let files = [large(1, 300_000)?, large(2, 0)?, large(3, 0)?];
        for (number, bytes) in files.iter().enumerate() {
            std::fs::write(photos.join(format!("{number}.jpg")), bytes)?;
        }
        let path = photos.to_str().context("an odd folder")?;
        let words = ["import", path, "--json", "--chunk", "100K"];
        summary(&run(&server.url(), &key, &home, &words).await?.success()?)?;
        admin.wait_until_idle().await?;
        let originals = originals(server)?;
        ensure!(originals.len() == files.len(), "{originals:?}");
        // A short one is lost, the long one is damaged, and the other short one is as it was.
        let long = originals.iter().find(|path| path.metadata().is_ok_and(|it| it.len() > 200_000));
        let long = long.context("no long file")?.clone();
        let short = originals.iter().find(|path| **path != long).context("no short file")?.clone();
        let (long_bytes, short_bytes) = (std::fs::read(&long)?, std::fs::read(&short)?);
        let mut damaged = long_bytes.clone();
        damaged[200_000] = 9;
        for round in 0..2 {
            std::fs::remove_file(&short)?;
            std::fs::write(&long, &damaged)?;
            crate::integrity::check(&admin, &["missing-files", "checksum-mismatch"]).await?;
            let done = summary(&run(&server.url(), &key, &home, &words).await?.success()?)?;
            ensure!(done["failed"] == 0 && done["duplicates"] == files.len(), "{round}: {done}");
            ensure!(std::fs::read(&short)? == short_bytes, "{round}: what was lost is not back");
            ensure!(std::fs::read(&long)? == long_bytes, "{round}: what was damaged is so still");
            let told = admin.get_json("/api/admin/integrity/summary").await?;
            ensure!(told == crate::integrity::found(0, 0, 0), "{round}: {told}");
        }
        ensure!(count(&admin).await? == u64::try_from(files.len())?, "doubles");
        admin.wait_until_idle().await
    })
    .await
}

#[tokio::test]
async fn importer_waits_as_long_as_the_server_wishes() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let (photos, home) = (folder(server, "photos"), folder(server, "home"));
        super::fill(&photos, 1)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let address = server.url().trim_start_matches("http://").to_owned();
        let mut proxy = JoinSet::new();
        // Longer than any pause of the importer's own at its first try.
        let wished = Duration::from_secs(3);
        proxy.spawn(async move {
            let (mut client, _) = listener.accept().await?;
            head_of(&mut client).await?;
            let answer = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 3\r\n\
                          connection: close\r\n\r\n";
            client.write_all(answer.as_bytes()).await?;
            client.shutdown().await?;
            let refused = std::time::Instant::now();
            let mut waited = None;
            let mut passing = JoinSet::new();
            loop {
                let Ok((client, _)) = listener.accept().await else { break };
                if *waited.get_or_insert_with(|| refused.elapsed()) < wished {
                    break;
                }
                passing.spawn(pass(client, address.clone(), Arc::default(), None));
            }
            Err::<(), _>(anyhow::anyhow!("the importer came again after {waited:?}"))
        });
        let path = photos.to_str().context("an odd folder")?;
        let words = ["import", path, "--json", "--patience", "30"];
        let done = tokio::select! {
            done = run(&url, &key, &home, &words) => done?.success()?,
            Some(ended) = proxy.join_next() => {
                ended??;
                anyhow::bail!("the line ended")
            }
        };
        ensure!(summary(&done)?["created"] == 1, "{}", done.stdout);
        admin.wait_until_idle().await
    })
    .await
}
