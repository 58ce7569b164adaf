//! Backups of whole servers: made while they run, added to, damaged, cut off, expired, and restored.

mod cut_off;
mod damage;
mod expiry;
mod places;
mod story;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::binary::{Done, command, finish};
use calotype_tests::media::media;
use calotype_tests::{Client, Options, TestServer, Upload};

/// How long a backup, a restore or a rehearsal may take.
const LIMIT: Duration = Duration::from_secs(240);
/// What a photo is named in these stories, which must not be found once it is forgotten.
const NAME: &str = "marker-zqxj-holiday.jpg";
const PHOTO: &str = "photos/edge/rating_1.jpg";
const OTHER: &str = "photos/edge/date_subsec.jpg";
const THIRD: &str = "photos/edge/date_offset_positive.jpg";

fn options() -> Options {
    Options { testing: false, ..Options::default() }
}

/// Runs a command on a data folder, which a server may have open.
async fn on(data: &Path, words: &[&str]) -> anyhow::Result<Done> {
    with(data, words, &[]).await
}

async fn with(
    data: &Path,
    words: &[&str],
    environment: &[(String, String)],
) -> anyhow::Result<Done> {
    let mut command = command()?;
    command.args(words).arg("--data").arg(data);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    finish(command, "", LIMIT).await
}

async fn said(data: &Path, words: &[&str]) -> anyhow::Result<String> {
    Ok(on(data, words).await?.success().with_context(|| words.join(" "))?.stdout)
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path that is no text")
}

/// Where a story keeps its backup.
fn place(server: &TestServer) -> PathBuf {
    server.scratch().join("backup")
}

/// An empty place with the keys of a server, as they are kept apart from its backups.
fn new_folder(server: &TestServer, name: &str) -> anyhow::Result<PathBuf> {
    let folder = server.scratch().join(name);
    std::fs::create_dir_all(folder.join("keys"))?;
    for key in ["master.key", "proof.key"] {
        let from = server.data().join("keys").join(key);
        if from.exists() {
            std::fs::copy(from, folder.join("keys").join(key))?;
        }
    }
    Ok(folder)
}

/// A photo under a name of ours.
async fn upload_named(client: &Client, path: &str, name: &str) -> anyhow::Result<String> {
    let mut upload = Upload::of(&media(path)?)?;
    name.clone_into(&mut upload.name);
    client.upload(&upload).await
}

/// The files below a folder, in order.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

/// The one file below a folder.
fn only(folder: &Path) -> anyhow::Result<PathBuf> {
    let mut found = files(folder)?;
    ensure!(found.len() == 1, "{found:?}");
    found.pop().context("no file")
}

/// Changes one byte in the middle of a file.
fn flip(path: &Path) -> anyhow::Result<()> {
    let mut bytes = std::fs::read(path)?;
    let middle = bytes.len() / 2;
    *bytes.get_mut(middle).context("an empty file")? ^= 1;
    Ok(std::fs::write(path, bytes)?)
}
