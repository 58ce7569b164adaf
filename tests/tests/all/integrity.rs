//! Checks of the stored files: what is lost, damaged or nobody's is found, and an upload heals it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer, Upload, database, story};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::organizing::text;

const REPORT: &str = "/api/admin/integrity/report";
/// How long a picture of a person may take on a busy machine.
const SOON: Duration = Duration::from_secs(60);
/// What another program wrote beside a photo.
const SIDECAR: &str = concat!(
    r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF "#,
    r#"xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" "#,
    r#"xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="2"/></rdf:RDF></x:xmpmeta>"#
);

pub(crate) async fn check(admin: &Client, names: &[&str]) -> anyhow::Result<Value> {
    for name in names {
        let job = json!({ "name": format!("integrity-{name}") });
        admin.post("/api/jobs", &job).await?.expect(204)?;
    }
    admin.wait_until_idle().await?;
    admin.get_json("/api/admin/integrity/summary").await
}

pub(crate) fn found(missing: u32, untracked: u32, mismatched: u32) -> Value {
    json!({ "untracked_file": untracked, "missing_file": missing,
        "checksum_mismatch": mismatched })
}

async fn items(admin: &Client, kind: &str) -> anyhow::Result<Vec<Value>> {
    let page = admin.get_json(&format!("{REPORT}?type={kind}")).await?;
    Ok(page["items"].as_array().context("no items")?.clone())
}

/// Where the original of an asset lies.
async fn original(server: &TestServer, client: &Client, id: &str) -> anyhow::Result<PathBuf> {
    let asset = client.get_json(&format!("/api/assets/{id}")).await?;
    let path = text(&asset, "originalPath")?;
    let key = path.strip_prefix("/data/").context("not stored here")?.to_owned();
    Ok(server.data().join("library").join(key))
}

#[tokio::test]
async fn lost_and_damaged_files_are_found_and_healed() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let anna = admin.create_user("anna@example.com").await?;
        let (first, second) =
            (media("photos/edge/rating_1.jpg")?, media("photos/edge/colour_grey.jpg")?);
        let (lost, damaged) = (anna.upload_file(&first).await?, anna.upload_file(&second).await?);
        admin.wait_until_idle().await?;
        let all = ["missing-files", "untracked-files", "checksum-mismatch"];
        ensure!(check(&admin, &all).await? == found(0, 0, 0), "what is right was found wrong");

        fs::remove_file(original(server, &anna, &lost).await?)?;
        let path = original(server, &anna, &damaged).await?;
        let mut bytes = fs::read(&path)?;
        bytes.last_mut().context("empty")?.clone_from(&7);
        fs::write(&path, bytes)?;
        let stray = path.with_file_name("stray.jpg");
        fs::write(&stray, b"stray")?;
        let summary = check(&admin, &all).await?;
        ensure!(summary == found(1, 1, 1), "{summary}");

        let missing = items(&admin, "missing_file").await?;
        ensure!(missing[0]["type"] == "missing_file", "{missing:?}");
        let id = text(&missing[0], "id")?;
        ensure!(id.chars().nth(14) == Some('7'), "{id} is not of version 7");
        admin.get(&format!("{REPORT}/{id}/file")).await?.expect(404)?;
        let strays = items(&admin, "untracked_file").await?;
        let id = text(&strays[0], "id")?;
        let file = admin.get(&format!("{REPORT}/{id}/file")).await?.expect(200)?;
        ensure!(file.body.as_ref() == b"stray", "another file was sent");
        let csv = admin.get(&format!("{REPORT}/untracked_file/csv")).await?.expect(200)?;
        let csv = String::from_utf8(csv.body.to_vec())?;
        ensure!(csv.lines().count() == 2 && csv.contains("stray.jpg\""), "{csv}");
        let one = admin.get_json(&format!("{REPORT}?type=missing_file&limit=1")).await?;
        ensure!(one.get("nextCursor").is_none(), "{one}");

        // The same bytes again put the file back.
        let upload = Upload::of(&first)?;
        let answer = anna.send_upload(&upload).await?.expect(200)?.json()?;
        ensure!(answer == json!({ "status": "duplicate", "id": lost }), "{answer}");
        ensure!(fs::read(original(server, &anna, &lost).await?)? == upload.bytes, "not healed");
        let events = anna.history(&lost).await?;
        ensure!(events.iter().any(|event| event["type"] == "AssetOriginalRestored"), "not told");
        let again = Upload::of(&second)?;
        anna.send_upload(&again).await?.expect(200)?;
        ensure!(fs::read(&path)? == again.bytes, "the damaged file stayed");
        let stranger = admin.send_upload(&upload).await?.expect(201)?.json()?;
        ensure!(stranger["id"] != json!(lost), "somebody else's upload was taken");
        admin.wait_until_idle().await?;

        admin.call(Method::DELETE, &format!("{REPORT}/{id}"), &json!({})).await?.expect(200)?;
        ensure!(!stray.exists(), "the stray file stayed");
        ensure!(path.exists(), "another file went with it");
        let summary = check(&admin, &all).await?;
        ensure!(summary == found(0, 0, 0), "{summary}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn one_finding_that_is_right_again_or_may_be_committed_is_left_alone() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        admin.wait_until_idle().await?;
        let path = original(server, &admin, &id).await?;
        let kept = fs::read(&path)?;
        fs::remove_file(&path)?;
        // As an import sends a file that it is about to commit.
        let sent = path.with_file_name("00000000-0000-4000-8000-000000000001.jpg");
        fs::write(&sent, b"sent")?;
        let summary = check(&admin, &["missing-files", "untracked-files"]).await?;
        ensure!(summary == found(1, 1, 0), "{summary}");
        fs::write(&path, kept)?;
        for kind in ["missing_file", "untracked_file"] {
            let item = items(&admin, kind).await?.pop().context("no finding")?;
            let one = format!("{REPORT}/{}", text(&item, "id")?);
            admin.call(Method::DELETE, &one, &json!({})).await?.expect(200)?;
        }
        let asset = admin.get_json(&format!("/api/assets/{id}")).await?;
        ensure!(asset["isTrashed"] == false, "{asset}");
        ensure!(sent.exists(), "a file was taken from under an import");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn report_is_cleared_by_hand() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        let back = admin.upload_file(&media("photos/edge/colour_grey.jpg")?).await?;
        admin.wait_until_idle().await?;
        let path = original(server, &admin, &id).await?;
        let aside = original(server, &admin, &back).await?;
        let kept = fs::read(&aside)?;
        fs::remove_file(&path)?;
        fs::remove_file(&aside)?;
        let stray = path.with_file_name("stray.jpg");
        fs::write(&stray, b"stray")?;
        let summary = check(&admin, &["missing-files", "untracked-files"]).await?;
        ensure!(summary == found(2, 1, 0), "{summary}");
        fs::write(&aside, kept)?;
        let summary = check(&admin, &["missing-files-refresh"]).await?;
        ensure!(summary == found(1, 1, 0), "{summary}");
        let clear = ["missing-files-delete-all", "untracked-files-delete-all"];
        let summary = check(&admin, &clear).await?;
        ensure!(summary == found(0, 0, 0) && !stray.exists(), "{summary}");
        let asset = admin.get_json(&format!("/api/assets/{id}")).await?;
        ensure!(asset["isTrashed"] == true, "{asset}");
        let asset = admin.get_json(&format!("/api/assets/{back}")).await?;
        ensure!(asset["isTrashed"] == false, "{asset}");

        let anna = admin.create_user("anna@example.com").await?;
        for path in ["/summary", "/report?type=missing_file", "/report/missing_file/csv"] {
            anna.get(&format!("/api/admin/integrity{path}")).await?.expect(403)?;
        }
        admin.get(REPORT).await?.expect(400)?;
        admin.get(&format!("{REPORT}/no/csv")).await?.expect(400)?;
        admin.get(&format!("{REPORT}/no/file")).await?.expect(400)?;
        let key = admin.create_key(&["asset.read"]).await?;
        key.get("/api/admin/integrity/summary").await?.expect(403)?;
        Ok(())
    })
    .await
}

/// Tables without which nobody is let in and no job is taken up; all others are emptied.
const READ_TABLES_KEPT: [&str; 7] = [
    "users_v1",
    "sessions_",
    "api_keys_",
    "config_",
    "integrity_works_",
    "queue_requests_",
    "queues_",
];
/// Every job that takes anything away.
const CLEANING_JOBS: [&str; 10] = [
    "person-cleanup",
    "tag-cleanup",
    "user-cleanup",
    "memory-cleanup",
    "integrity-missing-files",
    "integrity-missing-files-delete-all",
    "integrity-checksum-mismatch",
    "integrity-checksum-mismatch-delete-all",
    "integrity-untracked-files",
    "integrity-untracked-files-delete-all",
];
/// Longer ago than whatever is made may wait to be recorded.
const LONG_AGO: Duration = Duration::from_secs(3_600);

/// Every stored file, with its length; each as old as if it had been there for long.
fn stored_files(server: &TestServer) -> anyhow::Result<BTreeMap<PathBuf, u64>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![server.data().join("library"), server.data().join("derived")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let file = fs::File::options().write(true).open(&path)?;
            file.set_modified(file.metadata()?.modified()? - LONG_AGO)?;
            found.insert(path, file.metadata()?.len());
        }
    }
    Ok(found)
}

/// Empties the read models as a rebuild that was begun would leave them.
async fn empty_read_models(server: &TestServer) -> anyhow::Result<()> {
    let pool = database::connect(&server.data()).await?;
    for table in database::read_tables(&pool).await? {
        if !READ_TABLES_KEPT.iter().any(|kept| table.starts_with(kept)) {
            let truncate = AssertSqlSafe(format!("truncate read.{table}"));
            sqlx::query(truncate).execute(&pool).await?;
        }
    }
    sqlx::query("update read.users_v1 set profile_image_key = null").execute(&pool).await?;
    pool.close().await;
    Ok(())
}

/// A photo with a sidecar under an id of its own, a picture of a person and one of the account.
async fn fill(server: &TestServer, admin: &Client) -> anyhow::Result<()> {
    let picture = media("photos/edge/rating_1.jpg")?;
    let form = Form::new()
        .text("fileCreatedAt", "2024-01-02T03:04:05.000Z")
        .text("fileModifiedAt", "2024-01-02T03:04:05.000Z")
        .part("sidecarData", Part::bytes(SIDECAR.as_bytes().to_vec()).file_name("x.jpg.xmp"))
        .part("assetData", Part::bytes(fs::read(&picture)?).file_name("x.jpg"));
    let sent = admin.request(Method::POST, "/api/assets").multipart(form);
    let source = text(&admin.send(sent).await?.expect(201)?.json()?, "id")?;
    let target = admin.upload_file(&media("photos/nature/prairie_falcon.jpg")?).await?;
    admin.wait_until_idle().await?;
    let wish = json!({ "sourceId": source, "targetId": target });
    admin.put("/api/assets/copy", &wish).await?.expect(204)?;
    let me = Part::bytes(fs::read(&picture)?).file_name("me");
    let form = Form::new().part("file", me);
    let sent = admin.request(Method::POST, "/api/users/profile-image").multipart(form);
    admin.send(sent).await?.expect(201)?;
    let person = admin.post("/api/people", &json!({ "name": "Falco" })).await?.expect(201)?;
    let person = text(&person.json()?, "id")?;
    let face = json!({
        "assetId": target, "personId": person, "imageWidth": 1440, "imageHeight": 960,
        "x": 333, "y": 111, "width": 222, "height": 123,
    });
    admin.post("/api/faces", &face).await?.expect(201)?;
    admin.wait_until_idle().await?;
    until("the picture of a person", SOON, async || {
        let found = admin.get(&format!("/api/people/{person}/thumbnail")).await?;
        Ok((found.status == 200).then_some(()))
    })
    .await?;
    ensure!(server.data().join("library/profile").is_dir(), "no picture of the account");
    Ok(())
}

#[tokio::test]
async fn no_file_goes_on_the_word_of_read_models_that_are_empty() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        fill(server, &admin).await?;
        let all = stored_files(server)?;
        let of = |words: &str| -> Vec<&PathBuf> {
            all.keys().filter(|path| path.to_string_lossy().contains(words)).collect()
        };
        // Two originals, two sidecars, the account's picture; three pictures, two each of photos.
        ensure!(of("/library/").len() == 5 && of("/derived/").len() == 5, "{all:?}");
        let own = of(".xmp").into_iter().find(|path| !path.with_extension("").exists());
        let own = own.context("no sidecar has a name of its own")?;

        // What nothing speaks of lies among the originals, beside a photo and among what is made of it.
        let photo = *of("/upload/").first().context("no original")?;
        let preview = *of("-preview-").first().context("no preview")?;
        let name = preview.to_string_lossy().into_owned();
        let former = PathBuf::from(name.replace("-preview-", "-preview-0former0"));
        let strays = [
            photo.with_file_name("stray.jpg"),
            photo.with_file_name("9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d.jpg.xmp"),
            preview.with_file_name("9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d-preview-1.jpg"),
            former,
            server.data().join("derived/encoded-video/9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d.mp4"),
        ];
        fs::create_dir_all(server.data().join("derived/encoded-video"))?;
        // Younger ones may be of an import that is about to commit them.
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        for stray in &strays {
            fs::write(stray, b"stray")?;
            fs::File::options().write(true).open(stray)?.set_modified(long_ago)?;
        }
        stored_files(server)?;
        let summary = check(&admin, &["untracked-files"]).await?;
        ensure!(summary == found(0, 5, 0), "{summary}");
        ensure!(strays.iter().all(|stray| stray.exists()), "a check removed something");

        empty_read_models(server).await?;
        let summary = check(&admin, &["untracked-files"]).await?;
        ensure!(summary["untracked_file"] == all.len() + strays.len(), "{summary}");
        // One by one, as from the list.
        for item in items(&admin, "untracked_file").await? {
            let path = text(&item, "path")?;
            if own.ends_with(path.trim_start_matches("/data/")) {
                let path = format!("{REPORT}/{}", text(&item, "id")?);
                admin.call(Method::DELETE, &path, &json!({})).await?.expect(200)?;
            }
        }
        ensure!(own.exists(), "{} is gone", own.display());
        for job in CLEANING_JOBS {
            admin.post("/api/jobs", &json!({ "name": job })).await?.expect(204)?;
            admin.wait_until_idle().await?;
        }
        let left = stored_files(server)?;
        ensure!(left == all, "before {all:#?}, and after {left:#?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nobody_and_no_tag_goes_on_the_word_of_read_models_that_are_empty() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        fill(server, &admin).await?;
        let photo = admin.timeline("").await?.first().context("no photo")?.clone();
        let wish = json!({ "tags": ["Sea/Bay", "Empty"] });
        let tags = admin.put("/api/tags", &wish).await?.expect(200)?.json()?;
        let bay = tags.as_array().into_iter().flatten().find(|tag| tag["value"] == "Sea/Bay");
        let bay = text(bay.context("no tag")?, "id")?;
        let put = json!({ "ids": [photo] });
        admin.put(&format!("/api/tags/{bay}/assets"), &put).await?.expect(200)?;
        admin.post("/api/people", &json!({ "name": "Nobody" })).await?.expect(201)?;

        // The files' own words are tags, too.
        admin.wait_until_idle().await?;
        let values = async || -> anyhow::Result<Vec<String>> {
            let tags = admin.get_json("/api/tags").await?;
            tags.as_array().into_iter().flatten().map(|tag| text(tag, "value")).collect()
        };
        let mut used = values().await?;
        used.retain(|value| value != "Empty");
        ensure!(used.iter().any(|value| value == "Sea/Bay"), "{used:?}");
        let pool = database::connect(&server.data()).await?;
        sqlx::query("truncate read.tag_assets_v1, read.faces_v1").execute(&pool).await?;
        for job in ["tag-cleanup", "person-cleanup"] {
            admin.post("/api/jobs", &json!({ "name": job })).await?.expect(204)?;
            admin.wait_until_idle().await?;
        }
        let values = values().await?;
        ensure!(values == used, "{values:?} instead of {used:?}");
        let names: Vec<String> = sqlx::query_scalar("select name from read.people_v1 order by 1")
            .fetch_all(&pool)
            .await?;
        ensure!(names == ["Falco"], "{names:?}");
        pool.close().await;
        Ok(())
    })
    .await
}
