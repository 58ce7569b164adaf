//! The importer and the server are killed on the way: the end is that of an import that nobody disturbed.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::server::Victim;
use calotype_tests::waiting::until;
use calotype_tests::{Options, story};

use super::{count, fill, folder, importer, run, stored, summary};

/// Files; the importer takes them in groups of a hundred.
const FILES: usize = 450;
/// Assets that are waited for before the importer is killed.
const IMPORTER_KILLED_AT: [u64; 2] = [1, 150];
/// Assets that are waited for before the server is killed.
const SERVER_KILLED_AT: u64 = 250;
/// How long that may take.
const LIMIT: Duration = Duration::from_secs(180);

#[tokio::test]
async fn import_that_is_killed_again_and_again_ends_as_one_that_was_not() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let (photos, home) = (folder(server, "photos"), folder(server, "home"));
        let digests = fill(&photos, FILES)?;
        let path = photos.to_str().context("an odd folder")?;
        let words = ["import", path, "--json", "--album", "Import", "--at-once", "2"];
        let start = || -> anyhow::Result<tokio::process::Child> {
            let mut command = importer(&server.url(), &key, &home, &words)?;
            command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
            Ok(command.spawn()?)
        };
        for reached in IMPORTER_KILLED_AT {
            let mut child = start()?;
            until("a part of the import", LIMIT, async || {
                Ok((count(&admin).await? >= reached).then_some(()))
            })
            .await?;
            child.kill().await?;
        }
        let mut child = start()?;
        until("more of the import", LIMIT, async || {
            Ok((count(&admin).await? >= SERVER_KILLED_AT).then_some(()))
        })
        .await?;
        server.kill(Victim::Server).await?;
        server.go_on().await?;
        let ended = tokio::time::timeout(LIMIT, child.wait()).await??;
        ensure!(ended.success(), "the importer did not outlive the server: {ended}");

        let kept = stored(&admin).await?;
        ensure!(kept.len() == FILES, "{} assets of {FILES}", kept.len());
        ensure!(kept.into_iter().collect::<BTreeSet<_>>() == digests, "other files were imported");
        ensure!(count(&admin).await? == u64::try_from(FILES)?, "doubles, or holes");
        let albums = admin.get_json("/api/albums").await?;
        ensure!(albums.as_array().map(Vec::len) == Some(1), "{albums}");
        ensure!(albums[0]["assetCount"] == FILES, "{albums}");

        let done = run(&server.url(), &key, &home, &words).await?.success()?;
        let again = summary(&done)?;
        ensure!(again["created"] == 0 && again["duplicates"] == FILES, "{again}");
        Ok(())
    })
    .await
}
