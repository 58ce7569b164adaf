//! `calotype import` over a folder as people have them.

use std::os::unix::ffi::OsStrExt as _;

use anyhow::{Context as _, ensure};
use calotype_tests::{Options, story};

use super::{count, fill, folder, picture, run, summary};

#[tokio::test]
async fn folder_with_odd_names_is_imported_once_and_taken_back() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let (photos, home) = (folder(server, "photos"), folder(server, "home"));
        fill(&photos.join("Sommer"), 3)?;
        let odd = [
            "Größe ☀.jpg".as_bytes().to_vec(),
            b"two\nlines.jpg".to_vec(),
            b"no \xff utf8.jpg".to_vec(),
            format!("{}.jpg", "x".repeat(251)).into_bytes(),
        ];
        for (number, name) in odd.iter().enumerate() {
            let name = std::ffi::OsStr::from_bytes(name);
            std::fs::write(photos.join(name), picture(100 + number)?)?;
        }
        // The same bytes once more, a link, a link that leads back, and what is no photo.
        std::fs::create_dir(photos.join("Album"))?;
        std::fs::write(photos.join("Album/copy.jpg"), picture(0)?)?;
        std::os::unix::fs::symlink(photos.join("Sommer/IMG_0001.jpg"), photos.join("link.jpg"))?;
        std::os::unix::fs::symlink(&photos, photos.join("Album/back"))?;
        std::fs::write(photos.join("notes.txt"), "notes")?;
        let path = photos.to_str().context("an odd folder")?;

        let planned =
            run(&server.url(), &key, &home, &["import", path, "--plan", "--json"]).await?;
        let planned = summary(&planned.success()?)?;
        ensure!(planned["new"] == 7 && planned["duplicates"] == 2, "{planned}");
        ensure!(count(&admin).await? == 0 && !home.exists(), "a plan changed something");

        let words = ["import", path, "--json", "--album-from-folder", "--tag", "Import"];
        let done = summary(&run(&server.url(), &key, &home, &words).await?.success()?)?;
        ensure!(done["created"] == 7 && done["duplicates"] == 2, "{done}");
        ensure!(done["failed"] == 0 && done["passedOver"] == 2, "{done}");
        ensure!(count(&admin).await? == 7);
        let albums = admin.get_json("/api/albums").await?;
        let album = |name: &str| {
            albums.as_array().into_iter().flatten().find(|it| it["albumName"] == name).cloned()
        };
        ensure!(album("Sommer").context("no album")?["assetCount"] == 3, "{albums}");
        // The copy and its twin are one asset, in both albums.
        ensure!(album("Album").context("no album")?["assetCount"] == 1, "{albums}");

        let again = summary(&run(&server.url(), &key, &home, &words).await?.success()?)?;
        ensure!(again["created"] == 0 && again["duplicates"] == 9, "{again}");
        ensure!(count(&admin).await? == 7, "imported twice");

        let id = done["batch"].as_str().context("no batch")?;
        let told = run(&server.url(), &key, &home, &["batches", "list"]).await?.success()?;
        ensure!(told.stdout.contains(id), "{}", told.stdout);
        let told =
            run(&server.url(), &key, &home, &["batches", "rollback", id]).await?.success()?;
        ensure!(
            told.stdout.starts_with("7 photos and films went into the trash"),
            "{}",
            told.stdout
        );
        ensure!(count(&admin).await? == 0, "something was left");
        ensure!(admin.get_json("/api/albums").await? == serde_json::json!([]), "albums were left");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn file_that_is_refused_ends_nothing_and_is_told() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let (photos, home) = (folder(server, "photos"), folder(server, "home"));
        fill(&photos, 2)?;
        std::os::unix::fs::symlink("nowhere", photos.join("broken.jpg"))?;
        let path = photos.to_str().context("an odd folder")?;
        let report = folder(server, "report.jsonl");
        let report_path = report.to_str().context("an odd folder")?;
        let words = ["import", path, "--json", "--report", report_path];
        let done = run(&server.url(), &key, &home, &words).await?;
        ensure!(done.code == Some(2), "exit code {:?}: {}", done.code, done.stderr);
        let told = summary(&done)?;
        ensure!(told["created"] == 2 && told["failed"] == 1 && told["isWhole"] == false, "{told}");
        let report = std::fs::read_to_string(&report)?;
        ensure!(report.lines().count() == 3 && report.contains("broken.jpg"), "{report}");
        std::fs::remove_file(photos.join("broken.jpg"))?;
        let told = summary(&run(&server.url(), &key, &home, &words).await?.success()?)?;
        ensure!(told["isWhole"] == true && count(&admin).await? == 2, "{told}");

        let wrong = run(&server.url(), "no key", &home, &words).await?.failure()?;
        ensure!(wrong.contains("401"), "{wrong}");
        Ok(())
    })
    .await
}
