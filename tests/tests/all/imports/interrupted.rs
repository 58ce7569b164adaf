//! The importer and the server are killed on the way: the end is that of an import that nobody disturbed.

use anyhow::{Context as _, ensure};
use calotype_tests::tree::{Disturbance, Kept, grow, import_disturbed};
use calotype_tests::{Client, Options, TestServer, story};
use serde_json::{Value, json};

use super::{count, folder, importer, run, summary};

/// Photos of the folder, in which importer and server are each killed twenty times; `./dev soak import` takes a hundred thousand.
const PHOTOS: usize = 1_000;
/// Chooses bytes and moments.
const SEED: u64 = 7;
/// How an import ends of which some files cannot be read.
pub(super) const SOME_FAILED: i32 = 2;

fn words(path: &str) -> [&str; 4] {
    ["import", path, "--json", "--album-from-folder"]
}

/// An import that nobody disturbs, into a server of its own.
pub(super) async fn undisturbed(path: &str) -> anyhow::Result<Kept> {
    let mut server = TestServer::start(Options::default()).await?;
    let admin = server.client().sign_up().await?;
    let key = admin.create_secret(&["all"]).await?;
    let home = folder(&server, "home");
    let done = run(&server.url(), &key, &home, &words(path)).await?;
    ensure!(done.code == Some(SOME_FAILED), "exit code {:?}: {}", done.code, done.stderr);
    let kept = Kept::by(&admin, &server.data()).await?;
    server.terminate().await?;
    Ok(kept)
}

#[tokio::test]
async fn import_that_is_killed_again_and_again_ends_as_one_that_was_not() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let (photos, home) = (folder(server, "photos"), folder(server, "home"));
        let grown = grow(&photos, PHOTOS, SEED)?;
        let path = photos.to_str().context("an odd folder")?;
        let wanted = Disturbance { seed: SEED, importer: 20, server: 20 };
        let ended = import_disturbed(server, &admin, PHOTOS, wanted, |server| {
            importer(&server.url(), &key, &home, &words(path))
        })
        .await?;
        ensure!(
            ended.code() == Some(SOME_FAILED),
            "the importer did not outlive the server: {ended}"
        );
        let kept = Kept::by(&admin, &server.data()).await?;
        ensure!(kept.photos.len() == PHOTOS, "{} photos of {PHOTOS}", kept.photos.len());
        kept.ensure_is(&undisturbed(path).await?)?;

        let done = run(&server.url(), &key, &home, &words(path)).await?;
        let again = summary(&done)?;
        ensure!(again["failed"] == grown.broken, "{again}");
        ensure!(count(&admin).await? == u64::try_from(PHOTOS)?, "imported twice");
        Ok(())
    })
    .await
}

/// What a person sees of a library.
async fn shown(admin: &Client) -> anyhow::Result<Vec<Value>> {
    let timeline = admin.timeline("visibility=timeline").await?;
    let mut shown = vec![json!(timeline)];
    for path in [
        "/api/albums",
        "/api/tags",
        "/api/assets/statistics",
        "/api/timeline/buckets",
        "/api/users/me/statistics",
    ] {
        let answer = admin.get(path).await?;
        shown.push(if answer.status == 200 { answer.json()? } else { Value::Null });
    }
    Ok(shown)
}

#[tokio::test]
async fn rollback_of_an_import_that_was_killed_leaves_the_library_as_before() -> anyhow::Result<()>
{
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let (photos, home) = (folder(server, "photos"), folder(server, "home"));
        let before = folder(server, "before");
        super::fill(&before, 3)?;
        let path = before.to_str().context("an odd folder")?;
        run(&server.url(), &key, &home, &words(path)).await?.success()?;
        admin.wait_until_idle().await?;
        let (as_it_was, kept) = (shown(&admin).await?, Kept::by(&admin, &server.data()).await?);

        grow(&photos, 200, SEED)?;
        let path = photos.to_str().context("an odd folder")?;
        let wanted = Disturbance { seed: SEED, importer: 1, server: 1 };
        import_disturbed(server, &admin, 200, wanted, |server| {
            importer(&server.url(), &key, &home, &words(path))
        })
        .await?;
        ensure!(count(&admin).await? == 203, "the import is not whole");
        let batches = admin.get_json("/api/calotype/batches").await?;
        let batch = batches.as_array().into_iter().flatten().find(|it| it["created"] == 200);
        let batch = batch.and_then(|it| it["id"].as_str()).context("one import is several")?;
        let words = ["batches", "rollback", batch, "--for-good"];
        run(&server.url(), &key, &home, &words).await?.success()?;
        admin.wait_until_idle().await?;
        ensure!(shown(&admin).await? == as_it_was, "the library is not as it was");
        calotype_tests::waiting::until(
            "the stored files as they were",
            std::time::Duration::from_secs(120),
            async || {
                let now = Kept::by(&admin, &server.data()).await?;
                Ok(now.ensure_is(&kept).is_ok().then_some(()))
            },
        )
        .await
    })
    .await
}
