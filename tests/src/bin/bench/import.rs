//! `calotype import` of many small photos: over HTTP, on the same machine, and once more; and Immich's own command
//! line client with a part of them. A file counts as registered when it is durable and on the timeline, so the time
//! is that of the whole program, and the timeline is counted when it has ended.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use calotype_tests::jpeg::with_comment;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer, binary};
use tempfile::TempDir;
use tokio::process::Command;

use crate::cpu::{self, Used};
use crate::figures::{self, count};
use crate::pictures::{Kind, synthesize};

/// Pictures that differ in their pixels; the others differ in a comment.
const DIFFERENT: u32 = 6;
/// Files of one folder.
const FOLDER_FILES: usize = 1_000;
/// How long a program may take.
const LIMIT: Duration = Duration::from_secs(4 * 3_600);
/// How long the timeline may be behind a program that has ended.
const SHOWN_WITHIN: Duration = Duration::from_secs(120);
/// Between two looks at a program's memory.
const LOOK: Duration = Duration::from_millis(50);
/// Of so many files Immich's client sends one; it is slower, and its rate does not depend on how many there are.
const COMPARED_PART: usize = 20;
/// The fewest and the most files that are compared.
const COMPARED: (usize, usize) = (400, 2_000);

/// What a program used.
struct Ran {
    took: Duration,
    used: Duration,
    peak_mb: f64,
}

impl Ran {
    fn per_second(&self, files: usize) -> f64 {
        count(files) / self.took.as_secs_f64()
    }
}

/// Measures.
pub(crate) async fn measure(files: usize) -> anyhow::Result<()> {
    let photos = tempfile::tempdir().context("failed to make a folder for photos")?;
    fill(photos.path(), files)?;
    figures::group(&format!("import of {files} JPEGs of 100 kB over HTTP"));
    let compared = (files / COMPARED_PART).clamp(COMPARED.0, COMPARED.1).min(files);
    let goals = Goals { first: 600.0, client_mb: 150.0, server_mb: 300.0 };
    twice(photos.path(), files, &goals, &[]).await?;
    figures::group("the same, on the same machine");
    let goals = Goals { first: 1_500.0, ..goals };
    twice(photos.path(), files, &goals, &["--data"]).await?;
    figures::group("the same, files linked");
    twice(photos.path(), files, &goals, &["--link", "--data"]).await?;
    drop(photos);
    compare(compared).await
}

struct Goals {
    first: f64,
    client_mb: f64,
    server_mb: f64,
}

/// So many files, each with bytes of its own.
fn fill(folder: &Path, files: usize) -> anyhow::Result<()> {
    let pictures: Vec<Vec<u8>> =
        (0..DIFFERENT).map(|seed| synthesize(Kind::Small, seed)).collect::<Result<_, _>>()?;
    for (number, picture) in (0..files).zip(pictures.iter().cycle()) {
        let inner = folder.join(format!("part_{:03}", number / FOLDER_FILES));
        if number % FOLDER_FILES == 0 {
            std::fs::create_dir(&inner)?;
        }
        // Lengths differ as those of photos do.
        let comment = format!("{number} {}", " ".repeat(number % 997));
        std::fs::write(
            inner.join(format!("IMG_{number:06}.jpg")),
            with_comment(picture, &comment),
        )?;
    }
    // People's photos have been on the disk for long: an import waits for what it writes itself.
    rustix::fs::sync();
    Ok(())
}

/// A fresh server and one import, and the same import again.
async fn twice(folder: &Path, files: usize, goals: &Goals, words: &[&str]) -> anyhow::Result<()> {
    let (mut server, admin, key) = fresh().await?;
    let start = || import(&server, &key, folder, words);
    let (before, pid) = (Used::by(&server)?, cpu::server_pid(&server)?);
    cpu::forget_peak(pid)?;
    let ran = registered(start()?, &admin, files).await?;
    let used = Used::by(&server)?.since(before);
    let each = |used: Duration| used.as_secs_f64() * 1_000.0 / count(files);
    figures::at_least("registered", ran.per_second(files), goals.first, "files/s");
    figures::note("processor time of the importer, each", each(ran.used), "ms");
    figures::note("processor time of the server and its children", each(used), "ms");
    figures::at_most("peak memory of the importer", ran.peak_mb, goals.client_mb, "MB");
    figures::at_most("peak memory of the server", cpu::peak_mb(pid)?, goals.server_mb, "MB");
    let again = watched(start()?).await?;
    ensure!(on_timeline(&admin).await? == files, "the second run changed the timeline");
    figures::at_least("once more, everything known", again.per_second(files), 5_000.0, "files/s");
    server.terminate().await?;
    Ok(())
}

/// The same folder by Immich's client and by ours, each into a fresh server.
async fn compare(files: usize) -> anyhow::Result<()> {
    figures::group(&format!("{files} of them by Immich's command line client 3.2.2, and by ours"));
    let (Some(clients), Some(node)) =
        (std::env::var_os("CALOTYPE_TEST_CLIENTS"), std::env::var_os("CALOTYPE_TEST_NODE"))
    else {
        println!("  not measured: ./dev bench fetches the clients");
        return Ok(());
    };
    let photos = tempfile::tempdir()?;
    fill(photos.path(), files)?;
    let (mut server, admin, key) = fresh().await?;
    let settings = photos.path().join("cli");
    let cli = || {
        let mut command = Command::new(&node);
        command.arg(PathBuf::from(&clients).join("node_modules/@immich/cli/bin/immich"));
        command.arg("--config-directory").arg(&settings);
        command
    };
    let mut login = cli();
    login.args(["login-key", &server.url(), &key]);
    binary::finish(login, "", LIMIT).await?.success()?;
    let mut upload = cli();
    upload.args(["upload", "--recursive", "--no-progress"]).arg(photos.path());
    let theirs = registered(upload, &admin, files).await?;
    server.terminate().await?;
    std::fs::remove_dir_all(&settings)?;
    let (mut server, admin, key) = fresh().await?;
    let ours = import(&server, &key, photos.path(), &[])?;
    let ours = registered(ours, &admin, files).await?;
    server.terminate().await?;
    figures::note("Immich's client", theirs.per_second(files), "files/s");
    figures::note("ours", ours.per_second(files), "files/s");
    let ratio = ours.per_second(files) / theirs.per_second(files);
    figures::at_least("ours, as so many times theirs", ratio, 3.0, "");
    Ok(())
}

async fn fresh() -> anyhow::Result<(TestServer, Client, String)> {
    let options = Options {
        testing: false,
        log: "warn,calotype_server=info".to_owned(),
        ..Options::default()
    };
    let server = TestServer::start(options).await?;
    let admin = server.client().sign_up().await?;
    let key = admin.create_secret(&["all"]).await?;
    Ok((server, admin, key))
}

/// The importer. With `--data` last it is told the folder of the server instead of the address.
fn import(
    server: &TestServer,
    key: &str,
    folder: &Path,
    words: &[&str],
) -> anyhow::Result<Command> {
    let mut command = binary::command()?;
    command.arg("import").arg(folder).arg("--json").args(words);
    if words.last() == Some(&"--data") {
        command.arg(server.data());
    } else {
        command.env("CALOTYPE_SERVER", server.url());
    }
    command.env("CALOTYPE_API_KEY", key).env("XDG_STATE_HOME", server.scratch().join("state"));
    Ok(command)
}

async fn on_timeline(admin: &Client) -> anyhow::Result<usize> {
    let told = admin.get_json("/api/assets/statistics?visibility=timeline").await?;
    Ok(usize::try_from(told["total"].as_u64().context("no count")?)?)
}

/// Runs a program to its end and further, until all files are on the timeline.
async fn registered(command: Command, admin: &Client, files: usize) -> anyhow::Result<Ran> {
    let begun = Instant::now();
    let ran = watched(command).await?;
    until("all files on the timeline", SHOWN_WITHIN, async || {
        Ok((on_timeline(admin).await? == files).then_some(()))
    })
    .await?;
    Ok(Ran { took: begun.elapsed(), ..ran })
}

/// Runs a program to its end and looks at its memory meanwhile.
async fn watched(mut command: Command) -> anyhow::Result<Ran> {
    let said = TempDir::new()?;
    let log = said.path().join("said");
    command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    command.stderr(std::fs::File::create(&log)?);
    let (begun, before) = (Instant::now(), Used::here()?);
    let mut child = command.spawn().context("failed to start a program")?;
    let pid = i32::try_from(child.id().context("it ended at once")?)?;
    let mut peak_mb = 0.0;
    let ended = loop {
        ensure!(begun.elapsed() < LIMIT, "a program takes too long");
        tokio::select! {
            ended = child.wait() => break ended?,
            () = tokio::time::sleep(LOOK) => peak_mb = cpu::peak_mb(pid).unwrap_or(peak_mb),
        }
    };
    let took = begun.elapsed();
    ensure!(ended.success(), "{ended}: {}", std::fs::read_to_string(&log)?);
    Ok(Ran { took, used: Used::here()?.since(before), peak_mb })
}
