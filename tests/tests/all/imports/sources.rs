//! Exports of other programs, as folders and inside archives: what they say arrives over REST.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::{Client, Options, story};
use serde_json::{Value, json};
use walkdir::WalkDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{fill, folder, run, stored, summary};

/// Files of the export that become assets, the film of a live photo among them.
const CREATED: u64 = 15;

/// The asset of a name.
async fn asset(client: &Client, name: &str, more: &Value) -> anyhow::Result<Value> {
    let mut wish = json!({ "originalFileName": name });
    for (field, value) in more.as_object().into_iter().flatten() {
        wish[field] = value.clone();
    }
    let found = client.post("/api/search/metadata", &wish).await?.expect(200)?.json()?;
    let items = found["assets"]["items"].as_array().context("no items")?;
    let item = items.iter().find(|it| it["originalFileName"] == name);
    let id =
        item.and_then(|it| it["id"].as_str()).with_context(|| format!("no {name}: {found}"))?;
    client.get_json(&format!("/api/assets/{id}")).await
}

/// Names of albums with their descriptions and numbers of assets, in order.
async fn albums(client: &Client) -> anyhow::Result<Vec<(String, String, u64)>> {
    let albums = client.get_json("/api/albums").await?;
    let text = |album: &Value, name: &str| album[name].as_str().unwrap_or_default().to_owned();
    let mut told: Vec<_> = albums
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| {
            let count = it["assetCount"].as_u64().unwrap_or_default();
            (text(it, "albumName"), text(it, "description"), count)
        })
        .collect();
    told.sort();
    Ok(told)
}

/// The export's files with their places in it.
fn export() -> anyhow::Result<Vec<(String, PathBuf)>> {
    let root = media("takeout")?;
    let mut files = Vec::new();
    for found in WalkDir::new(&root).sort_by_file_name() {
        let found = found?;
        if found.file_type().is_file() {
            let inner = found.path().strip_prefix(&root)?.to_str().context("an odd name")?;
            files.push((inner.to_owned(), found.into_path()));
        }
    }
    Ok(files)
}

fn zip_of(path: &Path, files: &[&(String, PathBuf)]) -> anyhow::Result<()> {
    let mut zip = ZipWriter::new(File::create(path)?);
    for (name, file) in files {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file(name.as_str(), options)?;
        zip.write_all(&std::fs::read(file)?)?;
    }
    zip.finish()?;
    Ok(())
}

#[tokio::test]
async fn what_google_says_of_photos_arrives() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let home = folder(server, "home");
        let path = media("takeout")?;
        let path = path.to_str().context("an odd folder")?;
        let words = ["import", path, "--json"];
        let done = summary(&run(&server.url(), &key, &home, &words).await?.success()?)?;
        ensure!(done["created"] == CREATED && done["failed"] == 0, "{done}");
        ensure!(done["duplicates"] == 2, "{done}");
        admin.wait_until_idle().await?;

        let first = asset(&admin, "IMG_0001.jpg", &json!({})).await?;
        let exif = &first["exifInfo"];
        ensure!(exif["description"] == "First picture, é ü 日本", "{exif}");
        ensure!(exif["latitude"] == 43.7034 && exif["longitude"] == 7.2663, "{exif}");
        // The camera's clock counts where it was written down.
        let local = first["localDateTime"].as_str().unwrap_or_default();
        ensure!(local.starts_with("2023-10-06T08:30:00"), "{first}");
        for (name, at) in
            [("NO_EXIF.png", "2023-10-09T17:50:00"), ("BEFORE_1970.jpg", "1954-02-26T23:06:40")]
        {
            let it = asset(&admin, name, &json!({})).await?;
            let created = it["fileCreatedAt"].as_str().unwrap_or_default();
            ensure!(created.starts_with(at), "{name}: {it}");
        }
        ensure!(asset(&admin, "IMG_0002.jpg", &json!({})).await?["isFavorite"] == true);
        let archived = asset(&admin, "ARCHIVED.jpg", &json!({ "visibility": "archive" })).await?;
        ensure!(archived["isArchived"] == true, "{archived}");
        let live = asset(&admin, "IMG_5120.HEIC", &json!({})).await?;
        ensure!(live["livePhotoVideoId"].is_string(), "{live}");
        asset(&admin, "this_is_a_very_long_file_name_from_a_camera_app_2023_10_06.jpg", &json!({}))
            .await?;
        let told = albums(&admin).await?;
        let named = |name: &str, text: &str| (name.to_owned(), text.to_owned(), 1);
        ensure!(
            told == [named("Sans titre(3)", ""), named("Summer trip ☀", "album text")],
            "{told:?}"
        );

        let again = summary(&run(&server.url(), &key, &home, &words).await?.success()?)?;
        ensure!(again["created"] == 0 && again["duplicates"] == CREATED + 2, "{again}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn parts_of_an_export_in_archives_are_the_same_as_its_folder() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let home = folder(server, "home");
        let path = media("takeout")?;
        let path = path.to_str().context("an odd folder")?;
        run(&server.url(), &key, &home, &["import", path, "--json"]).await?.success()?;

        // Photos in one part, and all that is said of them in the other.
        let friend = admin.create_user("friend@example.com").await?;
        let key = friend.create_secret(&["all"]).await?;
        let (one, other) = (folder(server, "part-1.zip"), folder(server, "part-2.zip"));
        let files = export()?;
        let (said, photos): (Vec<_>, Vec<_>) =
            files.iter().partition(|(name, _)| name.ends_with(".json"));
        zip_of(&one, &photos)?;
        zip_of(&other, &said)?;
        let whole = std::fs::read(&other)?;
        std::fs::write(&other, whole.get(..whole.len() / 2).context("an empty archive")?)?;
        let paths = [one.to_str().context("odd")?, other.to_str().context("odd")?];
        let words = ["import", paths[0], paths[1], "--json", "--source", "takeout", "--plan"];
        let planned = run(&server.url(), &key, &home, &words).await?.success()?;
        ensure!(planned.stdout.contains("cut off"), "{}", planned.stdout);
        ensure!(summary(&planned)?["failed"] == 1, "{}", planned.stdout);

        std::fs::write(&other, whole)?;
        let words = ["import", paths[0], paths[1], "--json"];
        let done = summary(&run(&server.url(), &key, &home, &words).await?.success()?)?;
        ensure!(done["created"] == CREATED && done["failed"] == 0, "{done}");
        let of = async |client: &Client| {
            anyhow::Ok(stored(client).await?.into_iter().collect::<BTreeSet<String>>())
        };
        ensure!(of(&friend).await? == of(&admin).await?, "other files came out of the archives");
        ensure!(albums(&friend).await? == albums(&admin).await?);
        admin.wait_until_idle().await?;
        let first = asset(&friend, "IMG_0001.jpg", &json!({})).await?;
        ensure!(first["exifInfo"]["description"] == "First picture, é ü 日本", "{first}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn archive_that_was_cut_off_fails_alone() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let (photos, home) = (folder(server, "photos"), folder(server, "home"));
        let digests = fill(&photos, 3)?;
        let files: Vec<(String, PathBuf)> = (0..3)
            .map(|number| format!("IMG_{number:04}.jpg"))
            .map(|name| (name.clone(), photos.join(name)))
            .collect();
        let archive = folder(server, "photos.zip");
        zip_of(&archive, &files.iter().collect::<Vec<_>>())?;
        let whole = std::fs::read(&archive)?;
        std::fs::write(&archive, whole.get(..whole.len() - 30).context("an empty archive")?)?;
        let first = photos.join("IMG_0000.jpg");
        let paths = [first.to_str().context("odd")?, archive.to_str().context("odd")?];
        let words = ["import", paths[0], paths[1], "--json"];
        let done = run(&server.url(), &key, &home, &words).await?;
        ensure!(done.code == Some(2), "exit code {:?}: {}", done.code, done.stderr);
        let told = summary(&done)?;
        ensure!(told["created"] == 1 && told["failed"] == 1, "{told}");

        std::fs::write(&archive, whole)?;
        let told = summary(&run(&server.url(), &key, &home, &words).await?.success()?)?;
        ensure!(told["created"] == 3 && told["duplicates"] == 1, "{told}");
        let kept: BTreeSet<String> = stored(&admin).await?.into_iter().collect();
        ensure!(kept == digests, "other bytes came out of the archive");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn plan_is_kept_and_done_later() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let (photos, home) = (folder(server, "photos"), folder(server, "home"));
        fill(&photos, 3)?;
        let (path, kept) = (photos.to_str().context("odd")?, folder(server, "plan.json"));
        let kept = kept.to_str().context("odd")?;
        let words = ["import", path, "--json", "--album", "All", "--plan", "--save", kept];
        let planned = summary(&run(&server.url(), &key, &home, &words).await?.success()?)?;
        ensure!(planned["new"] == 3 && planned["filesByAlbum"]["All"] == 3, "{planned}");
        ensure!(planned["datesGuessed"]["the file's last change"] == 3, "{planned}");

        std::fs::remove_file(photos.join("IMG_0000.jpg"))?;
        std::fs::copy(media(super::PICTURE)?, photos.join("later.jpg"))?;
        let done = run(&server.url(), &key, &home, &["import", "--apply", kept, "--json"]).await?;
        ensure!(done.code == Some(2), "exit code {:?}: {}", done.code, done.stderr);
        let since = done.stdout.lines().find(|line| line.contains("\"since\""));
        let since: Value = serde_json::from_str(since.context("nothing of changes")?)?;
        let length = |name: &str| since[name].as_array().map(Vec::len);
        ensure!(length("gone") == Some(1) && length("new") == Some(1), "{since}");
        ensure!(length("changed") == Some(0) && length("onServer") == Some(0), "{since}");
        let told = summary(&done)?;
        ensure!(told["created"] == 2 && told["passedOver"] == 1, "{told}");
        ensure!(albums(&admin).await? == [("All".to_owned(), String::new(), 2)]);
        Ok(())
    })
    .await
}
