//! Forgetting, proven by looking for what was forgotten: in a dump of the database, and in every file of the data
//! folder with those of PostgreSQL and JetStream. And what is held is not forgotten.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_eventstore::testing::postgres_program;
use calotype_tests::binary::{Done, finish, run};
use calotype_tests::client::PASSWORD;
use calotype_tests::media::media;
use calotype_tests::{Client, Options, TestServer, Upload, database, story};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::process::Command;

use crate::organizing::text;

const PICTURE: &str = "photos/edge/rating_1.jpg";
/// How long a program may take.
const PROGRAM_LIMIT: Duration = Duration::from_secs(120);

/// What anna left everywhere.
const HERS: [&str; 12] = [
    "zq-mail@example.com",
    "Zqname Zqsurname",
    "zq-file-name",
    "ZQ-PICTURE-BYTES",
    "zq-description",
    "zq-tag",
    "zq-album-name",
    "zq-album-words",
    "zq-link-words",
    "zq-slug",
    "zq-comment",
    "12.345678",
];
/// What the administrator left with one photo.
const PHOTOS: [&str; 3] = ["zp-file-name", "ZP-PICTURE-BYTES", "zp-description"];

/// The command line, to a running server.
struct Remote {
    url: String,
    key: String,
}

impl Remote {
    async fn run(&self, words: &[&str]) -> anyhow::Result<Done> {
        let mut all = words.to_vec();
        all.extend(["--server", &self.url, "--api-key", &self.key]);
        run(&all, "").await
    }

    async fn said(&self, words: &[&str]) -> anyhow::Result<String> {
        Ok(self.run(words).await?.success().with_context(|| words.join(" "))?.stdout)
    }
}

fn marked(name: &str, mark: &str) -> anyhow::Result<Upload> {
    let picture = Upload::of(&media(PICTURE)?)?;
    let mut bytes = picture.bytes;
    bytes.extend_from_slice(mark.as_bytes());
    Ok(Upload::new(&format!("{name}.jpg"), bytes))
}

/// Leaves a mark in whatever takes words.
async fn leave_marks(admin: &Client, anna: &Client) -> anyhow::Result<()> {
    let asset = anna.upload(&marked("zq-file-name", "ZQ-PICTURE-BYTES")?).await?;
    let body =
        json!({ "description": "zq-description", "latitude": 12.345_678, "longitude": 98.765_432 });
    anna.put(&format!("/api/assets/{asset}"), &body).await?.expect(200)?;
    let tags = anna.put("/api/tags", &json!({ "tags": ["zq-tag"] })).await?.expect(200)?.json()?;
    let body = json!({ "ids": [asset] });
    anna.put(&format!("/api/tags/{}/assets", text(&tags[0], "id")?), &body).await?.expect(200)?;
    let friend = json!([{ "userId": admin.my_id().await?, "role": "viewer" }]);
    let body = json!({
        "albumName": "zq-album-name", "description": "zq-album-words", "assetIds": [asset],
        "albumUsers": friend,
    });
    let album = anna.post("/api/albums", &body).await?.expect(201)?.json()?;
    let album = text(&album, "id")?;
    let body = json!({ "albumId": album, "type": "comment", "comment": "zq-comment" });
    anna.post("/api/activities", &body).await?.expect(201)?;
    let body = json!({
        "type": "ALBUM", "albumId": album, "description": "zq-link-words", "slug": "zq-slug",
        "password": "open sesame",
    });
    let link = anna.post("/api/shared-links", &body).await?.expect(201)?.json()?;
    let path = format!("/api/shared-links/me?key={}", text(&link, "key")?);
    anna.anonymous().get(&path).await?;
    anna.wait_for_thumbnail(&asset).await?;
    admin.wait_until_idle().await
}

/// The places where one of some words stands, with the word.
fn found(what: &[u8], words: &[&str], place: &str) -> Vec<String> {
    let text = String::from_utf8_lossy(what);
    let there = words.iter().filter(|word| text.contains(**word));
    there.map(|word| format!("{word} in {place}")).collect()
}

/// The same in every file of a folder, and in their names.
async fn found_in_folder(folder: &Path, words: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut grep = Command::new("grep");
    // Those of a server that runs come and go.
    grep.args(["--recursive", "--text", "--only-matching", "--fixed-strings", "--no-messages"]);
    for word in words {
        grep.args(["-e", word]);
    }
    grep.arg("--").arg(folder);
    let done = finish(grep, "", PROGRAM_LIMIT).await?;
    ensure!(matches!(done.code, Some(0..=2)), "grep: {}", done.stderr);
    let mut all: Vec<String> = done.stdout.lines().map(str::to_owned).collect();
    let mut find = Command::new("find");
    find.arg(folder);
    let names = finish(find, "", PROGRAM_LIMIT).await?.stdout;
    ensure!(names.lines().count() > 100, "the folder is nearly empty: {names}");
    all.extend(found(names.as_bytes(), words, "a name of a file"));
    Ok(all)
}

/// Everything that is in the database, as `pg_dump` writes it.
async fn dump(server: &TestServer) -> anyhow::Result<Vec<u8>> {
    let data = server.data();
    let password = std::fs::read_to_string(data.join("keys/postgres.password"))?;
    let file: PathBuf = server.scratch().join("dump.sql");
    let mut command = Command::new(postgres_program("pg_dump"));
    command
        .args(["--username", "postgres", "--host"])
        .arg(data.join("run/postgres"))
        .arg("--file")
        .arg(&file)
        .arg("calotype")
        .env("PGPASSWORD", password.trim());
    finish(command, "", PROGRAM_LIMIT).await?.success().context("pg_dump")?;
    Ok(std::fs::read(&file)?)
}

/// What the log holds, as it is stored.
async fn ensure_sealed(server: &TestServer, words: &[&str]) -> anyhow::Result<()> {
    let pool = database::connect_as_superuser(&server.data()).await?;
    sqlx::query("checkpoint").execute(&pool).await?;
    let rows: Vec<String> =
        sqlx::query_scalar("select e::text from log.events e").fetch_all(&pool).await?;
    pool.close().await;
    ensure!(rows.len() > 20, "the log has only {} events", rows.len());
    let clear = found(rows.join("\n").as_bytes(), words, "log.events");
    ensure!(clear.is_empty(), "personal words are not sealed: {clear:?}");
    Ok(())
}

async fn ensure_nowhere(server: &TestServer, words: &[&str]) -> anyhow::Result<()> {
    let dumped = found(&dump(server).await?, words, "the dump");
    ensure!(dumped.is_empty(), "{dumped:#?}");
    Ok(())
}

/// The receipt is signed by the log's key, as the script in `docs/` tells, and another text is not.
async fn ensure_signed(server: &TestServer, receipt: &str, key: &str) -> anyhow::Result<()> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/verify_proof.py");
    let file = server.scratch().join("receipt");
    let other = receipt.replacen("destroyed", "destr0yed", 1);
    for (text, is_signed) in [(receipt, true), (&other, false)] {
        std::fs::write(&file, text)?;
        let mut command = Command::new("python3");
        command.arg("-B").arg(&script).args(["--key", key.trim()]).arg(&file);
        let done = finish(command, "", PROGRAM_LIMIT).await?;
        ensure!((done.code == Some(0)) == is_signed, "{}{}\n{text}", done.stdout, done.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn what_was_erased_is_found_nowhere() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let body =
            json!({ "email": HERS[0], "password": PASSWORD, "name": HERS[1], "storageLabel": null });
        admin.post("/api/admin/users", &body).await?.expect(201)?;
        let anna = server.client().login(HERS[0]).await?;
        let her_id = anna.my_id().await?;
        leave_marks(&admin, &anna).await?;
        let photo = admin.upload(&marked("zp-file-name", "ZP-PICTURE-BYTES")?).await?;
        let body = json!({ "description": "zp-description" });
        admin.put(&format!("/api/assets/{photo}"), &body).await?.expect(200)?;
        let kept = admin.upload_file(&media("photos/edge/date_subsec.jpg")?).await?;
        admin.wait_for_thumbnail(&kept).await?;
        admin.wait_until_idle().await?;
        let all = [&HERS[..], &PHOTOS[..]].concat();
        ensure_sealed(server, &all).await?;
        // The search finds what is there.
        let before = [found(&dump(server).await?, &all, ""), found_in_folder(&server.data(), &all).await?];
        let missed = all.iter().filter(|word| !before.concat().concat().contains(**word));
        let missed: Vec<_> = missed.collect();
        ensure!(missed.is_empty(), "never there, or not found: {missed:?}");

        let remote = Remote { url: server.url(), key: admin.create_secret(&["all"]).await? };
        let preview = remote.said(&["erase", "user", &her_id, "--preview"]).await?;
        ensure!(preview.contains("1  photos and films"), "{preview}");
        ensure!(preview.contains("Nothing was changed"), "{preview}");
        anna.get(&format!("/api/users/{her_id}")).await?.expect(200)?;
        let own = remote.run(&["erase", "user", &admin.my_id().await?]).await?.failure()?;
        ensure!(own.contains("Another administrator"), "{own}");
        let receipt = remote.said(&["erase", "user", &her_id]).await?;
        ensure!(receipt.contains(&format!("user {her_id}")), "{receipt}");
        ensure!(receipt.contains("scrubbed samples of the planner, write-ahead log"), "{receipt}");
        let second = remote.said(&["erase", "asset", &photo]).await?;
        anna.get("/api/users/me").await?.expect(401)?;
        admin.get(&format!("/api/assets/{photo}")).await?.expect(400)?;
        admin.get(&format!("/api/assets/{kept}/thumbnail")).await?.expect(200)?;

        let key = remote.said(&["proof", "--key"]).await?;
        ensure_signed(server, &receipt, &key).await?;
        let verified = remote.said(&["verify"]).await?;
        ensure!(verified.contains("The log is what was recorded and signed"), "{verified}");
        let listed: Value = admin.get_json("/api/calotype/erasures").await?;
        ensure!(listed[0]["objectId"] == her_id.as_str(), "{listed}");
        let again = remote.said(&["erasures", &text(&listed[0], "id")?]).await?;
        ensure!(again == receipt && !second.is_empty(), "another receipt: {again}");
        let history = remote.said(&["history", "user", &her_id]).await?;
        ensure!(history.contains("Deleted for good"), "{history}");
        ensure!(found(history.as_bytes(), &all, "").is_empty(), "{history}");
        ensure_nowhere(server, &all).await?;
        server.terminate().await?;
        let left = found_in_folder(&server.data(), &all).await?;
        ensure!(left.is_empty(), "{left:#?}");
        server.go_on().await?;
        admin.get(&format!("/api/assets/{kept}/thumbnail")).await?.expect(200)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_held_is_not_deleted_until_it_is_released() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let anna = admin.create_user("anna@example.com").await?;
        let her_id = anna.my_id().await?;
        let [held, free] =
            [anna.upload(&marked("held", "1")?).await?, anna.upload(&marked("free", "2")?).await?];
        admin.wait_until_idle().await?;
        let remote = Remote { url: server.url(), key: admin.create_secret(&["all"]).await? };
        let refused = remote.run(&["hold", "asset", &her_id, "--reason", "case 7"]).await?;
        ensure!(refused.failure()?.contains("no such asset or user"), "held what is not there");
        let said = remote.said(&["hold", "asset", &held, "--reason", "case 7"]).await?;
        ensure!(said.contains("is held"), "{said}");
        let listed = remote.said(&["hold", "list"]).await?;
        ensure!(listed.contains(&held) && listed.contains("case 7"), "{listed}");

        let hold = format!("Not deleted: under a legal hold of the asset {held}");
        let body = json!({ "ids": [held], "force": true });
        let refused = anna.delete("/api/assets", &body).await?.expect(409)?;
        ensure!(refused.message()? == hold, "{}", refused.shown());
        anna.delete("/api/assets", &json!({ "ids": [held, free] })).await?.expect(204)?;
        let refused = anna.post("/api/trash/empty", &json!({})).await?.expect(409)?;
        ensure!(refused.message()? == hold, "{}", refused.shown());
        anna.get(&format!("/api/assets/{free}")).await?.expect(400)?;
        anna.get(&format!("/api/assets/{held}")).await?.expect(200)?;
        for (what, id) in [("asset", &held), ("user", &her_id)] {
            let refused = remote.run(&["erase", what, id]).await?.failure()?;
            ensure!(refused.contains("under a legal hold"), "{refused}");
        }
        // An account that is marked is kept as it is, for as long as something in it is held.
        let path = format!("/api/admin/users/{her_id}");
        admin.delete(&path, &json!({ "force": true })).await?.expect(200)?;
        let page = admin.get_json("/api/calotype/audit?kind=hold").await?;
        ensure!(page["events"][0]["reason"] == "case 7", "{page}");
        ensure!(page["events"][0]["actor"]["kind"] == "api_key", "{page}");

        remote.said(&["release", "asset", &held, "--reason", "closed"]).await?;
        let again = remote.run(&["release", "asset", &held]).await?.failure()?;
        ensure!(again.contains("not under a legal hold"), "{again}");
        let receipt = remote.said(&["erase", "user", &her_id]).await?;
        ensure!(receipt.contains(&format!("user {her_id}")), "{receipt}");
        let holds = admin.get_json("/api/calotype/holds").await?;
        ensure!(holds == json!([]), "{holds}");
        Ok(())
    })
    .await
}

/// Lets a read model refuse changes of its rows, or no more.
async fn let_timeline_refuse(server: &TestServer, refuses: bool) -> anyhow::Result<()> {
    let pool = database::connect_as_superuser(&server.data()).await?;
    let statements: &[&str] = if refuses {
        &[
            "create function read.refuse() returns trigger language plpgsql as
             $$ begin raise exception 'refused'; end $$",
            "create trigger refuse before insert or update on read.timeline_v2
                for each row execute function read.refuse()",
        ]
    } else {
        &["drop trigger refuse on read.timeline_v2", "drop function read.refuse()"]
    };
    for statement in statements {
        sqlx::query(AssertSqlSafe(*statement)).execute(&pool).await?;
    }
    pool.close().await;
    Ok(())
}

#[tokio::test]
async fn what_waits_for_a_read_model_is_not_called_erased() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload(&marked("waits", "1")?).await?;
        admin.wait_for_thumbnail(&id).await?;
        admin.wait_until_idle().await?;
        let_timeline_refuse(server, true).await?;
        admin
            .put(&format!("/api/assets/{id}"), &json!({ "isFavorite": true }))
            .await?
            .expect(200)?;
        let remote = Remote { url: server.url(), key: admin.create_secret(&["all"]).await? };

        let refused = remote.run(&["erase", "asset", &id]).await?.failure()?;

        ensure!(refused.contains("wait for the read model timeline_v2"), "{refused}");
        let listed = admin.get_json("/api/calotype/erasures").await?;
        ensure!(listed == json!([]), "a receipt for what is there still: {listed}");
        let pool = database::connect(&server.data()).await?;
        let rows = async || -> anyhow::Result<i64> {
            let select = "select count(*) from read.timeline_v2 where asset_id = $1::uuid";
            Ok(sqlx::query_scalar(select).bind(&id).fetch_one(&pool).await?)
        };
        ensure!(rows().await? == 1, "the row is gone: nothing was shown to wait");
        let_timeline_refuse(server, false).await?;
        let stream = format!("asset-{id}");
        remote.said(&["parked", "retry", &stream]).await?;
        let receipt = remote.said(&["erase", "asset", &id]).await?;
        ensure!(receipt.contains(&format!("asset {id}")), "{receipt}");
        ensure!(rows().await? == 0, "the row outlived its receipt");
        pool.close().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn account_that_is_erased_again_after_a_refusal_leaves_no_rows_of_work() -> anyhow::Result<()>
{
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let anna = admin.create_user("anna@example.com").await?;
        let (id, user_id) = (anna.upload(&marked("waits", "1")?).await?, anna.my_id().await?);
        anna.wait_for_thumbnail(&id).await?;
        admin.wait_until_idle().await?;
        let_timeline_refuse(server, true).await?;
        let favorite = json!({ "isFavorite": true });
        anna.put(&format!("/api/assets/{id}"), &favorite).await?.expect(200)?;
        let remote = Remote { url: server.url(), key: admin.create_secret(&["all"]).await? };
        let refused = remote.run(&["erase", "user", &user_id]).await?.failure()?;
        ensure!(refused.contains("wait for the read model timeline_v2"), "{refused}");
        let pool = database::connect(&server.data()).await?;
        let known: bool = sqlx::query_scalar(
            "select exists (select from read.assets_v1 where asset_id = $1::uuid)",
        )
        .bind(&id)
        .fetch_one(&pool)
        .await?;
        ensure!(!known, "its row is there still, so nothing is shown of a second try");
        // As a model that was tried leaves it, which said nothing of the photo.
        sqlx::query(
            "insert into work.model_failures (task, model_id, asset_id)
             values ('embedding', gen_random_uuid(), $1::uuid)",
        )
        .bind(&id)
        .execute(&pool)
        .await?;
        let_timeline_refuse(server, false).await?;
        remote.said(&["parked", "retry", &format!("asset-{id}")]).await?;

        let receipt = remote.said(&["erase", "user", &user_id]).await?;

        ensure!(receipt.contains("destroyed assets 1 with their keys"), "{receipt}");
        let left: i64 = sqlx::query_scalar(
            "select count(*) from work.model_failures where asset_id = $1::uuid",
        )
        .bind(&id)
        .fetch_one(&pool)
        .await?;
        ensure!(left == 0, "a row of work outlived the receipt");
        pool.close().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn film_that_goes_with_its_photo_stands_in_the_receipt() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let film = admin.upload_file(&media("video/made/h264_no_audio_no_date.mp4")?).await?;
        admin.wait_until_idle().await?;
        let mut still = marked("still", "1")?;
        still.fields.push(("livePhotoVideoId".to_owned(), film.clone()));
        let still = admin.upload(&still).await?;
        admin.wait_until_idle().await?;
        let pool = database::connect(&server.data()).await?;
        // What a check would have found of the film.
        sqlx::query(
            "insert into work.model_failures (task, model_id, asset_id)
             values ('ocr', $1::uuid, $1::uuid)",
        )
        .bind(&film)
        .execute(&pool)
        .await?;
        let remote = Remote { url: server.url(), key: admin.create_secret(&["all"]).await? };

        let receipt = remote.said(&["erase", "asset", &still]).await?;

        ensure!(receipt.contains("destroyed assets 2 "), "{receipt}");
        let left: i64 = sqlx::query_scalar(
            "select count(*) from work.model_failures where asset_id = $1::uuid",
        )
        .bind(&film)
        .fetch_one(&pool)
        .await?;
        ensure!(left == 0, "a row of work about the film is left");
        pool.close().await;
        Ok(())
    })
    .await
}
