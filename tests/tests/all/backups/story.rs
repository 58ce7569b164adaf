//! What was backed up is restored, and answers the same.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::client::ADMIN_EMAIL;
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, TestServer, database, story};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use super::{
    NAME, OTHER, PHOTO, THIRD, files, new_folder, on, options, place, said, text, upload_named,
};

const SOON: Duration = Duration::from_secs(90);
const ANNA: &str = "anna@example.com";

/// A library with a bit of everything that people have.
struct Library {
    photo: String,
    other: String,
    trashed: String,
    key: String,
    link: String,
}

async fn fill(admin: &Client) -> anyhow::Result<Library> {
    let anna = admin.create_user(ANNA).await?;
    let photo = upload_named(admin, PHOTO, NAME).await?;
    let other = admin.upload_file(&media(OTHER)?).await?;
    let trashed = admin.upload_file(&media(THIRD)?).await?;
    let said = json!({ "description": "by the sea", "isFavorite": true });
    admin.put(&format!("/api/assets/{photo}"), &said).await?.expect(200)?;
    let users = json!([{ "userId": anna.my_id().await?, "role": "editor" }]);
    let album = json!({ "albumName": "Summer", "assetIds": [photo, other], "albumUsers": users });
    admin.post("/api/albums", &album).await?.expect(201)?;
    let link = json!({ "type": "INDIVIDUAL", "assetIds": [other], "slug": "our-summer" });
    let link = admin.post("/api/shared-links", &link).await?.expect(201)?.json()?;
    let link = link["key"].as_str().context("a link without a key")?.to_owned();
    admin.delete("/api/assets", &json!({ "ids": [trashed] })).await?.expect(204)?;
    admin.post("/api/tags", &json!({ "name": "beach" })).await?.expect(201)?;
    let picture = Part::bytes(std::fs::read(media(PHOTO)?)?).file_name("me.jpg");
    let form = Form::new().part("file", picture.mime_str("image/jpeg")?);
    admin
        .send(admin.request(Method::POST, "/api/users/profile-image").multipart(form))
        .await?
        .expect(201)?;
    let key = admin.create_secret(&["all"]).await?;
    Ok(Library { photo, other, trashed, key, link })
}

/// What a caller is shown, by path.
async fn answers(
    client: &Client,
    library: &Library,
    late: &str,
) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut paths: Vec<String> = [
        "/api/timeline/buckets?",
        "/api/albums",
        "/api/shared-links",
        "/api/tags",
        "/api/assets/statistics",
        "/api/assets/statistics?isTrashed=true",
        "/api/users",
        "/api/api-keys",
    ]
    .map(str::to_owned)
    .into();
    for id in [&library.photo, &library.other, &library.trashed, late] {
        paths.push(format!("/api/assets/{id}"));
        paths.push(format!("/api/calotype/assets/{id}/history"));
    }
    let mut answers = BTreeMap::new();
    for path in paths {
        let answer = client.get_json(&path).await?;
        answers.insert(path, answer);
    }
    answers.insert("timeline".into(), json!(client.timeline("").await?));
    Ok(answers)
}

async fn ensure_bytes(client: &Client, library: &Library, late: &str) -> anyhow::Result<()> {
    for (id, path) in [(&*library.photo, PHOTO), (&library.other, OTHER), (late, THIRD_LATE)] {
        let sent = client.get(&format!("/api/assets/{id}/original")).await?.expect(200)?;
        ensure!(sent.body == std::fs::read(media(path)?)?, "another original of {id}");
    }
    Ok(())
}

/// What is uploaded between the two backups.
const THIRD_LATE: &str = "photos/edge/date_offset_negative.jpg";

#[tokio::test]
async fn restored_server_answers_the_same() -> anyhow::Result<()> {
    story(options(), async |server| {
        let admin = server.client().sign_up().await?;
        let library = fill(&admin).await?;
        admin.wait_until_idle().await?;
        until("the XMP file of the photo", SOON, async || {
            let history = admin.history(&library.photo).await?;
            Ok(history.iter().any(|event| event["type"] == "AssetSidecarWritten").then_some(()))
        })
        .await?;
        let to = place(server);
        let first = said(&server.data(), &["backup", text(&to)?]).await?;
        ensure!(first.contains("The backup is whole."), "{first}");
        let before = files(&to)?;

        let late = admin.upload_file(&media(THIRD_LATE)?).await?;
        admin.wait_until_idle().await?;
        let second = said(&server.data(), &["backup", text(&to)?]).await?;
        ensure!(second.contains("of them 1 new with"), "{second}");
        ensure_adds_only(&before, &files(&to)?)?;
        let rehearsed = said(&server.data(), &["restore", "--rehearse", text(&to)?]).await?;
        ensure!(rehearsed.contains("The backup can be restored."), "{rehearsed}");

        let wanted = answers(&admin, &library, &late).await?;
        server.terminate().await?;
        let folder = new_folder(server, "restored")?;
        let restored = said(&folder, &["restore", text(&to)?]).await?;
        ensure!(restored.contains("Everything is there."), "{restored}");
        ensure!(restored.contains("The log is what was recorded and signed."), "{restored}");
        let again = on(&folder, &["restore", text(&to)?]).await?.failure()?;
        ensure!(again.contains("is not empty"), "{again}");

        let mut other = TestServer::over(options(), folder).await?;
        let told = ensure_same(&other, &library, &late, &wanted).await;
        if told.is_err() {
            other.tell_log();
        }
        other.terminate().await?;
        told
    })
    .await
}

/// Files that a backup wrote stay as they are; only new ones come.
fn ensure_adds_only(before: &[PathBuf], after: &[PathBuf]) -> anyhow::Result<()> {
    let gone: Vec<_> = before.iter().filter(|path| !after.contains(path)).collect();
    ensure!(gone.is_empty(), "gone: {gone:?}");
    let new = |folder: &str| {
        let is_in = |path: &&PathBuf| path.components().any(|it| it.as_os_str() == folder);
        after.iter().filter(|path| !before.contains(path)).filter(is_in).count()
    };
    let counts = ["log", "keys", "work", "files", "backups", "blobs"].map(new);
    ensure!(counts == [1, 1, 1, 1, 1, 1], "{counts:?}");
    Ok(())
}

async fn ensure_same(
    server: &TestServer,
    library: &Library,
    late: &str,
    wanted: &BTreeMap<String, Value>,
) -> anyhow::Result<()> {
    // A key that was made before the backup opens the restored server, and so does a password.
    let with_key = server.client().with_key(&library.key);
    let found = answers(&with_key, library, late).await?;
    for (path, answer) in wanted {
        ensure!(found[path] == *answer, "{path} answers {} instead of {answer}", found[path]);
    }
    server.client().login(ANNA).await?;
    let admin = server.client().login(ADMIN_EMAIL).await?;
    ensure_bytes(&admin, library, late).await?;
    for id in [&*library.photo, &library.other, late] {
        admin.wait_for_thumbnail(id).await?;
    }
    let me = admin.my_id().await?;
    let picture = admin.get(&format!("/api/users/{me}/profile-image")).await?.expect(200)?;
    ensure!(picture.body == std::fs::read(media(PHOTO)?)?, "another picture of the account");
    let shared = format!("/api/shared-links/me?key={}", library.link);
    server.client().get(&shared).await?.expect(200)?;

    // It goes on, and its own log with it.
    let sidecar = json!({ "description": "from then on" });
    admin.put(&format!("/api/assets/{late}"), &sidecar).await?.expect(200)?;
    let verified = admin.post("/api/calotype/proof/verify", &json!({})).await?.expect(200)?;
    ensure!(verified.json()?["isGood"] == true, "{}", verified.shown());
    let signed = admin.post("/api/calotype/proof/heads", &json!({})).await?.expect(200)?;
    ensure!(signed.json()?["isNew"] == true, "{}", signed.shown());
    Ok(())
}

#[tokio::test]
async fn rehearsal_names_what_differs_from_the_live_server() -> anyhow::Result<()> {
    story(options(), async |server| {
        let admin = server.client().sign_up().await?;
        let id = upload_named(&admin, PHOTO, NAME).await?;
        admin.wait_until_idle().await?;
        let to = place(server);
        said(&server.data(), &["backup", text(&to)?]).await?;
        // What comes after the backup is taken from the live log.
        admin
            .put(&format!("/api/assets/{id}"), &json!({ "isFavorite": true }))
            .await?
            .expect(200)?;
        admin.wait_until_idle().await?;
        let scratch = server.scratch().join("scratch");
        std::fs::create_dir(&scratch)?;
        let rehearse = ["restore", "--rehearse", text(&to)?, "--scratch", text(&scratch)?];
        let good = said(&server.data(), &rehearse).await?;
        ensure!(good.contains("positions came since"), "{good}");

        let pool = database::connect(&server.data()).await?;
        let change =
            format!("update read.assets_v1 set is_favorite = false where asset_id = '{id}'");
        sqlx::raw_sql(AssertSqlSafe(change)).execute(&pool).await?;
        let found = on(&server.data(), &rehearse).await?;
        ensure!(found.code == Some(1), "{found:?}");
        ensure!(found.stdout.contains("read.assets_v1 differs"), "{}", found.stdout);
        let named = |side: &str| found.stdout.contains(&format!("  {side}: {id}"));
        ensure!(named("only live") && named("only restored"), "{}", found.stdout);
        ensure!(!found.stdout.contains(NAME), "it tells names: {}", found.stdout);
        ensure!(files(&scratch)?.is_empty(), "the folder for the time being was left");
        Ok(())
    })
    .await
}
