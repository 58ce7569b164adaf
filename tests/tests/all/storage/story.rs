//! Servers whose files lie in a bucket, as people and administrators see them.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_media::blob::{BlobKey, BlobStore};
use calotype_tests::binary::{command, finish};
use calotype_tests::bucket::{Bucket, SECRET};
use calotype_tests::jpeg::size;
use calotype_tests::media::media;
use calotype_tests::server::Victim;
use calotype_tests::waiting::until;
use calotype_tests::{Answer, Client, Options, TestServer, Upload, import, story};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use reqwest::Method;
use serde_json::{Value, json};

use crate::integrity::{check, found};
use crate::organizing::text;

/// How long work may take; former files of a move stay for ten seconds.
const SOON: Duration = Duration::from_secs(90);
const PHOTO: &str = "photos/nature/prairie_falcon.jpg";
const OTHER: &str = "photos/edge/rating_1.jpg";
/// HEVC with ten bits, which gets a copy.
const FILM: &str = "video/made/hevc_hdr10_10bit.mp4";
const CONFIG: &str = "/api/system-config";

/// A server whose files lie in a bucket.
pub(super) fn on(bucket: &Bucket) -> Options {
    Options {
        arguments: bucket.arguments(),
        environment: bucket.environment(),
        ..Options::default()
    }
}

/// Everything that a folder holds but folders.
fn files(folder: &Path) -> anyhow::Result<usize> {
    let (mut count, mut folders) = (0, vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { count += 1 }
        }
    }
    Ok(count)
}

async fn key_of(client: &Client, id: &str) -> anyhow::Result<BlobKey> {
    let path = text(&client.get_json(&format!("/api/assets/{id}")).await?, "originalPath")?;
    Ok(BlobKey::parse(path.strip_prefix("/data/").context("not stored here")?)?)
}

async fn sent(client: &Client, id: &str, what: &str) -> anyhow::Result<Answer> {
    client.get(&format!("/api/assets/{id}/{what}")).await?.expect(200)
}

async fn part(client: &Client, path: &str, range: &str) -> anyhow::Result<Answer> {
    let request = client.request(Method::GET, path).header("range", range);
    client.send(request).await?.expect(206)
}

async fn until_it_has(client: &Client, id: &str, event: &str) -> anyhow::Result<Value> {
    until(&format!("{event} of {id}"), SOON, async || {
        Ok(client.history(id).await?.into_iter().find(|one| one["type"] == event))
    })
    .await
}

/// Puts bytes under a key, whatever is there.
pub(super) async fn put(blobs: &BlobStore, key: &BlobKey, bytes: &[u8]) -> anyhow::Result<()> {
    let mut writer = blobs.begin().await?;
    writer.write(bytes).await?;
    Ok(writer.finish().await?.replace(key).await?)
}

#[tokio::test]
async fn photo_and_film_live_and_die_in_the_bucket() -> anyhow::Result<()> {
    let bucket = Bucket::start().await?;
    story(on(&bucket), async |server| {
        let admin = server.client().sign_up().await?;
        let photo = admin.upload_file(&media(PHOTO)?).await?;
        let film = admin.upload_file(&media(FILM)?).await?;
        until_it_has(&admin, &film, "AssetVideoEncoded").await?;
        admin.wait_until_idle().await?;

        let (bytes, moving) = (std::fs::read(media(PHOTO)?)?, std::fs::read(media(FILM)?)?);
        ensure!(sent(&admin, &photo, "original").await?.body == bytes, "another photo");
        ensure!(sent(&admin, &film, "original").await?.body == moving, "another film");
        let original = format!("/api/assets/{film}/original");
        let some = part(&admin, &original, "bytes=1000-1999").await?;
        ensure!(some.body == moving[1000..2000], "another part");
        let whole = format!("bytes 1000-1999/{}", moving.len());
        ensure!(some.header("content-range") == whole, "{some:?}");
        let playback = format!("/api/assets/{film}/video/playback");
        ensure!(part(&admin, &playback, "bytes=4-7").await?.body == b"ftyp"[..], "no film");
        let before = sent(&admin, &photo, "thumbnail?size=preview").await?;
        size(&before.body).context("the preview is no JPEG")?;

        let turn = json!([{ "action": "rotate", "parameters": { "angle": 90 } }]);
        let path = format!("/api/assets/{photo}/edits");
        admin.put(&path, &json!({ "edits": turn })).await?.expect(200)?;
        admin.wait_until_idle().await?;
        let after = sent(&admin, &photo, "thumbnail?size=preview&edited=true").await?;
        ensure!(size(&after.body).map(|(w, h)| (h, w)) == size(&before.body), "not turned");
        let said = json!({ "description": "on the wire" });
        admin.put(&format!("/api/assets/{photo}"), &said).await?.expect(200)?;
        until_it_has(&admin, &photo, "AssetSidecarWritten").await?;
        let wish = json!({ "assetIds": [photo, film] });
        let archive = admin.post("/api/download/archive", &wish).await?.expect(200)?;
        ensure!(archive.body.len() > bytes.len() + moving.len(), "the archive is too short");
        picture_of_oneself(&admin, &media(OTHER)?).await?;

        let keys = bucket.keys().await?;
        for word in ["upload/", "thumbs/", "encoded-video/", "profile/"] {
            ensure!(keys.iter().any(|key| key.starts_with(word)), "no {word}: {keys:?}");
        }
        ensure!(keys.iter().any(|key| key.ends_with(".jpg.xmp")), "no sidecar: {keys:?}");
        for folder in ["library", "derived", "tmp"] {
            ensure!(files(&server.data().join(folder))? == 0, "files are left in {folder}");
        }

        let wish = json!({ "ids": [photo, film], "force": true });
        admin.delete("/api/assets", &wish).await?.expect(204)?;
        until("the files to be gone", SOON, async || {
            let keys = bucket.keys().await?;
            Ok(keys.iter().all(|key| key.starts_with("profile/")).then_some(()))
        })
        .await?;
        ensure!(!server.log().contains(SECRET), "the log tells the secret");
        Ok(())
    })
    .await
}

async fn picture_of_oneself(admin: &Client, picture: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(picture)?;
    let part = reqwest::multipart::Part::bytes(bytes.clone()).file_name("me.jpg");
    let form = reqwest::multipart::Form::new().part("file", part);
    let request = admin.request(Method::POST, "/api/users/profile-image").multipart(form);
    admin.send(request).await?.expect(201)?;
    let path = format!("/api/users/{}/profile-image", admin.my_id().await?);
    let shown = admin.get(&path).await?.expect(200)?;
    ensure!(shown.body == bytes, "another picture");
    Ok(())
}

#[tokio::test]
async fn acknowledged_uploads_survive_a_kill() -> anyhow::Result<()> {
    let bucket = Bucket::start().await?;
    story(on(&bucket), async |server| {
        let admin = server.client().sign_up().await?;
        let (pictures, mut random) = (import::pictures()?, StdRng::seed_from_u64(3));
        let mut kept = Vec::new();
        for round in 0..2 {
            for index in 0..4 {
                let name = format!("{round}-{index}");
                let file = import::new_file(&pictures, &mut random, &name)?;
                kept.push((admin.upload(&file).await?, file.bytes));
            }
            server.kill(Victim::Server).await?;
            server.go_on().await?;
        }
        for (id, bytes) in &kept {
            ensure!(sent(&admin, id, "original").await?.body[..] == bytes[..], "{id} is lost");
            admin.wait_for_thumbnail(id).await?;
        }
        admin.wait_until_idle().await?;
        ensure!(files(&server.data().join("tmp"))? == 0, "temporary files are left");
        Ok(())
    })
    .await
}

const REPORT: &str = "/api/admin/integrity/report";

const CHECKS: [&str; 3] = ["missing-files", "untracked-files", "checksum-mismatch"];

#[tokio::test]
async fn what_is_wrong_in_the_bucket_is_told_and_healed() -> anyhow::Result<()> {
    let bucket = Bucket::start().await?;
    story(on(&bucket), async |server| {
        let admin = server.client().sign_up().await?;
        let (lost, damaged) = (Upload::of(&media(PHOTO)?)?, Upload::of(&media(OTHER)?)?);
        let (lost_id, damaged_id) = (admin.upload(&lost).await?, admin.upload(&damaged).await?);
        admin.wait_until_idle().await?;
        let summary = check(&admin, &CHECKS).await?;
        ensure!(summary == found(0, 0, 0), "what is right was found wrong: {summary}");

        let blobs = bucket.blobs().await?;
        let (gone, torn) = (key_of(&admin, &lost_id).await?, key_of(&admin, &damaged_id).await?);
        blobs.remove(&gone).await?;
        put(&blobs, &torn, b"torn").await?;
        let (beside, _) = torn.as_str().rsplit_once('/').context("no folder")?;
        let stray = BlobKey::parse(&format!("{beside}/stray.jpg"))?;
        put(&blobs, &stray, b"stray").await?;
        let summary = check(&admin, &CHECKS).await?;
        ensure!(summary == found(1, 1, 1), "{summary}");
        admin.get(&format!("/api/assets/{lost_id}/original")).await?.expect(404)?;
        let strays = admin.get_json(&format!("{REPORT}?type=untracked_file")).await?;
        let id = text(&strays["items"][0], "id")?;
        let file = admin.get(&format!("{REPORT}/{id}/file")).await?.expect(200)?;
        ensure!(file.body == b"stray"[..], "another file was sent");

        // The same bytes again put the files back.
        for (upload, id) in [(&lost, &lost_id), (&damaged, &damaged_id)] {
            admin.send_upload(upload).await?.expect(200)?;
            ensure!(sent(&admin, id, "original").await?.body == upload.bytes, "not healed");
        }
        admin.call(Method::DELETE, &format!("{REPORT}/{id}"), &json!({})).await?.expect(200)?;
        ensure!(blobs.stat(&stray).await?.is_none(), "the stray file stayed");
        let summary = check(&admin, &CHECKS).await?;
        ensure!(summary == found(0, 0, 0), "{summary}");

        // A picture that was made and is gone is made again.
        let preview = bucket.keys().await?.into_iter().find(|key| key.contains("-preview-"));
        let preview = BlobKey::parse(&preview.context("no preview")?)?;
        blobs.remove(&preview).await?;
        let job = json!({ "name": "integrity-missing-files" });
        admin.post("/api/jobs", &job).await?.expect(204)?;
        until("the preview to be back", SOON, async || Ok(blobs.stat(&preview).await?.map(drop)))
            .await
    })
    .await
}

#[tokio::test]
async fn originals_are_moved_within_the_bucket() -> anyhow::Result<()> {
    let bucket = Bucket::start().await?;
    story(on(&bucket), async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&media(PHOTO)?).await?;
        let said = json!({ "description": "am Meer" });
        admin.put(&format!("/api/assets/{id}"), &said).await?.expect(200)?;
        until_it_has(&admin, &id, "AssetSidecarWritten").await?;
        admin.wait_until_idle().await?;
        let former = key_of(&admin, &id).await?;

        let mut config = admin.get_json(CONFIG).await?;
        config["storageTemplate"]["enabled"] = json!(true);
        config["storageTemplate"]["template"] = json!("{{y}}/Ärger & Meer #1/{{filename}}");
        admin.put(CONFIG, &config).await?.expect(200)?;
        let job = json!({ "command": "start", "force": false });
        admin.put("/api/jobs/storageTemplateMigration", &job).await?.expect(200)?;
        let moved = until("the original to be moved", SOON, async || {
            let key = key_of(&admin, &id).await?;
            Ok(Some(key).filter(|key| key.as_str().starts_with("library/admin/")))
        })
        .await?;
        // One that dies between the copy and the removal goes on where it was.
        server.kill(Victim::Server).await?;
        server.go_on().await?;
        let blobs = bucket.blobs().await?;
        until("the former files to be gone", SOON, async || {
            let is_left = blobs.stat(&former).await?.or(blobs.stat(&former.sidecar()).await?);
            Ok(is_left.is_none().then_some(()))
        })
        .await?;
        ensure!(blobs.stat(&moved.sidecar()).await?.is_some(), "the sidecar did not come along");
        let bytes = std::fs::read(media(PHOTO)?)?;
        ensure!(sent(&admin, &id, "original").await?.body == bytes, "another photo");
        let log = server.log();
        ensure!(!log.contains("Meer"), "the log tells people's words");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn doctor_tells_of_the_bucket() -> anyhow::Result<()> {
    let bucket = Bucket::start().await?;
    let server = TestServer::start(on(&bucket)).await?;
    let doctor = async |address: &str| {
        let mut program = command()?;
        program.args(["doctor", "--port", "0", "--s3-endpoint", &bucket.endpoint()]);
        program.args(["--storage", address, "--data"]).arg(server.data());
        program.envs(bucket.environment());
        finish(program, "", SOON).await
    };
    let done = doctor(&bucket.address()).await?;
    let well = "answers; we may list, write, read, copy, remove";
    ensure!(done.stdout.contains(well), "{}", done.stdout);
    ensure!(!done.stdout.contains(SECRET), "it tells the secret: {}", done.stdout);
    ensure!(bucket.keys().await?.is_empty(), "it left something");
    let done = doctor("s3://no-such-bucket").await?;
    ensure!(done.stdout.contains("cannot list: the bucket is not there"), "{}", done.stdout);
    bucket.shut();
    let done = doctor(&bucket.address()).await?;
    ensure!(
        done.stdout.contains("cannot list: the object store cannot be reached"),
        "{}",
        done.stdout
    );
    Ok(())
}
