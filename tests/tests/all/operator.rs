//! The operator's commands, on a folder that no server has open and against a running server.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_eventstore::testing::empty_database;
use calotype_tests::binary::{command, finish, run, with_data};
use calotype_tests::client::{ADMIN_EMAIL, PASSWORD};
use calotype_tests::media::media;
use calotype_tests::server::Victim;
use calotype_tests::{Options, TestServer, story};
use serde_json::{Value, json};

/// A stop on request takes seconds, not the tens of seconds after which a service manager kills.
const STOP_MAX: Duration = Duration::from_secs(10);
/// What a newcomer has to find in the help.
const COMMANDS: [&str; 20] = [
    "serve",
    "migrate",
    "projections",
    "history",
    "audit",
    "erase",
    "erasures",
    "hold",
    "release",
    "as-of",
    "undo",
    "revert",
    "verify",
    "proof",
    "parked",
    "backup",
    "restore",
    "admin",
    "doctor",
    "openapi",
];
/// A server that is not there.
const NOBODY: &str = "http://127.0.0.1:9";
/// How long a command may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);
/// A password that `admin reset-password` sets.
const NEW_PASSWORD: &str = "another password";

#[tokio::test]
async fn help_names_every_command_and_a_first_step() -> anyhow::Result<()> {
    let help = run(&["--help"], "").await?.success()?.stdout;
    for command in COMMANDS {
        ensure!(help.contains(command), "the help does not name {command}:\n{help}");
        let own = run(&[command, "--help"], "").await?.success()?.stdout;
        ensure!(own.contains("Usage"), "{command} --help says {own}");
    }
    ensure!(help.contains("calotype serve"), "the help names no first step:\n{help}");
    let serve = run(&["serve", "--help"], "").await?.success()?.stdout;
    for option in ["--data", "--host", "--port", "--roles", "--testing", "--web"] {
        ensure!(serve.contains(option), "serve --help does not name {option}");
    }
    Ok(())
}

#[tokio::test]
async fn openapi_prints_a_document() -> anyhow::Result<()> {
    let printed = run(&["openapi"], "").await?.success()?.stdout;
    let document: Value = serde_json::from_str(&printed)?;
    ensure!(document["paths"]["/assets/{id}"]["get"]["operationId"] == "getAssetInfo");
    Ok(())
}

#[tokio::test]
async fn an_unknown_key_in_the_configuration_is_refused() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("calotype.toml"), "prot = 2283\n")?;
    let said = run(&with_data(&["serve"], folder.path()), "").await?.failure()?;
    ensure!(said.contains("prot") && said.contains("calotype.toml"), "{said}");
    Ok(())
}

#[tokio::test]
async fn set_up_that_was_closed_takes_no_first_account() -> anyhow::Result<()> {
    let arguments = vec!["--allow-setup".to_owned(), "false".to_owned()];
    story(Options { testing: false, arguments, ..Options::default() }, async |server| {
        let wish = json!({ "email": ADMIN_EMAIL, "password": PASSWORD, "name": "Admin" });
        let answer = server.client().post("/api/auth/admin-sign-up", &wish).await?.expect(400)?;
        ensure!(answer.json()?["message"] == "Admin setup is not available");
        let config = server.client().get("/api/server/config").await?.expect(200)?.json()?;
        ensure!(config["isInitialized"] == false, "an account was made after all");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn somebody_elses_database_serves_and_survives_a_kill() -> anyhow::Result<()> {
    let database = empty_database().await;
    let arguments = vec!["--database-url".to_owned(), database.url.clone()];
    story(Options { testing: false, arguments, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        server.kill(Victim::Server).await?;
        server.go_on().await?;
        admin.wait_for_thumbnail(&id).await?;
        ensure!(admin.timeline("").await? == [id]);
        ensure!(!server.data().join("postgres").exists(), "it made a database of its own");

        server.terminate().await?;
        let folder = tempfile::tempdir()?;
        let serve = ["serve", "--port", "0", "--database-url", &database.url];
        let said = run(&with_data(&serve, folder.path()), "").await?.failure()?;
        ensure!(said.contains("is missing: put it back"), "without the keys of the log: {said}");
        let folder = tempfile::tempdir()?;
        let testing = [&serve[..], &["--testing"]].concat();
        let said = run(&with_data(&testing, folder.path()), "").await?.failure()?;
        ensure!(said.contains("not begun with --testing"), "a reset of real photos: {said}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn operators_work_on_a_closed_folder_and_on_a_running_server() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        admin.wait_for_thumbnail(&id).await?;
        let key = admin.create_secret(&["all"]).await?;

        admin.wait_until_idle().await?;
        let told = ensure_works_remotely(server, &key, &id).await?;
        ensure_open_folder_is_refused(server, &id).await?;
        let took = server.terminate().await?;
        ensure!(took < STOP_MAX, "the stop took {} ms", took.as_millis());
        ensure_works_on_the_folder(server, &id, &told).await?;

        server.go_on().await?;
        admin.get("/api/users/me").await.map(drop)?;
        let body = json!({ "email": ADMIN_EMAIL, "password": PASSWORD });
        server.client().post("/api/auth/login", &body).await?.expect(401)?;
        let body = json!({ "email": ADMIN_EMAIL, "password": NEW_PASSWORD });
        server.client().post("/api/auth/login", &body).await?.expect(201)?;
        Ok(())
    })
    .await
}

/// Returns the history as JSON.
async fn ensure_works_remotely(server: &TestServer, key: &str, id: &str) -> anyhow::Result<Value> {
    let url = server.url();
    let remote = async |words: &[&str]| {
        let mut all = words.to_vec();
        all.extend(["--server", &url, "--api-key", key]);
        anyhow::Ok(run(&all, "").await?.success().with_context(|| words.join(" "))?.stdout)
    };
    let listed = remote(&["projections", "list"]).await?;
    ensure!(listed.contains("timeline") && listed.contains("assets"), "{listed}");
    let rebuilt = remote(&["projections", "rebuild", "timeline"]).await?;
    ensure!(rebuilt.contains("timeline: rebuilt from"), "{rebuilt}");
    let history = remote(&["history", "asset", id]).await?;
    ensure_tells(&history)?;
    let then = remote(&["as-of", "asset", id, "--at", "9999-01-01"]).await?;
    ensure!(then.contains("At position") && then.contains("rating_1.jpg"), "{then}");
    let months = remote(&["as-of", "timeline", "--at", "9999-01-01"]).await?;
    ensure!(months.lines().count() == 2, "{months}");
    let before = remote(&["as-of", "timeline", "--at", "1"]).await?;
    ensure!(before.lines().count() == 1, "{before}");
    let same = remote(&["revert", "asset", id, "--to", "9999-01-01", "--preview"]).await?;
    ensure!(same.contains("Nothing to do"), "{same}");
    let users = remote(&["admin", "list-users"]).await?;
    ensure!(users.contains(ADMIN_EMAIL) && users.contains("administrator"), "{users}");
    Ok(serde_json::from_str(&remote(&["history", "asset", id, "--json"]).await?)?)
}

async fn ensure_open_folder_is_refused(server: &TestServer, id: &str) -> anyhow::Result<()> {
    let data = server.data();
    for words in [["history", "asset", id], ["projections", "rebuild", "--all"]] {
        let said = run(&with_data(&words, &data), "").await?.failure()?;
        ensure!(said.contains("already open") && said.contains("--server"), "{said}");
    }
    let said = run(&with_data(&["serve", "--port", "0"], &data), "").await?.failure()?;
    ensure!(said.contains("already open"), "{said}");
    Ok(())
}

/// `told` is the history as the running server told it.
async fn ensure_works_on_the_folder(
    server: &TestServer,
    id: &str,
    told: &Value,
) -> anyhow::Result<()> {
    let data = server.data();
    let local = async |words: &[&str], input: &str| {
        let done = run(&with_data(words, &data), input).await?;
        anyhow::Ok(done.success().with_context(|| words.join(" "))?.stdout)
    };
    let listed = local(&["projections", "list"], "").await?;
    ensure!(listed.contains("statistics"), "{listed}");
    let rebuilt = local(&["projections", "rebuild", "--all"], "").await?;
    ensure!(rebuilt.lines().filter(|line| line.contains("rebuilt from")).count() >= 7, "{rebuilt}");
    ensure_tells(&local(&["history", "asset", id], "").await?)?;
    let here: Value = serde_json::from_str(&local(&["history", "asset", id, "--json"], "").await?)?;
    ensure!(here == *told, "two shapes of one history: {here} and {told}");
    // A folder that is named stands above a server that only the environment names.
    let mut named = command()?;
    named.env("CALOTYPE_SERVER", NOBODY).args(with_data(&["admin", "list-users"], &data));
    let users = finish(named, "", COMMAND_LIMIT).await?.success()?.stdout;
    ensure!(users.contains(ADMIN_EMAIL), "{users}");
    let reset = local(&["admin", "reset-password"], &format!("{NEW_PASSWORD}\n")).await?;
    ensure!(reset.contains(ADMIN_EMAIL) && !reset.contains(NEW_PASSWORD), "{reset}");
    local(&["migrate"], "").await?;
    let doctor = local(&["doctor", "--port", "0"], "").await?;
    ensure!(doctor.contains("Nothing is wrong"), "{doctor}");
    Ok(())
}

fn ensure_tells(history: &str) -> anyhow::Result<()> {
    for words in ["Uploaded", "Metadata read", "Thumbnail and preview made", "calotype-tests/1"] {
        ensure!(history.contains(words), "the history does not tell {words:?}:\n{history}");
    }
    Ok(())
}
