//! The log proves what happened: to the script in `docs/`, which knows nothing of this server, and to operators.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use calotype_tests::binary::{Done, finish, run, with_data};
use calotype_tests::media::media;
use calotype_tests::{Options, TestServer, database, story};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::process::Command;

/// How long the script may take.
const SCRIPT_LIMIT: Duration = Duration::from_secs(60);

/// Runs `docs/verify_proof.py`.
async fn script(words: &[&str]) -> anyhow::Result<Done> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/verify_proof.py");
    let mut command = Command::new("python3");
    command.arg("-B").arg(path).args(words);
    finish(command, "", SCRIPT_LIMIT).await
}

/// Where operators' commands ask.
struct Remote {
    url: String,
    key: String,
    folder: PathBuf,
}

impl Remote {
    fn new(server: &TestServer, key: String) -> Self {
        Self { url: server.url(), key, folder: server.scratch().to_owned() }
    }

    async fn run(&self, words: &[&str]) -> anyhow::Result<Done> {
        let mut all = words.to_vec();
        all.extend(["--server", &self.url, "--api-key", &self.key]);
        run(&all, "").await
    }

    async fn said(&self, words: &[&str]) -> anyhow::Result<String> {
        Ok(self.run(words).await?.success().with_context(|| words.join(" "))?.stdout)
    }

    /// Writes what the command says into a file.
    async fn file(&self, name: &str, words: &[&str]) -> anyhow::Result<String> {
        self.write(name, &self.said(words).await?)
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<String> {
        let path = self.folder.join(name);
        std::fs::write(&path, text)?;
        Ok(path.to_str().context("a path that is no text")?.to_owned())
    }
}

#[tokio::test]
async fn proofs_hold_outside_of_the_server_and_altered_ones_do_not() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        let remote = Remote::new(server, admin.create_secret(&["all"]).await?);
        let event = admin.history(&id).await?.first().context("no history")?["eventId"].clone();
        let event = event.as_str().context("an event without an id")?;

        let head = remote.file("head", &["proof", "--sign"]).await?;
        let inclusion = remote.file("inclusion.json", &["proof", event, "--json"]).await?;
        let other = admin.upload_file(&media("photos/edge/date_subsec.jpg")?).await?;
        admin.wait_for_thumbnail(&other).await?;
        remote.said(&["proof", "--sign"]).await?;
        let consistency =
            remote.file("consistency.json", &["proof", "--since", &head, "--json"]).await?;
        let key = remote.said(&["proof", "--key"]).await?;

        let said =
            script(&["--key", key.trim(), &inclusion, &consistency]).await?.success()?.stdout;
        ensure!(said.contains(&format!("event {event} is in the log")), "{said}");
        ensure!(said.contains("is the beginning of that of size"), "{said}");
        ensure_altered_fail(&remote, &inclusion, &consistency).await?;

        let said = remote.said(&["verify", "--heads", &head]).await?;
        ensure!(said.contains("The log is what was recorded and signed."), "{said}");
        let listed = remote.said(&["proof", "--heads"]).await?;
        ensure!(listed.lines().count() >= 3, "{listed}");
        let refused = remote.run(&["proof", "--rebuild"]).await?.failure()?;
        ensure!(refused.contains("stop the server"), "{refused}");

        admin.wait_until_idle().await?;
        server.terminate().await?;
        ensure_works_on_the_folder(&server.data(), event, &head).await
    })
    .await
}

async fn ensure_altered_fail(
    remote: &Remote,
    inclusion: &str,
    consistency: &str,
) -> anyhow::Result<()> {
    let read = |path: &str| -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
    };
    let (inclusion, consistency) = (read(inclusion)?, read(consistency)?);
    let mut altered = Vec::new();
    let mut alter = |proof: &Value, field: &str, value: Value| {
        let mut other = proof.clone();
        other[field] = value;
        altered.push((field.to_owned(), other));
    };
    let leaf = inclusion["leaf"].as_str().context("no leaf")?;
    let place = leaf.len() / 2;
    let letter = if leaf.as_bytes()[place] == b'A' { "B" } else { "A" };
    let changed = format!("{}{letter}{}", &leaf[..place], &leaf[place + 1..]);
    alter(&inclusion, "leaf", json!(changed));
    alter(&inclusion, "position", json!(inclusion["position"].as_i64().unwrap_or_default() + 1));
    alter(&inclusion, "eventId", json!("9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"));
    alter(&inclusion, "path", json!(inclusion["path"].as_array().context("no path")?[1..]));
    alter(&consistency, "path", json!([]));
    for (proof, field) in [(&inclusion, "head"), (&consistency, "from"), (&consistency, "to")] {
        let note = proof[field].as_str().context("no head")?;
        let size = note.lines().nth(1).context("no size")?;
        let other = note.replacen(&format!("\n{size}\n"), &format!("\n{size}0\n"), 1);
        alter(proof, field, json!(other));
    }
    for (field, proof) in altered {
        let file = remote.write("altered.json", &proof.to_string())?;
        let said = script(&[&file]).await?.failure()?;
        ensure!(said.contains("NOT PROVEN"), "another {field}: {said}");
    }
    Ok(())
}

async fn ensure_works_on_the_folder(data: &Path, event: &str, head: &str) -> anyhow::Result<()> {
    let proven = run(&with_data(&["proof", event], data), "").await?.success()?.stdout;
    ensure!(proven.contains("is in the log"), "{proven}");
    let since = run(&with_data(&["proof", "--since", head], data), "").await?.success()?.stdout;
    ensure!(since.contains("is the beginning of"), "{since}");
    let report = run(&with_data(&["verify", "--json"], data), "").await?.success()?.stdout;
    let report: Value = serde_json::from_str(&report)?;
    ensure!(report["isGood"] == true && report["heads"].as_array().map_or(0, Vec::len) >= 2);
    // A head that somebody made up.
    let forged = std::fs::read_to_string(head)?.replace("\n— ", "\n— x");
    let file = data.join("forged");
    std::fs::write(&file, forged)?;
    let file = file.to_str().context("a path that is no text")?;
    let refused = run(&with_data(&["verify", "--heads", file], data), "").await?;
    ensure!(refused.code == Some(1), "{refused:?}");
    ensure!(refused.stdout.contains("is not signed by the log's key"), "{}", refused.stdout);
    Ok(())
}

/// Does to the log whatever a superuser can.
async fn tamper(data: &Path, statement: &str) -> anyhow::Result<()> {
    let pool = database::connect_as_superuser(data).await?;
    let all = format!("begin; set local session_replication_role = replica; {statement}; commit");
    let done = sqlx::raw_sql(AssertSqlSafe(all)).execute(&pool).await;
    pool.close().await;
    ensure!(done?.rows_affected() == 1, "not one row: {statement}");
    Ok(())
}

#[tokio::test]
async fn who_changes_the_log_in_the_database_is_found() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        admin.wait_until_idle().await?;
        let remote = Remote::new(server, admin.create_secret(&["all"]).await?);
        remote.said(&["proof", "--sign"]).await?;
        let events: Vec<String> = admin
            .history(&id)
            .await?
            .iter()
            .filter_map(|event| event["eventId"].as_str().map(str::to_owned))
            .collect();
        let [changed, removed, ..] = events.as_slice() else { bail!("two events: {events:?}") };
        let before = remote.said(&["verify"]).await?;
        ensure!(before.contains("The log is what was recorded and signed."), "{before}");

        let change = "payload = (payload::text || ' ')::json";
        let statement = format!("update log.events set {change} where event_id = '{changed}'");
        tamper(&server.data(), &statement).await?;
        let statement = format!("delete from log.events where event_id = '{removed}'");
        tamper(&server.data(), &statement).await?;

        let found = remote.run(&["verify"]).await?;
        ensure!(found.code == Some(1), "{found:?}");
        let line = |kind: &str, event: &str| {
            found.stdout.lines().any(|line| line.starts_with(kind) && line.contains(event))
        };
        ensure!(line("changed", changed) && line("removed", removed), "{}", found.stdout);
        ensure!(found.stdout.contains("do not fit the log"), "{}", found.stdout);
        let refused = remote.run(&["proof", changed]).await?.failure()?;
        ensure!(refused.contains("the log is not what was signed"), "{refused}");
        remote.run(&["proof", removed]).await?.failure()?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn another_key_follows_on_a_running_server_and_in_its_backup() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let remote = Remote::new(server, admin.create_secret(&["all"]).await?);
        let head = remote.file("head", &["proof", "--sign"]).await?;
        let first = remote.said(&["proof", "--key"]).await?;
        let erased = admin.create_user("erased@example.com").await?.my_id().await?;
        let receipt = remote.file("receipt", &["erase", "user", &erased]).await?;

        let rotated = remote.said(&["proof", "--rotate-key"]).await?;

        let second = remote.said(&["proof", "--key"]).await?;
        ensure!(first != second && rotated.contains(second.trim()), "{rotated}");
        let other = admin.create_user("other@example.com").await?;
        other.my_id().await?;
        remote.said(&["proof", "--sign"]).await?;
        let since = remote.file("since.json", &["proof", "--since", &head, "--json"]).await?;
        let keys = remote.file("keys", &["proof", "--keys"]).await?;
        for key in [&first, &second] {
            script(&["--key", key.trim(), &since, &keys, &receipt]).await?.success()?;
        }
        script(&["--key", second.trim(), &receipt]).await?.failure()?;
        let verified = remote.said(&["verify", "--heads", &head]).await?;
        ensure!(verified.contains("The log is what was recorded and signed."), "{verified}");
        let told = run(&with_data(&["doctor"], &server.data()), "").await?.stdout;
        ensure!(told.contains("or followed the one that did"), "{told}");

        let to = server.scratch().join("backup");
        let to = to.to_str().context("a path that is no text")?;
        let data = server.data();
        run(&with_data(&["backup", to, "--with-master-key"], &data), "").await?.success()?;
        let folder = server.scratch().join("restored");
        run(&with_data(&["restore", to], &folder), "").await?.success()?;
        let signed = run(&with_data(&["proof", "--sign"], &folder), "").await?.success()?.stdout;
        ensure!(signed.contains("calotype/"), "{signed}");
        let verified = run(&with_data(&["verify"], &folder), "").await?.success()?.stdout;
        ensure!(verified.contains("The log is what was recorded and signed."), "{verified}");
        let again = run(&with_data(&["proof", "--rotate-key"], &folder), "").await?.success()?;
        ensure!(again.stdout.contains("the former one vouches for it"), "{}", again.stdout);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_reset_begins_another_log() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let sign = async || -> anyhow::Result<Value> {
            let admin = server.client().sign_up().await?;
            let signed = admin.post("/api/calotype/proof/heads", &json!({})).await?;
            Ok(signed.expect(200)?.json()?["head"]["note"].clone())
        };
        let name = |note: &Value| note.as_str()?.lines().next().map(str::to_owned);
        let before = sign().await?;
        server.client().post("/api/calotype/testing/reset", &json!({})).await?.expect(204)?;
        let after = sign().await?;

        ensure!(name(&before).is_some() && name(&before) != name(&after), "{before} {after}");
        let admin = server.client().login(calotype_tests::client::ADMIN_EMAIL).await?;
        let heads = admin.get_json("/api/calotype/proof/heads").await?;
        let heads = heads.as_array().context("no heads")?;
        ensure!(!heads.is_empty(), "the head is gone");
        ensure!(heads.iter().all(|head| name(&head["note"]) == name(&after)), "{heads:?}");
        let answer = admin.post("/api/calotype/proof/verify", &json!({})).await?;
        let report = answer.expect(200)?.json()?;
        ensure!(report["isGood"] == true, "{report}");
        ensure!(report["gaps"].as_i64() > Some(0), "{report}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_not_there_is_not_proven() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let nobodys = "/api/calotype/proof/events/9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d";
        admin.get(nobodys).await?.expect(404)?;
        admin.get("/api/calotype/proof/events/x").await?.expect(400)?;
        admin.get("/api/calotype/proof/consistency").await?.expect(400)?;
        admin.get("/api/calotype/proof/consistency?from=9999999").await?.expect(404)?;
        let stranger = admin.create_user("stranger@example.com").await?;
        for path in ["heads", "key", "consistency?from=1"] {
            let path = format!("/api/calotype/proof/{path}");
            stranger.get(&path).await?.expect(403)?;
            server.client().get(&path).await?.expect(401)?;
        }
        stranger.post("/api/calotype/proof/verify", &json!({})).await?.expect(403)?;
        stranger.post("/api/calotype/proof/heads", &json!({})).await?.expect(403)?;
        stranger.post("/api/calotype/proof/key", &json!({})).await?.expect(403)?;
        server.client().post("/api/calotype/proof/key", &json!({})).await?.expect(401)?;
        Ok(())
    })
    .await
}
