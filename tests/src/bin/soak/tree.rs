//! A large folder imported while the importer and the server are killed, and once more without: both libraries are
//! the same.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use calotype_tests::server::Options;
use calotype_tests::tree::{Disturbance, Kept, grow, import_disturbed};
use calotype_tests::{TestServer, binary};
use tempfile::TempDir;
use tokio::process::Command;

use crate::Bounds;

/// How often the importer, and the server, is killed.
const KILLS: usize = 20;
/// How an import ends of which some files cannot be read.
const SOME_FAILED: i32 = 2;

/// Imports both ways.
pub(crate) async fn import(bounds: Bounds) -> anyhow::Result<()> {
    let photos = TempDir::new()?;
    grow(photos.path(), bounds.count, bounds.seed)?;
    let undisturbed = library(&photos, bounds, 0).await.context("undisturbed")?;
    ensure!(undisturbed.photos.len() == bounds.count, "{} photos", undisturbed.photos.len());
    let disturbed = library(&photos, bounds, KILLS).await.context("disturbed")?;
    disturbed.ensure_is(&undisturbed)
}

async fn library(photos: &TempDir, bounds: Bounds, kills: usize) -> anyhow::Result<Kept> {
    let mut server = TestServer::start(Options { testing: false, ..Options::default() }).await?;
    let admin = server.client().sign_up().await?;
    let key = admin.create_secret(&["all"]).await?;
    let begun = Instant::now();
    let wanted = Disturbance { seed: bounds.seed, importer: kills, server: kills };
    let start = |server: &TestServer| -> anyhow::Result<Command> {
        let mut command = binary::command()?;
        command.env("CALOTYPE_SERVER", server.url()).env("CALOTYPE_API_KEY", &key);
        command.env("XDG_STATE_HOME", server.scratch().join("state"));
        command.arg("import").arg(photos.path()).args(["--json", "--album-from-folder"]);
        Ok(command)
    };
    let ended = import_disturbed(&mut server, &admin, bounds.count, wanted, start).await?;
    ensure!(ended.code() == Some(SOME_FAILED), "the importer ended with {ended}");
    println!(
        "  {} photos with {} kills in {} s",
        bounds.count,
        kills * 2,
        begun.elapsed().as_secs()
    );
    let kept = Kept::by(&admin, &server.data()).await?;
    server.terminate().await?;
    Ok(kept)
}
