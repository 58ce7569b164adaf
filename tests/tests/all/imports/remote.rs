//! Another server as the source, also one that breaks off, lies and goes away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, ensure};
use calotype_tests::client::Upload;
use calotype_tests::{Options, TestServer, story};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::proxy::head_of;
use super::{count, folder, importer, library, picture, run, stored, summary};

/// Bytes that are missing from a file that is cut off.
const MISSING: usize = 100;

#[tokio::test]
async fn library_of_another_server_is_taken_over_whole() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let source = TestServer::start(Options::default()).await?;
        let owner = source.client().sign_up().await?;
        library::fill(&owner, 0).await?;
        // What is somebody else's stays there.
        let friend = owner.create_user("friend@example.com").await?;
        let theirs = friend.upload(&Upload::new("theirs.jpg", picture(100)?)).await?;
        let shared = json!({
            "albumName": "Theirs", "assetIds": [theirs],
            "albumUsers": [{ "userId": owner.my_id().await?, "role": "editor" }],
        });
        friend.post("/api/albums", &shared).await?.expect(201)?;
        owner.wait_until_idle().await?;
        let from_key = owner.create_secret(&["all"]).await?;

        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let home = folder(server, "home");
        let from = source.url();
        let words = ["import", "--from-server", &from, "--json"];
        let import = async || -> anyhow::Result<Value> {
            let mut command = importer(&server.url(), &key, &home, &words)?;
            command.env("CALOTYPE_FROM_API_KEY", &from_key);
            let done = calotype_tests::binary::finish(command, "", super::IMPORT_LIMIT).await?;
            summary(&done.success()?)
        };
        let told = import().await?;
        ensure!(told["failed"] == 0 && told["passedOver"] == 1, "{told}");
        admin.wait_until_idle().await?;
        let mut there = library::shown(&owner).await?;
        there["albums"].as_object_mut().context("no albums")?.remove("\"Theirs\"");
        let here = library::shown(&admin).await?;
        ensure!(here == there, "here {here:#}\nthere {there:#}");
        ensure!(there["assets"].as_object().map(serde_json::Map::len) == Some(library::SHOWN + 1));
        let digests = stored(&admin).await?;
        ensure!(digests.len() == library::SHOWN + 1, "{digests:?}");

        for _ in 0..2 {
            let again = import().await?;
            ensure!(again["created"] == 0 && again["failed"] == 0, "{again}");
        }
        admin.wait_until_idle().await?;
        let again = library::shown(&admin).await?;
        ensure!(again == here, "again {again:#}\nhere {here:#}");
        let mut source = source;
        source.terminate().await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn plan_of_another_servers_library_is_kept_and_done_later() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let other = owner.create_user("other@example.com").await?;
        library::fill(&owner, 0).await?;
        owner.wait_until_idle().await?;
        let (from, from_key) = (server.url(), owner.create_secret(&["all"]).await?);
        let (key, home) = (other.create_secret(&["all"]).await?, folder(server, "home"));
        let file = folder(server, "plan.json");
        let file = file.to_str().context("an odd folder")?;
        let of = ["--from-server", &from, "--from-key", &from_key, "--json"];
        let words = [&["import", "--plan", "--save", file][..], &of].concat();
        let planned = summary(&run(&server.url(), &key, &home, &words).await?.success()?)?;
        ensure!(planned["new"] == library::SHOWN && planned["duplicates"] == 0, "{planned}");
        ensure!(count(&other).await? == 0 && !home.exists(), "a plan changed something");
        let saved = std::fs::read_to_string(file)?;
        ensure!(!saved.contains(&from_key), "the key stands in the plan");

        let later = owner.upload(&Upload::new("later.jpg", picture(200)?)).await?;
        let words = ["import", "--apply", file, "--from-key", &from_key, "--json"];
        let told = run(&server.url(), &key, &home, &words).await?.success()?;
        let since = told.stdout.lines().find(|line| line.contains("\"since\""));
        let since = since.context("nothing is said of what changed since")?;
        ensure!(since.contains(&later), "{since}");
        ensure!(summary(&told)?["failed"] == 0, "{}", told.stdout);
        owner
            .delete("/api/assets", &json!({ "ids": [later], "force": true }))
            .await?
            .expect(204)?;
        owner.wait_until_idle().await?;
        let (here, there) = (library::shown(&other).await?, library::shown(&owner).await?);
        ensure!(here == there, "here {here:#}\nthere {there:#}");

        let words = [&["import", "--plan"][..], &of].concat();
        let again = summary(&run(&server.url(), &key, &home, &words).await?.success()?)?;
        ensure!(again["new"] == 0 && again["duplicates"] == library::SHOWN, "{again}");
        Ok(())
    })
    .await
}

/// What a line does to the files that come over it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Passes,
    /// The connection breaks in the middle, unless it was asked for the rest.
    Breaks,
    /// It ends too early, and says so.
    IsShort,
    /// Its bytes are others.
    IsAnother,
}

/// A line to a source that may be cut.
struct Line {
    fates: Vec<(String, Fate)>,
    address: String,
    /// Files are not sent any more, nor is anything else.
    is_cut: AtomicBool,
    /// Cut after the first file.
    cuts: bool,
}

impl Line {
    async fn pass(&self, mut client: TcpStream) -> anyhow::Result<()> {
        let (bytes, end) = head_of(&mut client).await?;
        if self.is_cut.load(Ordering::SeqCst) {
            return Ok(());
        }
        let (head, rest) = bytes.split_at(end);
        let head = std::str::from_utf8(head)?;
        let first = head.lines().next().unwrap_or_default();
        let is_file = first.contains("/original ");
        if is_file && self.cuts {
            self.is_cut.store(true, Ordering::SeqCst);
        }
        let has_range = head.to_ascii_lowercase().contains("\r\nrange:");
        let fate = self.fates.iter().find(|(id, _)| is_file && first.contains(id.as_str()));
        let fate = fate.map_or(Fate::Passes, |(_, fate)| *fate);
        let fate = if fate == Fate::Breaks && has_range { Fate::Passes } else { fate };
        let mut upstream = TcpStream::connect(&self.address).await?;
        upstream.write_all(head.as_bytes()).await?;
        upstream.write_all(b"\r\nconnection: close").await?;
        upstream.write_all(rest).await?;
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = upstream.split();
        let answer = async {
            if fate == Fate::Passes {
                tokio::io::copy(&mut from_server, &mut to_client).await?;
                return anyhow::Ok(());
            }
            let mut answer = Vec::new();
            from_server.read_to_end(&mut answer).await?;
            to_client.write_all(&spoilt(answer, fate)?).await?;
            Ok(to_client.shutdown().await?)
        };
        tokio::select! {
            done = answer => done,
            Err(error) = tokio::io::copy(&mut from_client, &mut to_server) => Err(error.into()),
        }
    }
}

fn spoilt(mut answer: Vec<u8>, fate: Fate) -> anyhow::Result<Vec<u8>> {
    let end = answer.windows(4).position(|it| it == b"\r\n\r\n").context("no head")? + 4;
    let length = answer.len() - end;
    match fate {
        Fate::Passes => {}
        Fate::Breaks => answer.truncate(end + length / 2),
        Fate::IsAnother => *answer.last_mut().context("nothing")? ^= 1,
        Fate::IsShort => {
            let head = std::str::from_utf8(&answer[..end])?.to_owned();
            let told = format!("content-length: {length}");
            ensure!(head.contains(&told), "no length: {head}");
            let head = head.replace(&told, &format!("content-length: {}", length - MISSING));
            let body = answer[end..answer.len() - MISSING].to_vec();
            answer = [head.into_bytes(), body].concat();
        }
    }
    Ok(answer)
}

/// Listens until it is dropped; says where.
async fn listen(line: &Arc<Line>) -> anyhow::Result<(String, JoinSet<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let (line, mut running) = (Arc::clone(line), JoinSet::new());
    running.spawn(async move {
        let mut passing = JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            let line = Arc::clone(&line);
            passing.spawn(async move { line.pass(client).await });
        }
    });
    Ok((address, running))
}

#[tokio::test]
async fn source_that_breaks_off_is_read_on_and_one_that_lies_is_told_file_by_file()
-> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let friend = admin.create_user("friend@example.com").await?;
        let mut fates = Vec::new();
        for (number, fate) in
            [Fate::Passes, Fate::Breaks, Fate::IsShort, Fate::IsAnother].into_iter().enumerate()
        {
            let name = format!("{number}.jpg");
            fates.push((friend.upload(&Upload::new(&name, picture(number)?)).await?, fate));
        }
        admin.wait_until_idle().await?;
        let from_key = friend.create_secret(&["all"]).await?;
        let key = admin.create_secret(&["all"]).await?;
        let home = folder(server, "home");
        let address = server.url().trim_start_matches("http://").to_owned();
        let report = folder(server, "report.jsonl");
        let report_path = report.to_str().context("an odd folder")?;
        let line = Line { fates, address, is_cut: AtomicBool::new(false), cuts: false };
        let line = Arc::new(line);
        let (from, running) = listen(&line).await?;
        for plain in [&["--plain"][..], &[]] {
            let mut words =
                vec!["import", "--from-server", &from, "--from-key", &from_key, "--json"];
            words.extend(["--report", report_path]);
            words.extend(plain);
            let done = run(&server.url(), &key, &home, &words).await?;
            ensure!(done.code == Some(2), "exit code {:?}: {}", done.code, done.stderr);
            let told = summary(&done)?;
            ensure!(told["failed"] == 2, "{told}");
            ensure!(count(&admin).await? == 2, "{told}");
            let report = std::fs::read_to_string(&report)?;
            ensure!(report.contains("other bytes than its checksum"), "{report}");
            ensure!(report.contains("bytes of a file of"), "{report}");
        }
        drop(running);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn import_from_a_source_that_goes_away_is_gone_on_with() -> anyhow::Result<()> {
    const FILES: usize = 5;
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let friend = admin.create_user("friend@example.com").await?;
        for number in 0..FILES {
            let name = format!("{number}.jpg");
            friend.upload(&Upload::new(&name, picture(number)?)).await?;
        }
        admin.wait_until_idle().await?;
        let from_key = friend.create_secret(&["all"]).await?;
        let key = admin.create_secret(&["all"]).await?;
        let home = folder(server, "home");
        let address = server.url().trim_start_matches("http://").to_owned();
        let cut = Line { fates: Vec::new(), address, is_cut: AtomicBool::new(false), cuts: true };
        let cut = Arc::new(cut);
        let (from, running) = listen(&cut).await?;
        let words = ["import", "--from-server", &from, "--from-key", &from_key, "--json"];
        let words = [&words[..], &["--patience", "0", "--at-once", "1"]].concat();
        // Each time one file comes over.
        for there in 1..=FILES {
            cut.is_cut.store(false, Ordering::SeqCst);
            let done = run(&server.url(), &key, &home, &words).await?;
            let told = summary(&done)?;
            ensure!(told["failed"] == FILES - there, "{there}: {told}, {}", done.stderr);
            let code = if there == FILES { 0 } else { 2 };
            ensure!(done.code == Some(code), "exit code {:?}: {told}", done.code);
            ensure!(count(&admin).await? == u64::try_from(there)?, "{told}");
        }
        drop(running);
        Ok(())
    })
    .await
}
