//! Batches over HTTP, and the importer as a program: whatever happens on the way, everything is there once.

mod batches;
mod chunks;
mod command;
mod held;
mod interrupted;
mod keys;
mod library;
mod local;
mod moved;
mod packed;
mod people;
mod plain;
mod proxy;
mod receipts;
mod remote;
mod sources;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use calotype_tests::answer::sha1_hex;
use calotype_tests::binary::{Done, command as program, finish};
use calotype_tests::jpeg::with_comment;
use calotype_tests::media::media;
use calotype_tests::{Client, TestServer};
use serde_json::Value;
use tokio::process::Command;

/// How long one import may take.
const IMPORT_LIMIT: std::time::Duration = std::time::Duration::from_secs(300);
/// A small photo of which others are made.
const PICTURE: &str = "photos/edge/rating_1.jpg";

/// A photo that no other number has.
fn picture(number: usize) -> anyhow::Result<Vec<u8>> {
    let bytes = std::fs::read(media(PICTURE)?)?;
    Ok(with_comment(&bytes, &format!("import {number}")))
}

/// Writes so many different photos into a folder; says their digests.
fn fill(folder: &Path, files: usize) -> anyhow::Result<BTreeSet<String>> {
    std::fs::create_dir_all(folder)?;
    let mut digests = BTreeSet::new();
    for number in 0..files {
        let bytes = picture(number)?;
        digests.insert(sha1_hex(&bytes));
        std::fs::write(folder.join(format!("IMG_{number:04}.jpg")), bytes)?;
    }
    Ok(digests)
}

/// The SHA-1 of every asset that a person has, by asking for each file's.
async fn stored(client: &Client) -> anyhow::Result<Vec<String>> {
    let mut digests = Vec::new();
    for batch in client.get_json("/api/calotype/batches").await?.as_array().into_iter().flatten() {
        let id = batch["id"].as_str().context("a batch without an id")?;
        let receipt = client.get_json(&format!("/api/calotype/batches/{id}/receipt")).await?;
        let files = receipt["files"].as_array().cloned().unwrap_or_default();
        digests.extend(
            files
                .iter()
                .filter(|file| file["status"] == "created")
                .filter_map(|file| file["sha1"].as_str().map(str::to_owned)),
        );
    }
    Ok(digests)
}

/// How many photos and films a person's timeline has.
async fn count(client: &Client) -> anyhow::Result<u64> {
    let told = client.get_json("/api/assets/statistics?isTrashed=false").await?;
    told["total"].as_u64().with_context(|| format!("no count: {told}"))
}

/// The importer, not yet started.
fn importer(url: &str, key: &str, home: &Path, words: &[&str]) -> anyhow::Result<Command> {
    let mut command = program()?;
    command.env("XDG_STATE_HOME", home).env("CALOTYPE_SERVER", url).env("CALOTYPE_API_KEY", key);
    command.args(words);
    Ok(command)
}

/// Runs the importer to its end.
async fn run(url: &str, key: &str, home: &Path, words: &[&str]) -> anyhow::Result<Done> {
    finish(importer(url, key, home, words)?, "", IMPORT_LIMIT).await
}

/// The last line of JSON that it printed.
fn summary(done: &Done) -> anyhow::Result<Value> {
    let line = done.stdout.lines().last();
    let line = line.with_context(|| format!("it said nothing: {}", done.stderr))?;
    serde_json::from_str(line).with_context(|| format!("no summary: {}", done.stdout))
}

/// A folder inside the server's scratch folder.
fn folder(server: &TestServer, name: &str) -> PathBuf {
    server.scratch().join(name)
}

/// Where the originals of a server lie.
pub(crate) fn originals(server: &TestServer) -> anyhow::Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![server.data().join("library")]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    Ok(found)
}
