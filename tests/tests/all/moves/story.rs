//! The storage template as an administrator and a client see it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::import;
use calotype_tests::media::media;
use calotype_tests::server::Victim;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer, Upload, story};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::organizing::text;

const CONFIG: &str = "/api/system-config";
const QUEUE: &str = "/api/jobs/storageTemplateMigration";
/// How long moving a few files may take: former files stay for ten seconds.
const MOVED_MAX: Duration = Duration::from_secs(90);
const PICTURE: &str = "photos/edge/rating_1.jpg";

async fn use_template(admin: &Client, template: &str) -> anyhow::Result<()> {
    let mut config = admin.get_json(CONFIG).await?;
    config["storageTemplate"]["enabled"] = json!(true);
    config["storageTemplate"]["template"] = json!(template);
    admin.put(CONFIG, &config).await?.expect(200).map(drop)
}

/// Starts the job, once the queue has done what it may have begun with by itself: an upload that was not looked at
/// yet when the template was switched on is a new one to it.
async fn start(admin: &Client) -> anyhow::Result<Value> {
    until("the queue to take a start", MOVED_MAX, async || {
        let answer = admin.put(QUEUE, &json!({ "command": "start", "force": false })).await?;
        if answer.status == 400 && answer.shows("already running") {
            return Ok(None);
        }
        answer.expect(200)?.json().map(Some)
    })
    .await
}

async fn path(client: &Client, id: &str) -> anyhow::Result<String> {
    text(&client.get_json(&format!("/api/assets/{id}")).await?, "originalPath")
}

/// The path of an original as soon as it begins so.
async fn path_under(client: &Client, id: &str, folder: &str) -> anyhow::Result<String> {
    until(&format!("an original under {folder}"), MOVED_MAX, async || {
        Ok(Some(path(client, id).await?).filter(|path| path.starts_with(folder)))
    })
    .await
}

fn on_disk(server: &TestServer, path: &str) -> PathBuf {
    server.data().join("library").join(path.trim_start_matches("/data/"))
}

/// Every stored file under a folder.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    Ok(files)
}

#[tokio::test]
async fn uploads_and_what_was_there_before_lie_where_the_template_says() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let picture = media(PICTURE)?;
        let bytes = std::fs::read(&picture)?;
        let early = admin.upload_file(&picture).await?;
        admin.wait_until_idle().await?;
        let former = path(&admin, &early).await?;
        ensure!(former.starts_with("/data/upload/"), "{former}");
        // Switched off, the job moves nothing.
        start(&admin).await?;
        admin.wait_until_idle().await?;
        ensure!(path(&admin, &early).await? == former, "it was moved");

        use_template(&admin, "{{y}}/{{#if album}}{{album}}{{else}}alone{{/if}}/{{filename}}")
            .await?;
        let late = Upload::new("Ärger.jpg", calotype_tests::jpeg::with_comment(&bytes, "late"));
        let late_bytes = late.bytes.clone();
        let late = admin.upload(&late).await?;
        let late_path = path_under(&admin, &late, "/data/library/admin/").await?;
        ensure!(late_path.ends_with("/alone/Ärger.jpg"), "{late_path}");
        let original = admin.get(&format!("/api/assets/{late}/original")).await?.expect(200)?;
        ensure!(original.body == late_bytes, "other bytes are served");
        ensure!(path(&admin, &early).await? == former, "nobody asked for it to be moved");

        let album = json!({ "albumName": "Bucht/1", "assetIds": [early] });
        admin.post("/api/albums", &album).await?.expect(201)?;
        let said = json!({ "description": "am Meer" });
        admin.put(&format!("/api/assets/{early}"), &said).await?.expect(200)?;
        let beside = on_disk(server, &format!("{former}.xmp"));
        until("a sidecar", MOVED_MAX, async || Ok(beside.exists().then_some(()))).await?;
        let queue = start(&admin).await?;
        ensure!(queue["jobCounts"].is_object(), "{queue}");
        let moved = path_under(&admin, &early, "/data/library/admin/").await?;
        ensure!(moved.contains("/Bucht_1/"), "{moved}");
        until("the former files to be gone", MOVED_MAX, async || {
            let is_gone = !on_disk(server, &former).exists() && !beside.exists();
            Ok(is_gone.then_some(()))
        })
        .await?;
        let sidecar = std::fs::read_to_string(on_disk(server, &format!("{moved}.xmp")))?;
        ensure!(sidecar.contains("am Meer"), "{sidecar}");
        let original = admin.get(&format!("/api/assets/{early}/original")).await?.expect(200)?;
        ensure!(original.body == bytes, "other bytes are served");

        // What is said later is written beside it, there.
        let said = json!({ "description": "an der See" });
        admin.put(&format!("/api/assets/{early}"), &said).await?.expect(200)?;
        until("new words", MOVED_MAX, async || {
            let words = std::fs::read_to_string(on_disk(server, &format!("{moved}.xmp")))?;
            Ok(words.contains("an der See").then_some(()))
        })
        .await?;
        let folders = admin.get_json("/api/view/folder/unique-paths").await?;
        let folder = moved.rsplit_once('/').context("no folder")?.0;
        ensure!(folders.as_array().is_some_and(|all| all.contains(&json!(folder))), "{folders}");
        ensure!(folders.as_array().is_some_and(|all| all.len() == 2), "{folders}");
        // Reading it again finds it.
        let again = json!({ "assetIds": [early], "name": "refresh-metadata" });
        admin.post("/api/assets/jobs", &again).await?.expect(204)?;
        admin.wait_until_idle().await?;
        let queue = admin.get_json("/api/queues/metadataExtraction").await?;
        ensure!(queue["statistics"]["failed"] == 0, "{queue}");
        // Others neither see the words of the template nor find anything by them.
        let friend = admin.create_user("friend@example.com").await?;
        let (me, seer) = (admin.my_id().await?, friend.my_id().await?);
        admin.post(&format!("/api/partners/{seer}"), &json!({})).await?.expect(201)?;
        let wanted = json!({ "inTimeline": true });
        friend.put(&format!("/api/partners/{me}"), &wanted).await?.expect(200)?;
        let shown = path(&friend, &early).await?;
        ensure!(shown == format!("/data/upload/{early}.jpg"), "{shown}");
        for (client, words, count) in
            [(&admin, "Bucht_1", 1), (&friend, "Bucht_1", 0), (&friend, early.as_str(), 1)]
        {
            let body = json!({ "originalPath": words });
            let found = client.post("/api/search/metadata", &body).await?.expect(200)?.json()?;
            ensure!(found["assets"]["count"] == json!(count), "{words}: {found}");
        }
        // What is lost is put back where it lay last.
        std::fs::remove_file(on_disk(server, &moved))?;
        admin.send_upload(&Upload::of(&picture)?).await?.expect(200)?;
        ensure!(std::fs::read(on_disk(server, &moved))? == bytes, "it was not put back there");
        ensure!(!on_disk(server, &former).exists(), "it was put where it lay before");
        let check = json!({ "name": "integrity-untracked-files" });
        admin.post("/api/jobs", &check).await?.expect(204)?;
        admin.wait_until_idle().await?;
        let strange = admin.get_json("/api/admin/integrity/summary").await?;
        ensure!(strange["untracked_file"] == 0, "{strange}");
        // Names of files are not told to the log of the server, and events hold them sealed.
        let log = std::fs::read_to_string(server.log_path())?;
        ensure!(!log.contains("Bucht") && !log.contains("rger.jpg"), "the log tells names");

        // They go with their assets.
        let gone = json!({ "ids": [early, late], "force": true });
        admin.delete("/api/assets", &gone).await?.expect(204)?;
        until("no file to be left", MOVED_MAX, async || {
            Ok(files(&server.data().join("library"))?.is_empty().then_some(()))
        })
        .await
    })
    .await
}

#[tokio::test]
async fn kills_in_the_middle_of_the_job_lose_and_double_nothing() -> anyhow::Result<()> {
    const FILES: usize = 12;
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let pictures = import::pictures()?;
        let mut random = StdRng::seed_from_u64(12);
        let mut uploads = Vec::new();
        for index in 0..FILES {
            let file = import::new_file(&pictures, &mut random, &format!("moved {index}"))?;
            uploads.push((admin.upload(&file).await?, file.bytes));
        }
        admin.wait_until_idle().await?;
        use_template(&admin, "{{y}}/{{filename}}").await?;
        start(&admin).await?;
        for kept in [1, FILES / 2, FILES - 1] {
            // As soon as so many are at their new place.
            let library = server.data().join("library/library");
            until("some moves", MOVED_MAX, async || {
                Ok((files(&library)?.len() >= kept).then_some(()))
            })
            .await?;
            server.kill(Victim::Server).await?;
            server.go_on().await?;
            for (id, bytes) in &uploads {
                let original =
                    admin.get(&format!("/api/assets/{id}/original")).await?.expect(200)?;
                ensure!(original.body == *bytes, "other bytes are served");
            }
        }
        until("all moves", MOVED_MAX, async || {
            let left = files(&server.data().join("library/upload"))?.len();
            Ok((left == 0).then_some(()))
        })
        .await?;
        ensure!(files(&server.data().join("library/library"))?.len() == FILES, "not as many files");
        for (id, bytes) in &uploads {
            let path = path(&admin, id).await?;
            ensure!(std::fs::read(on_disk(server, &path))? == *bytes, "other bytes at {path}");
            let history = admin.history(id).await?;
            let moves = history.iter().filter(|it| it["type"] == "AssetOriginalMoved").count();
            ensure!(moves == 1, "{moves} moves were recorded of {id}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn deleted_sidecar_of_a_moved_original_is_gone() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        use_template(&admin, "{{y}}/{{filename}}").await?;
        let id = admin.upload_file(&media(PICTURE)?).await?;
        let original = on_disk(server, &path_under(&admin, &id, "/data/library/").await?);
        let sidecar = PathBuf::from(format!("{}.xmp", original.display()));
        let said = json!({ "description": "by the sea" });
        admin.put(&format!("/api/assets/{id}"), &said).await?.expect(200)?;
        until("the caption beside the original", MOVED_MAX, async || {
            Ok(sidecar.exists().then_some(()))
        })
        .await?;
        admin.wait_until_idle().await?;

        let listed = format!("/api/asset-files?assetId={id}&type=sidecar");
        let file = text(&admin.get_json(&listed).await?[0], "id")?;
        admin.delete(&format!("/api/asset-files/{file}"), &json!({})).await?.expect(204)?;
        until("the sidecar to go", MOVED_MAX, async || Ok((!sidecar.exists()).then_some(())))
            .await?;
        ensure!(original.exists(), "the original went with it");
        ensure!(admin.get_json(&listed).await? == json!([]), "it is listed still");
        Ok(())
    })
    .await
}
