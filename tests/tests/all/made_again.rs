//! What was made of originals may be deleted, or be cut off by a power cut: it is made again when somebody wants it,
//! and by the check of the stored files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, story};
use serde_json::json;

/// How long the server may take for one of these.
const SOON: Duration = Duration::from_secs(60);
const PICTURE: &str = "photos/edge/rating_1.jpg";
/// A photo to draw on.
const PORTRAIT: &str = "photos/nature/prairie_falcon.jpg";
/// HEVC with ten bits and PQ, three seconds.
const HDR: &str = "video/made/hevc_hdr10_10bit.mp4";

/// The files under a folder whose names hold a word, in order.
fn files(folder: &Path, word: &str) -> anyhow::Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.file_name().to_string_lossy().contains(word) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

async fn requests(client: &Client, id: &str) -> anyhow::Result<usize> {
    let events = client.history(id).await?;
    Ok(events.iter().filter(|event| event["type"] == "AssetProcessingRequested").count())
}

/// What is under a path, once it is there again.
async fn again(client: &Client, path: &str) -> anyhow::Result<Vec<u8>> {
    until(&format!("{path} to be made again"), SOON, async || {
        let answer = client.get(path).await?;
        ensure!(matches!(answer.status, 200 | 404), "{}", answer.shown());
        Ok((answer.status == 200).then(|| answer.body.to_vec()))
    })
    .await
}

#[tokio::test]
async fn pictures_that_are_gone_or_cut_off_are_made_again_when_somebody_wants_them()
-> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&media(PICTURE)?).await?;
        let edits = json!({ "edits": [
            { "action": "crop", "parameters": { "x": 0, "y": 0, "width": 8, "height": 8 } }
        ] });
        admin.wait_until_idle().await?;
        admin.put(&format!("/api/assets/{id}/edits"), &edits).await?.expect(200)?;
        admin.wait_until_idle().await?;
        let (thumbnail, preview, edited) = (
            format!("/api/assets/{id}/thumbnail"),
            format!("/api/assets/{id}/thumbnail?size=preview"),
            format!("/api/assets/{id}/original?edited=true"),
        );
        let before = admin.get(&preview).await?.expect(200)?.body;
        let before_edited = admin.get(&edited).await?.expect(200)?.body;
        let derived = server.data().join("derived");

        let asked = requests(&admin, &id).await?;
        fs::remove_dir_all(&derived)?;
        // Whoever asks first hears that it is missing, and any number of others do not ask for it again.
        for _ in 0..3 {
            let answer = admin.get(&thumbnail).await?;
            ensure!(matches!(answer.status, 200 | 404), "{}", answer.shown());
        }
        again(&admin, &thumbnail).await?;
        ensure!(again(&admin, &preview).await? == before, "another preview was made");
        ensure!(again(&admin, &edited).await? == before_edited, "another edited photo was made");
        // Pictures and those of the edited photo, which go along.
        let now = requests(&admin, &id).await?;
        ensure!(now == asked + 2, "asked for {} times", now - asked);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn pieces_of_pictures_are_not_shown() -> anyhow::Result<()> {
    for cut in [0, 2] {
        story(Options::default(), async |server| {
            let admin = server.client().sign_up().await?;
            let id = admin.upload_file(&media(PICTURE)?).await?;
            admin.wait_until_idle().await?;
            let path = format!("/api/assets/{id}/thumbnail?size=preview");
            let before = admin.get(&path).await?.expect(200)?.body;
            let found = files(&server.data().join("derived"), "-preview-")?;
            let file = found.first().context("no preview")?;
            fs::write(file, &before[..before.len() * cut / 3])?;

            let answer = admin.get(&path).await?.expect(404)?;
            ensure!(!answer.headers.contains_key("cache-control"), "{:?}", answer.headers);
            ensure!(again(&admin, &path).await? == before, "another preview was made");
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn check_of_stored_files_has_lost_pictures_made_again() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let portrait = admin.upload_file(&media(PORTRAIT)?).await?;
        let lost = admin.upload_file(&media(PICTURE)?).await?;
        let person = admin.post("/api/people", &json!({ "name": "Anna" })).await?.expect(201)?;
        let person = person.json()?["id"].as_str().context("no id")?.to_owned();
        admin.wait_until_idle().await?;
        let face = json!({
            "assetId": portrait, "personId": person, "imageWidth": 1440, "imageHeight": 960,
            "x": 333, "y": 111, "width": 222, "height": 123,
        });
        admin.post("/api/faces", &face).await?.expect(201)?;
        let of_person = format!("/api/people/{person}/thumbnail");
        let anna = again(&admin, &of_person).await?;
        let derived = server.data().join("derived");
        let check = async || -> anyhow::Result<serde_json::Value> {
            let job = json!({ "name": "integrity-missing-files" });
            admin.post("/api/jobs", &job).await?.expect(204)?;
            admin.wait_until_idle().await?;
            admin.get_json("/api/admin/integrity/summary").await
        };

        // One with its original, one without: nothing can be made of that.
        for word in ["-preview-", "-thumbnail-"] {
            for file in files(&derived, word)? {
                fs::remove_file(file)?;
            }
        }
        for file in files(&derived, &person)? {
            fs::write(file, b"")?;
        }
        fs::remove_file(&files(&server.data().join("library"), &lost)?[0])?;
        let summary = check().await?;
        ensure!(summary["missing_file"] == 1, "{summary}");
        until("the pictures of the portrait", SOON, async || {
            Ok((files(&derived, &format!("{portrait}-"))?.len() == 2).then_some(()))
        })
        .await?;
        ensure!(requests(&admin, &portrait).await? == 1, "not asked for once");
        ensure!(requests(&admin, &lost).await? == 0, "asked for what cannot be made");
        // The preview that it is cut out of is there by now.
        check().await?;
        let answer = admin.get(&of_person).await?.expect(200)?;
        ensure!(answer.body.as_ref() == anna, "another picture of a person");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn film_plays_while_its_lost_copy_is_made_again() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let original = fs::read(media(HDR)?)?;
        let mut config = admin.get_json("/api/system-config").await?;
        config["ffmpeg"]["targetResolution"] = json!("360");
        admin.put("/api/system-config", &config).await?.expect(200)?;
        let id = admin.upload_file(&media(HDR)?).await?;
        let path = format!("/api/assets/{id}/video/playback");
        let is_copy = async || -> anyhow::Result<Option<()>> {
            let answer = admin.get(&path).await?.expect(200)?;
            Ok((answer.body.as_ref() != original).then_some(()))
        };
        until("a copy", SOON, async || is_copy().await).await?;
        admin.wait_until_idle().await?;
        for file in files(&server.data().join("derived/encoded-video"), &id)? {
            fs::remove_file(file)?;
        }
        ensure!(is_copy().await?.is_none(), "the copy is still there");
        until("the copy to be made again", SOON, async || is_copy().await).await
    })
    .await
}
