//! Taking back what was done to anything but assets: albums, links, people, partners, settings, accounts.

mod accounts;
mod albums;
mod links;
mod people;

use anyhow::{Context as _, ensure};
use calotype_tests::Client;
use calotype_tests::answer::Answer;
use serde_json::{Value, json};

/// Takes back what an answered request did.
async fn undo(client: &Client, did: &Answer) -> anyhow::Result<Value> {
    let id = did.header("x-correlation-id");
    let answer = client.post("/api/calotype/undo", &json!({ "commandId": id })).await?;
    answer.expect(200)?.json()
}

/// Takes back the taking back.
async fn redo(client: &Client, undone: &Value) -> anyhow::Result<Value> {
    let body = json!({ "commandId": undone["correlationId"] });
    client.post("/api/calotype/undo", &body).await?.expect(200)?.json()
}

/// What an answer says of one kind of object in one of its lists.
fn said<'a>(answer: &'a Value, list: &str, kind: &str) -> anyhow::Result<&'a Value> {
    let items = answer[list].as_array().context("no list")?;
    items.iter().find(|item| item["kind"] == kind).with_context(|| format!("no {kind} in {answer}"))
}

/// Whether everything went back.
fn ensure_whole(answer: &Value) -> anyhow::Result<()> {
    let rest = [&answer["leftAlone"], &answer["cannotBeUndone"]];
    ensure!(rest.iter().all(|list| **list == json!([])), "{answer}");
    ensure!(answer["undone"] != json!([]), "{answer}");
    Ok(())
}
