//! A backup or a restore that is killed.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::binary::command;
use calotype_tests::media::media;
use calotype_tests::story;
use calotype_tests::waiting::until;
use tokio::process::Child;

use super::{
    NAME, OTHER, PHOTO, files, new_folder, on, only, options, place, said, text, upload_named,
};

const SOON: Duration = Duration::from_secs(120);

/// How often a restore is begun to be killed.
const ATTEMPTS_MAX: u32 = 5;

fn start(data: &Path, words: &[&str]) -> anyhow::Result<Child> {
    let mut command = command()?;
    command.args(words).arg("--data").arg(data).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().context("failed to start the command")
}

/// Kills a command once something is there, or lets it end if it was faster.
async fn kill_when(mut child: Child, is_there: impl Fn() -> bool) -> anyhow::Result<()> {
    until("the command to have begun", SOON, async || {
        Ok((is_there() || child.try_wait()?.is_some()).then_some(()))
    })
    .await?;
    child.kill().await.ok();
    Ok(())
}

#[tokio::test]
async fn backup_that_was_killed_does_not_count_and_the_next_goes_on() -> anyhow::Result<()> {
    story(options(), async |server| {
        let admin = server.client().sign_up().await?;
        upload_named(&admin, PHOTO, NAME).await?;
        admin.upload_file(&media(OTHER)?).await?;
        admin.wait_until_idle().await?;
        let to = place(server);
        let folder = to.clone();
        let begun = start(&server.data(), &["backup", text(&to)?])?;
        kill_when(begun, || folder.join("log").exists()).await?;
        let whole = said(&server.data(), &["backup", text(&to)?]).await?;
        ensure!(whole.contains("The backup is whole."), "{whole}");

        // As if it had been killed right before its end: everything is there but the manifests.
        for manifest in files(&to.join("backups"))? {
            std::fs::remove_file(manifest)?;
        }
        let refused =
            on(&new_folder(server, "early")?, &["restore", text(&to)?]).await?.failure()?;
        ensure!(refused.contains("there is no backup"), "{refused}");
        let (log, blobs) = (files(&to.join("log"))?, files(&to.join("blobs"))?);
        let whole = said(&server.data(), &["backup", text(&to)?]).await?;
        ensure!(whole.contains("of them 0 new with"), "{whole}");
        ensure!(files(&to.join("blobs"))? == blobs, "other files");
        let kept = files(&to.join("log"))?;
        ensure!(log.iter().all(|piece| kept.contains(piece)), "pieces went: {log:?} {kept:?}");
        only(&to.join("backups"))?;
        ensure!(files(&to.join("tmp"))?.is_empty(), "drafts are left");
        let good = said(&server.data(), &["restore", "--rehearse", text(&to)?]).await?;
        ensure!(good.contains("The backup can be restored."), "{good}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn restore_that_was_killed_leaves_nothing_that_starts() -> anyhow::Result<()> {
    story(options(), async |server| {
        let admin = server.client().sign_up().await?;
        upload_named(&admin, PHOTO, NAME).await?;
        admin.wait_until_idle().await?;
        let to = place(server);
        said(&server.data(), &["backup", text(&to)?]).await?;
        let mut killed = None;
        for attempt in 0..ATTEMPTS_MAX {
            let folder = new_folder(server, &format!("killed-{attempt}"))?;
            let mark = folder.join("restoring");
            let begun = start(&folder, &["restore", text(&to)?])?;
            kill_when(begun, || mark.exists()).await?;
            // One that was faster than we looked is no restore that was killed.
            if mark.exists() {
                killed = Some(folder);
                break;
            }
        }
        let folder = killed.context("every restore was over before it could be killed")?;

        for words in
            [&["serve", "--port", "0"][..], &["restore", text(&to)?], &["admin", "list-users"]]
        {
            let refused = on(&folder, words).await?.failure()?;
            ensure!(refused.contains("did not end"), "{words:?}: {refused}");
        }
        let whole = said(&new_folder(server, "again")?, &["restore", text(&to)?]).await?;
        ensure!(whole.contains("Everything is there."), "{whole}");
        Ok(())
    })
    .await
}
