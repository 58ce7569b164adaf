//! The importer puts files into the server's folder itself, and both are killed on the way: nothing is ever lost, and
//! the end is that of an import that nobody disturbed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::answer::sha1_hex;
use calotype_tests::server::Victim;
use calotype_tests::tree::{Kept, grow};
use calotype_tests::waiting::until;
use calotype_tests::{Options, TestServer, story};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::interrupted::{SOME_FAILED, undisturbed};
use super::{folder, importer, originals};

/// Photos of the folder.
const PHOTOS: usize = 1_000;
/// Chooses bytes and moments.
const SEED: u64 = 11;
/// How often the importer is killed, and how often the server.
const KILLS: (usize, usize) = (20, 20);
/// How long a part of an import may take.
const LIMIT: Duration = Duration::from_secs(300);

/// How many photos below a folder have these bytes, by SHA-1; links are none.
fn photos_in(root: &Path) -> anyhow::Result<BTreeMap<String, usize>> {
    let (mut digests, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.file_type()?.is_file()
                && entry.path().extension().is_some_and(|it| it == "jpg")
            {
                *digests.entry(sha1_hex(&std::fs::read(entry.path())?)).or_default() += 1;
            }
        }
    }
    Ok(digests)
}

async fn disturbed(server: &mut TestServer, way: &str) -> anyhow::Result<()> {
    let admin = server.client().sign_up().await?;
    let key = admin.create_secret(&["all"]).await?;
    let (photos, same) = (folder(server, "photos"), folder(server, "same"));
    grow(&photos, PHOTOS, SEED)?;
    grow(&same, PHOTOS, SEED)?;
    let wanted = photos_in(&same)?;
    let (path, home) = (photos.to_str().context("an odd folder")?, folder(server, "home"));
    let run = |server: &TestServer| {
        let words = ["import", path, "--json", "--album-from-folder", way, "--data"];
        let mut command = importer("", &key, &home, &words)?;
        command.arg(server.data()).stdout(Stdio::null()).stderr(Stdio::null());
        anyhow::Ok(command.kill_on_drop(true).spawn()?)
    };
    let mut random = StdRng::seed_from_u64(SEED);
    let mut kills: Vec<(usize, bool)> = (0..KILLS.0 + KILLS.1)
        .map(|kill| (random.random_range(0..PHOTOS), kill < KILLS.0))
        .collect();
    kills.sort_unstable();
    let mut child = run(server)?;
    for (placed, is_importer) in kills {
        until("a part of the import", LIMIT, async || {
            let is_over = child.try_wait()?.is_some();
            // What is placed is counted, not what is committed: between the two lie the moments that matter.
            Ok((is_over || originals(server)?.len() >= placed).then_some(()))
        })
        .await?;
        if is_importer {
            child.kill().await?;
            let mut there = photos_in(&photos)?;
            there.extend(photos_in(&server.data().join("library"))?);
            let lost: Vec<_> = wanted.keys().filter(|sha1| !there.contains_key(*sha1)).collect();
            ensure!(lost.is_empty(), "lost when {placed} were placed: {lost:?}");
            child = run(server)?;
        } else {
            server.kill(Victim::Server).await?;
            server.go_on().await?;
        }
    }
    let ended = tokio::time::timeout(LIMIT, child.wait()).await.context("it does not end")??;
    ensure!(ended.code() == Some(SOME_FAILED), "{ended}");
    let kept = Kept::by(&admin, &server.data()).await?;
    ensure!(kept.photos.len() == PHOTOS, "{} photos of {PHOTOS}", kept.photos.len());
    kept.ensure_is(&undisturbed(same.to_str().context("an odd folder")?).await?)?;
    let left = photos_in(&photos)?;
    if way == "--move" {
        // Of what lies twice in the folder one is moved.
        let is_left = |(sha1, count): &(&String, &usize)| **count == 1 && left.contains_key(*sha1);
        let count = wanted.iter().filter(is_left).count();
        ensure!(count == 0, "{count} were imported and are still where they were");
    } else {
        ensure!(left == wanted, "files of the folder are gone, or others");
    }
    Ok(())
}

#[tokio::test]
async fn moved_files_are_in_one_place_or_the_other_however_often_somebody_is_killed()
-> anyhow::Result<()> {
    let options = Options { testing: false, ..Options::default() };
    story(options, async |server| disturbed(server, "--move").await).await
}

#[tokio::test]
async fn copies_into_the_folder_of_a_server_that_is_killed_end_as_if_it_was_not()
-> anyhow::Result<()> {
    let options = Options { testing: false, ..Options::default() };
    story(options, async |server| disturbed(server, "--copy").await).await
}
