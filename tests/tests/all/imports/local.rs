//! Imports on the machine of the server: files go into its data folder without being sent.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use calotype_tests::answer::sha1_hex;
use calotype_tests::binary::{Done, finish};
use calotype_tests::client::ADMIN_EMAIL;
use calotype_tests::{Options, TestServer, story};
use reqwest::Method;
use serde_json::json;

use super::{IMPORT_LIMIT, count, fill, folder, importer, stored, summary};

/// Photos of an import.
const PHOTOS: usize = 12;

/// The importer, told a data folder and no address.
async fn beside(server: &TestServer, key: &str, words: &[&str]) -> anyhow::Result<Done> {
    let mut command = importer("", key, &folder(server, "home"), words)?;
    command.arg("--data").arg(server.data()).arg("--json");
    finish(command, "", IMPORT_LIMIT).await
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("an odd folder")
}

/// Every file below a folder.
fn files_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let into = if entry.file_type()?.is_dir() { &mut folders } else { &mut files };
            into.push(entry.path());
        }
    }
    Ok(files)
}

fn inodes(files: &[PathBuf]) -> anyhow::Result<BTreeSet<u64>> {
    files.iter().map(|file| Ok(std::fs::metadata(file)?.ino())).collect()
}

#[tokio::test]
async fn files_are_copied_linked_or_moved_into_the_folder_of_a_running_server() -> anyhow::Result<()>
{
    for (way, is_linked, stays) in
        [("--copy", false, true), ("--link", true, true), ("--move", true, false)]
    {
        story(Options::default(), async |server| {
            let admin = server.client().sign_up().await?;
            let key = admin.create_secret(&["all"]).await?;
            let photos = folder(server, "photos");
            let digests = fill(&photos, PHOTOS)?;
            let sources = inodes(&files_in(&photos)?)?;
            let words = ["import", text(&photos)?, way];
            let done = summary(&beside(server, &key, &words).await?.success()?)?;
            ensure!(done["created"] == PHOTOS && done["isWhole"] == true, "{done}");
            ensure!(stored(&admin).await?.into_iter().collect::<BTreeSet<_>>() == digests);
            let library = files_in(&server.data().join("library"))?;
            ensure!(library.len() == PHOTOS, "{} files are stored", library.len());
            ensure!((inodes(&library)? == sources) == is_linked, "{way} links, or does not");
            ensure!(files_in(&photos)?.len() == if stays { PHOTOS } else { 0 });
            for id in admin.timeline("visibility=timeline").await? {
                admin.wait_for_thumbnail(&id).await?;
                let original =
                    admin.get(&format!("/api/assets/{id}/original")).await?.expect(200)?;
                ensure!(digests.contains(&original.sha1()), "other bytes came back");
            }
            // Bytes that are there stay where they are.
            fill(&photos, PHOTOS)?;
            let again = summary(&beside(server, &key, &words).await?.success()?)?;
            ensure!(again["created"] == 0 && again["duplicates"] == PHOTOS, "{again}");
            ensure!(files_in(&photos)?.len() == PHOTOS, "a file that was there was moved");
            ensure!(count(&admin).await? == u64::try_from(PHOTOS)?, "doubles");
            Ok(())
        })
        .await
        .context(way)?;
    }
    Ok(())
}

#[tokio::test]
async fn data_folder_that_no_server_has_open_is_opened_for_an_import() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let photos = folder(server, "photos");
        let digests = fill(&photos, PHOTOS)?;
        let words = |user| ["import", text(&photos).unwrap_or_default(), "--user", user];
        let running = beside(server, "", &words(ADMIN_EMAIL)).await?.failure()?;
        ensure!(running.contains("--api-key"), "{running}");
        server.terminate().await?;
        let whose = beside(server, "", &["import", text(&photos)?]).await?.failure()?;
        ensure!(whose.contains("--user"), "{whose}");
        let nobody = beside(server, "", &words("nobody@example.com")).await?.failure()?;
        ensure!(nobody.contains("no such account"), "{nobody}");
        let done = summary(&beside(server, "", &words(ADMIN_EMAIL)).await?.success()?)?;
        ensure!(done["created"] == PHOTOS && done["isWhole"] == true, "{done}");
        let again = summary(&beside(server, "", &words(ADMIN_EMAIL)).await?.success()?)?;
        ensure!(again["created"] == 0 && again["duplicates"] == PHOTOS, "{again}");
        server.go_on().await?;
        ensure!(stored(&admin).await?.into_iter().collect::<BTreeSet<_>>() == digests);
        for id in admin.timeline("visibility=timeline").await? {
            admin.wait_for_thumbnail(&id).await?;
            let original = admin.get(&format!("/api/assets/{id}/original")).await?.expect(200)?;
            ensure!(digests.contains(&original.sha1()), "other bytes came back");
        }
        let keys = admin.get_json("/api/api-keys").await?;
        ensure!(keys == json!([]), "the key of the import still opens something: {keys}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn files_that_were_placed_before_a_kill_are_used_by_the_next_import() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let photos = folder(server, "photos");
        let digests = fill(&photos, PHOTOS)?;
        // What an importer leaves that ended before it could commit: its batch, its journal, and files in their places.
        let name = "0b6f4c4e-1a48-4f0b-9d36-6d0f0f5c9c11";
        let open = admin.request(Method::POST, "/api/calotype/batches");
        let batch = admin.send(open.header("idempotency-key", name)).await?.expect(201)?.json()?;
        let batch = batch["id"].as_str().context("no batch")?;
        let journal = folder(server, "journal.jsonl");
        std::fs::write(&journal, format!("{}\n", json!({ "batch": name })))?;
        let library = server.data().join("library");
        for (number, photo) in files_in(&photos)?.into_iter().enumerate() {
            let bytes = std::fs::read(&photo)?;
            let file = json!({
                "sha1": sha1_hex(&bytes), "extension": "jpg",
                "blake3": blake3::hash(&bytes).to_hex().to_string(),
            });
            let wish = json!({ "files": [file], "withKeys": true });
            let path = format!("/api/calotype/batches/{batch}/check");
            let told = admin.post(&path, &wish).await?.expect(200)?.json()?;
            let place = library.join(told["files"][0]["key"].as_str().context("no key")?);
            std::fs::create_dir_all(place.parent().context("no folder")?)?;
            std::fs::copy(&photo, &place)?;
            if number == 0 {
                // A link whose file was written to since.
                std::fs::write(&place, "other bytes")?;
            }
        }
        ensure!(count(&admin).await? == 0, "what is not committed is an asset");
        let placed = inodes(&files_in(&library)?)?;
        let path = journal.to_str().context("an odd folder")?;
        let words = ["import", text(&photos)?, "--journal", path];
        let done = summary(&beside(server, &key, &words).await?.success()?)?;
        ensure!(done["created"] == PHOTOS && done["batch"] == batch, "{done}");
        ensure!(stored(&admin).await?.into_iter().collect::<BTreeSet<_>>() == digests);
        for id in admin.timeline("visibility=timeline").await? {
            let original = admin.get(&format!("/api/assets/{id}/original")).await?.expect(200)?;
            ensure!(digests.contains(&original.sha1()), "other bytes came back");
        }
        let kept = inodes(&files_in(&library)?)?;
        ensure!(kept.len() == PHOTOS, "files are left over");
        ensure!(kept.intersection(&placed).count() >= PHOTOS - 1, "files were placed anew");
        Ok(())
    })
    .await
}
