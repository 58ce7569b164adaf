//! `calotype doctor` and `GET /ready`: what is wrong with an installation, in words and in numbers.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_eventstore::testing::{empty_database, nats};
use calotype_tests::binary::{Done, command, finish, run, with_data};
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Options, TestServer, database, story};
use serde_json::json;

/// How long a command may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);
/// How long a part may take to be told of.
const TOLD_LIMIT: Duration = Duration::from_secs(20);
/// A user who has no name.
const SOMEBODY: u32 = 54_321;
const PARK: &str = "
    insert into work.parked (kind, name, stream_id, event_id, position, type, reason, code)
    values ($1, 'somebody', 'asset-1', gen_random_uuid(), 1, 'AssetTrashed', 'Anna''s photo', 'broken')";

async fn doctor(data: &Path, port: &str) -> anyhow::Result<Done> {
    run(&with_data(&["doctor", "--port", port], data), "").await
}

fn ensure_says(done: &Done, is_well: bool, words: &[&str]) -> anyhow::Result<()> {
    ensure!((done.code == Some(0)) == is_well, "exit code {:?}: {}", done.code, done.stdout);
    for word in words {
        ensure!(done.stdout.contains(word), "it does not say {word:?}: {}", done.stdout);
    }
    Ok(())
}

fn port_of(server: &TestServer) -> anyhow::Result<String> {
    Ok(server.url().rsplit(':').next().context("no port")?.to_owned())
}

#[tokio::test]
async fn a_running_server_is_looked_at_with_its_database_and_work() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        admin.wait_until_idle().await?;
        admin.post("/api/calotype/proof/heads", &json!({})).await?.expect(200)?;
        let (data, port) = (server.data(), port_of(server)?);

        let well = [
            "a server has the data folder open",
            "the decoder opens a picture",
            "may append to the log and not change it",
            "tables are up to date",
            "master key opens the log",
            "signed the last one",
            "nothing is parked",
            "the running server is ready",
            "Nothing is wrong.",
        ];
        ensure_says(&doctor(&data, &port).await?, true, &well)?;

        let pool = database::connect(&data).await?;
        sqlx::query(PARK).bind("processor").execute(&pool).await?;
        let done = doctor(&data, &port).await?;
        ensure_says(&done, true, &["one asset was given up", "1 × broken in somebody"])?;
        sqlx::query(PARK).bind("projection").execute(&pool).await?;
        let done = doctor(&data, &port).await?;
        ensure_says(&done, false, &["one stream cannot be shown", "One thing is wrong."])?;
        ensure!(!done.stdout.contains("Anna"), "it tells personal words: {}", done.stdout);

        let done = doctor(&data, "9").await?;
        ensure_says(&done, false, &["does not answer at 127.0.0.1:9", "--port"])?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_folder_that_nobody_has_open_is_looked_at_with_its_key() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        admin.post("/api/calotype/proof/heads", &json!({})).await?.expect(200)?;
        server.terminate().await?;
        let data = server.data();
        let well =
            ["port 0 is free", "PostgreSQL 18", "master key opens the log", "Nothing is wrong"];
        ensure_says(&doctor(&data, "0").await?, true, &well)?;

        let (key, kept) = (data.join("keys/master.key"), data.join("keys/kept"));
        std::fs::rename(&key, &kept)?;
        ensure_says(&doctor(&data, "0").await?, false, &["is missing: put it back"])?;
        let said = run(&with_data(&["projections", "list"], &data), "").await?.failure()?;
        ensure!(said.contains("is missing: put it back"), "{said}");
        ensure!(!key.exists(), "it made a key that opens nothing");
        std::fs::write(&key, "00".repeat(32))?;
        let words = ["others may read", "does not open this log", "2 things are wrong."];
        ensure_says(&doctor(&data, "0").await?, false, &words)?;
        std::fs::rename(&kept, &key)?;
        ensure_says(&doctor(&data, "0").await?, true, &["Nothing is wrong"])?;

        let (key, kept) = (data.join("keys/proof.key"), data.join("keys/kept"));
        std::fs::rename(&key, &kept)?;
        let words = ["heads of the log were signed", "One thing is wrong."];
        ensure_says(&doctor(&data, "0").await?, false, &words)?;
        std::fs::write(&key, "00".repeat(32))?;
        let words = ["others may read", "is not the key that signed", "2 things are wrong."];
        ensure_says(&doctor(&data, "0").await?, false, &words)?;
        std::fs::rename(&kept, &key)?;
        ensure_says(&doctor(&data, "0").await?, true, &["Nothing is wrong"])
    })
    .await
}

/// Everything in a folder with who owns it.
fn owners(folder: &Path) -> anyhow::Result<BTreeMap<PathBuf, u32>> {
    let mut found = BTreeMap::from([(folder.to_owned(), folder.symlink_metadata()?.uid())]);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let (path, metadata) = (entry.path(), entry.metadata()?);
            found.insert(path.clone(), metadata.uid());
            if metadata.is_dir() {
                folders.push(path);
            }
        }
    }
    Ok(found)
}

#[tokio::test]
async fn a_folder_gets_nothing_new_and_no_other_owner() -> anyhow::Result<()> {
    let empty = tempfile::tempdir()?;
    let done = doctor(empty.path(), "0").await?;
    ensure_says(&done, true, &["no server has had the data folder open yet"])?;
    ensure!(std::fs::read_dir(empty.path())?.count() == 0, "it made something");

    // Only root can be somebody else; for anybody else the folder's owner is who runs this.
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    story(Options { testing: false, ..Options::default() }, async |server| {
        server.client().sign_up().await?;
        server.terminate().await?;
        let data = server.data();
        for path in owners(&data)?.into_keys() {
            std::os::unix::fs::lchown(path, Some(SOMEBODY), Some(SOMEBODY))?;
        }
        let before = owners(&data)?;
        let done = doctor(&data, "0").await?;
        ensure_says(&done, false, &["sudo -u '#54321' calotype doctor", "One thing is wrong."])?;
        ensure!(owners(&data)? == before, "it made something or took it over");
        for words in [["migrate", ""], ["admin", "list-users"], ["projections", "list"]] {
            let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
            let said = run(&with_data(&words, &data), "").await?.failure()?;
            ensure!(said.contains("sudo -u '#54321'"), "{words:?}: {said}");
            ensure!(owners(&data)? == before, "{words:?} made something or took it over");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn servers_of_somebody_else_are_looked_at() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let look = async |database: &str, nats: &str| {
        let mut doctor = command()?;
        doctor.env("CALOTYPE_DATABASE_URL", database).env("NATS_URL", nats);
        // What is set and empty is not set.
        for name in ["CALOTYPE_TRUSTED_PROXIES", "CALOTYPE_WEB", "CALOTYPE_HOST", "DATABASE_URL"] {
            doctor.env(name, "");
        }
        doctor.args(with_data(&["doctor", "--port", "0"], folder.path()));
        finish(doctor, "", COMMAND_LIMIT).await
    };
    let nobody =
        look("postgres://me:secret@127.0.0.1:1/photos", "nats://token@127.0.0.1:1").await?;
    let words = ["database at 127.0.0.1:1 cannot be reached", "NATS server of NATS_URL cannot"];
    ensure_says(&nobody, false, &words)?;
    for secret in ["secret", "token"] {
        ensure!(!nobody.stdout.contains(secret), "it tells a secret: {}", nobody.stdout);
    }

    let (database, nats) = (empty_database().await, nats().await);
    let empty = look(&database.url, &nats.url).await?;
    // The tests' database is fast and forgetful.
    let words =
        ["has no tables yet", "nats-server 2", "it has JetStream", "fsync = off", "2 things"];
    ensure_says(&empty, false, &words)?;
    let serve = with_data(&["migrate"], folder.path());
    let mut migrate = command()?;
    migrate.env("CALOTYPE_DATABASE_URL", &database.url).args(serve);
    finish(migrate, "", COMMAND_LIMIT).await?.success()?;
    let migrated = look(&database.url, &nats.url).await?;
    ensure_says(&migrated, false, &["tables are up to date", "2 things"])?;
    sqlx::query("update _sqlx_migrations set checksum = 'other' where version = 1")
        .execute(&database.pool)
        .await?;
    let changed = look(&database.url, &nats.url).await?;
    ensure_says(&changed, false, &["migration 1 in the database", "3 things"])
}

#[tokio::test]
async fn ready_tells_how_every_part_is() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let client = server.client();
        client.get("/health").await?.expect(200)?;
        let ready = client.get("/ready").await?.expect(200)?.json()?;
        ensure!(ready["status"] == "ready", "{ready}");
        for part in
            ["server", "database", "order", "relay", "projections", "parked", "nats", "disk"]
        {
            ensure!(ready["parts"][part]["state"] == "ok", "{part}: {ready}");
        }
        ensure!(ready["parts"]["disk"]["freeBytes"].is_u64(), "{ready}");
        ensure!(ready["parts"]["disk"]["reserveBytes"].is_u64(), "{ready}");
        ensure!(ready["parts"]["projections"]["waitingEvents"] == 0, "{ready}");

        let pool = database::connect(&server.data()).await?;
        let mut lock = pool.begin().await?;
        sqlx::query("lock table log.head in access exclusive mode").execute(&mut *lock).await?;
        let told = until("the database that does not answer", TOLD_LIMIT, async || {
            let told = client.get("/ready").await?;
            Ok((told.status == 503).then_some(told.json()?))
        })
        .await?;
        ensure!(told["status"] == "not ready", "{told}");
        ensure!(told["parts"]["database"]["state"] == "failing", "{told}");
        client.get("/health").await?.expect(200)?;
        lock.rollback().await?;
        until("a database that answers", TOLD_LIMIT, async || {
            Ok((client.get("/ready").await?.status == 200).then_some(()))
        })
        .await
    })
    .await
}
