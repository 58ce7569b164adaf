//! A bad line between the importer and the server: it cuts connections, refuses long bodies, and says that there is
//! too much to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, ensure};
use calotype_tests::{Options, story};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{count, fill, folder, run, summary};

/// Files of the import.
const FILES: usize = 30;
/// The longest body of a commit that passes: a third of what the importer would send.
const COMMIT_BYTES_MAX: usize = 4_000;
/// The longest head of a request.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// What happens to a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Passes,
    CutBeforeTheServer,
    CutBeforeTheAnswer,
    Answered(&'static str),
}

/// Requests in turn; the rest passes.
const FATES: [Fate; 8] = [
    Fate::Passes,
    Fate::Answered("502 Bad Gateway"),
    Fate::Passes,
    Fate::CutBeforeTheServer,
    Fate::Passes,
    Fate::CutBeforeTheAnswer,
    Fate::Passes,
    Fate::Answered("429 Too Many Requests"),
];

/// The head of a request, and where it ends in what was read.
pub(super) async fn head_of(client: &mut TcpStream) -> anyhow::Result<(Vec<u8>, usize)> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4_096];
        let length = client.read(&mut chunk).await?;
        ensure!(length > 0 && bytes.len() < HEAD_BYTES_MAX, "no request");
        bytes.extend_from_slice(&chunk[..length]);
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            return Ok((bytes, end));
        }
    }
}

/// One request of one connection. `decide` is told the first line of its head, and how long its body is in bytes.
async fn pass(
    mut client: TcpStream,
    server: String,
    decide: impl Fn(&str, usize) -> Fate,
) -> anyhow::Result<()> {
    let (bytes, end) = head_of(&mut client).await?;
    let (head, rest) = bytes.split_at(end);
    let head = std::str::from_utf8(head)?;
    let length: usize = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or_default();
    let fate = decide(head.lines().next().unwrap_or_default(), length);
    match fate {
        Fate::CutBeforeTheServer => return Ok(()),
        Fate::Answered(status) => {
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-length: 0\r\nretry-after: 0\r\nconnection: close\r\n\r\n"
            );
            // The body is read, so that the client gets to read the answer.
            let mut left = length.saturating_sub(rest.len() - 4);
            let mut chunk = vec![0; 64 * 1024];
            while left > 0 {
                let read = client.read(&mut chunk).await?;
                ensure!(read > 0, "the client went away");
                left = left.saturating_sub(read);
            }
            client.write_all(answer.as_bytes()).await?;
            return Ok(client.shutdown().await?);
        }
        Fate::Passes | Fate::CutBeforeTheAnswer => {}
    }
    let mut upstream = TcpStream::connect(server).await?;
    upstream.write_all(head.as_bytes()).await?;
    upstream.write_all(b"\r\nconnection: close").await?;
    upstream.write_all(rest).await?;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = upstream.split();
    let there = tokio::io::copy(&mut from_client, &mut to_server);
    let back = async {
        if fate == Fate::CutBeforeTheAnswer {
            // The server has done it when it answers.
            from_server.read_u8().await?;
            return Ok(());
        }
        tokio::io::copy(&mut from_server, &mut to_client).await.map(drop)
    };
    tokio::select! {
        done = back => Ok(done?),
        Err(error) = there => Err(error.into()),
    }
}

/// A line to a server; it is there until the tasks are dropped. Says its address.
pub(super) async fn listen(
    url: &str,
    decide: impl Fn(&str, usize) -> Fate + Clone + Send + Sync + 'static,
) -> anyhow::Result<(String, JoinSet<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let line = format!("http://{}", listener.local_addr()?);
    let address = url.trim_start_matches("http://").to_owned();
    let mut proxy = JoinSet::new();
    proxy.spawn(async move {
        let mut passing = JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            passing.spawn(pass(client, address.clone(), decide.clone()));
        }
    });
    Ok((line, proxy))
}

#[tokio::test]
async fn bad_line_loses_nothing_and_doubles_nothing() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let (photos, home) = (folder(server, "photos"), folder(server, "home"));
        fill(&photos, FILES)?;
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let decide = move |line: &str, length| {
            let number = counted.fetch_add(1, Ordering::Relaxed);
            if line.contains("/commit ") && length > COMMIT_BYTES_MAX {
                return Fate::Answered("413 Payload Too Large");
            }
            FATES[number % FATES.len()]
        };
        let (line, proxy) = listen(&server.url(), decide).await?;
        let path = photos.to_str().context("an odd folder")?;
        let words = ["import", path, "--json", "--album", "Line"];
        let done = summary(&run(&line, &key, &home, &words).await?.success()?)?;
        drop(proxy);
        ensure!(done["created"] == FILES && done["failed"] == 0, "{done}");
        ensure!(count(&admin).await? == u64::try_from(FILES)?, "doubles, or holes");
        let albums = admin.get_json("/api/albums").await?;
        ensure!(albums[0]["assetCount"] == FILES, "{albums}");
        // The line was as bad as it is meant to be.
        ensure!(requests.load(Ordering::Relaxed) > FATES.len(), "too few requests");
        Ok(())
    })
    .await
}
