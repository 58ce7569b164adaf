//! Backups in a bucket, of servers whose files lie in one, with the keys in them, and places that are refused.

use std::time::Duration;

use anyhow::ensure;
use calotype_media::objects::ObjectError;
use calotype_tests::bucket::{Bucket, SECRET};
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Options, story};

use super::{
    LIMIT, NAME, OTHER, PHOTO, new_folder, on, options, place, said, text, upload_named, with,
};

#[tokio::test]
async fn server_in_a_bucket_is_backed_up_to_a_bucket_and_comes_back_in_a_folder()
-> anyhow::Result<()> {
    let bucket = Bucket::start().await?;
    let on_bucket =
        Options { arguments: bucket.arguments(), environment: bucket.environment(), ..options() };
    story(on_bucket, async |server| {
        let admin = server.client().sign_up().await?;
        upload_named(&admin, PHOTO, NAME).await?;
        admin.upload_file(&media(OTHER)?).await?;
        admin.wait_until_idle().await?;
        let mut here = bucket.environment();
        here.push(("CALOTYPE_STORAGE".into(), bucket.address()));
        here.push(("CALOTYPE_S3_ENDPOINT".into(), bucket.endpoint()));
        let refused =
            with(&server.data(), &["backup", &bucket.address()], &here).await?.failure()?;
        ensure!(refused.contains("the server's own files lie there"), "{refused}");
        let to = format!("{}-backup", bucket.address());
        for new in [2, 0] {
            let made = with(&server.data(), &["backup", &to, "--with-master-key"], &here).await?;
            let made = made.success()?.stdout;
            ensure!(made.contains(&format!("of them {new} new with")), "{made}");
            ensure!(made.contains("The master key is in this backup"), "{made}");
        }
        let rehearsed = with(&server.data(), &["restore", "--rehearse", &to], &here).await?;
        let rehearsed = rehearsed.success()?.stdout;
        ensure!(rehearsed.contains("2 files of 2 are there and whole"), "{rehearsed}");

        // The keys come from the backup, and the files go into the folder.
        let mut there = bucket.environment();
        there.push(("CALOTYPE_BACKUP_S3_ENDPOINT".into(), bucket.endpoint()));
        let folder = server.scratch().join("restored");
        let restored = with(&folder, &["restore", &to], &there).await?.success()?;
        ensure!(
            restored.stdout.contains("2 files were restored, 0 are lost"),
            "{}",
            restored.stdout
        );
        ensure!(folder.join("keys/proof.key").exists(), "the key that signs is missing");
        let whole = said(&folder, &["verify", "--blobs"]).await?;
        ensure!(whole.contains("2 originals were read"), "{whole}");
        let log = said(&folder, &["verify"]).await?;
        ensure!(log.contains("The log is what was recorded and signed."), "{log}");
        ensure!(!restored.stderr.contains(SECRET) && !restored.stdout.contains(SECRET));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn one_backup_at_a_time_is_made_in_a_bucket() -> anyhow::Result<()> {
    let bucket = Bucket::start().await?;
    story(options(), async |server| {
        let admin = server.client().sign_up().await?;
        admin.upload_file(&media(OTHER)?).await?;
        admin.wait_until_idle().await?;
        let mut here = bucket.environment();
        here.push(("CALOTYPE_BACKUP_S3_ENDPOINT".into(), bucket.endpoint()));
        let to = bucket.address();
        let held = bucket.objects()?.lock().await?;

        let refused = with(&server.data(), &["backup", &to], &here).await?.failure()?;

        ensure!(refused.contains("another program works in s3://"), "{refused}");
        held.release().await?;
        let made = with(&server.data(), &["backup", &to], &here).await?.success()?.stdout;
        ensure!(made.contains("The backup is whole."), "{made}");
        // It left nothing behind that keeps the next one out.
        with(&server.data(), &["backup", &to], &here).await?.success()?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn bucket_of_a_killed_program_becomes_free_and_who_lost_it_stops() -> anyhow::Result<()> {
    const LEASE: Duration = Duration::from_secs(2);
    let bucket = Bucket::start().await?;
    let objects = bucket.objects()?;
    let killed = objects.lock_for(LEASE).await?;
    let next = until("the lease to run out", LIMIT, async || match objects.lock_for(LEASE).await {
        Ok(next) => Ok(Some(next)),
        Err(ObjectError::Leased { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    })
    .await?;

    // It was only slow, and works on.
    let lost = killed.during(std::future::pending::<()>()).await;

    ensure!(matches!(lost, Err(ObjectError::Leased { .. })), "{lost:?}");
    killed.release().await?;
    ensure!(objects.get("lock").await?.is_some(), "the lease of the next one is gone");
    next.release().await?;
    ensure!(objects.get("lock").await?.is_none(), "the lease was not given back");
    Ok(())
}

#[tokio::test]
async fn places_that_cannot_hold_a_backup_are_refused() -> anyhow::Result<()> {
    story(options(), async |server| {
        let admin = server.client().sign_up().await?;
        upload_named(&admin, PHOTO, NAME).await?;
        admin.wait_until_idle().await?;
        let data = server.data();
        let inside = data.join("backup");
        let refused = on(&data, &["backup", text(&inside)?]).await?.failure()?;
        ensure!(refused.contains("a backup inside the data folder"), "{refused}");
        let to = place(server);
        let remote = ["backup", text(&to)?, "--server", &server.url(), "--api-key", "x"];
        let refused = calotype_tests::binary::run(&remote, "").await?.failure()?;
        ensure!(refused.contains("say --data DIR"), "{refused}");
        let nobodys = server.scratch().join("nobodys");
        std::fs::create_dir(&nobodys)?;
        let refused = on(&nobodys, &["backup", text(&to)?]).await?.failure()?;
        ensure!(refused.contains("no server has had"), "{refused}");
        said(&data, &["backup", text(&to)?]).await?;

        // Without the master key nothing can be restored.
        let folder = server.scratch().join("keyless");
        let refused = on(&folder, &["restore", text(&to)?]).await?.failure()?;
        ensure!(refused.contains("the master key is needed"), "{refused}");
        // With somebody else's neither.
        let folder = new_folder(server, "other-key")?;
        std::fs::write(folder.join("keys/master.key"), "7".repeat(64))?;
        let refused = on(&folder, &["restore", text(&to)?]).await?.failure()?;
        ensure!(refused.contains("does not open this log"), "{refused}");

        // Another server's backup does not lie in the same place.
        server.terminate().await?;
        let mut other = calotype_tests::TestServer::start(options()).await?;
        let refused = on(&other.data(), &["backup", text(&to)?]).await?;
        other.terminate().await?;
        let refused = refused.failure()?;
        ensure!(refused.contains("of another log"), "{refused}");
        Ok(())
    })
    .await
}
