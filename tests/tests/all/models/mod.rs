//! Models that are tried, compared, switched to and rolled back.

mod people;
mod story;
mod vectors;

use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::Client;
use calotype_tests::waiting::until;
use serde_json::{Value, json};

/// How long something is waited for that takes models.
const WAIT: Duration = Duration::from_secs(120);
const TRIALS: &str = "/api/calotype/models/trials";

/// Begins a trial; says which.
async fn begin(admin: &Client, body: Value) -> anyhow::Result<String> {
    let begun = admin.post(TRIALS, &body).await?.expect(201)?.json()?;
    begun["id"].as_str().map(str::to_owned).context("no id")
}

async fn trial(admin: &Client, id: &str) -> anyhow::Result<Value> {
    let trials = admin.get_json(TRIALS).await?;
    let own = trials.as_array().into_iter().flatten().find(|trial| trial["id"] == id).cloned();
    own.context("no such trial")
}

/// Tries a model over everything, to the end.
async fn tried(admin: &Client, task: &str, name: &str) -> anyhow::Result<Value> {
    let id = begin(admin, json!({ "task": task, "name": name })).await?;
    finished(admin, &id).await
}

async fn finished(admin: &Client, id: &str) -> anyhow::Result<Value> {
    until("a finished trial", WAIT, async || {
        let trial = trial(admin, id).await?;
        Ok((trial["state"] == "finished").then_some(trial))
    })
    .await
}

/// What is told of a task's models.
async fn of_task(admin: &Client, task: &str) -> anyhow::Result<Value> {
    let tasks = admin.get_json("/api/calotype/models").await?;
    let own = tasks.as_array().into_iter().flatten().find(|it| it["task"] == task).cloned();
    own.context("no such task")
}

/// Switches, or goes back, and waits until all that has to has followed.
async fn switch(admin: &Client, way: &str, task: &str) -> anyhow::Result<()> {
    let path = format!("/api/calotype/models/{way}");
    let told = admin.post(&path, &json!({ "task": task })).await?.expect(200)?.json()?;
    ensure!(told["switched"]["isRollback"] == (way == "rollback"), "{told}");
    until("followers of a switch", WAIT, async || {
        let told = of_task(admin, task).await?;
        Ok((told["switched"]["isFollowed"] == true).then_some(()))
    })
    .await?;
    admin.wait_until_idle().await?;
    until("the read models", WAIT, async || {
        let all = admin.get_json("/api/calotype/projections").await?;
        let all = all.as_array().context("no list of projections")?;
        Ok(all.iter().all(|one| one["lagEvents"] == 0).then_some(()))
    })
    .await
}

async fn diff(admin: &Client, body: Value) -> anyhow::Result<Value> {
    admin.post("/api/calotype/models/diff", &body).await?.expect(200)?.json()
}
