//! `calotype models` of a running server: trying a model, what it would change, switching to it and the way back.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Remote, Target, say};

/// How often a trial is looked at that is waited for.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Characters of a digest that are shown.
const DIGEST_CHARS: usize = 12;

/// What a model is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Task {
    /// What pictures show.
    #[value(name = "smartSearch")]
    SmartSearch,
    /// Where faces are, and whose.
    #[value(name = "facialRecognition")]
    FacialRecognition,
    /// What is written in pictures.
    #[value(name = "ocr")]
    Ocr,
}

impl Task {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SmartSearch => "smartSearch",
            Self::FacialRecognition => "facialRecognition",
            Self::Ocr => "ocr",
        }
    }
}

/// What is wished of a running server.
#[derive(Clone, Debug)]
pub(crate) enum Wish {
    List,
    Try { task: Task, name: String, users: Vec<Uuid>, sample: Option<u32>, wait: bool },
    Trials,
    Cancel { id: Uuid },
    Diff { task: Task, name: Option<String>, words: Vec<String>, examples: Option<u32> },
    Switch { task: Task, name: Option<String>, incomplete: bool },
    Rollback { task: Task },
}

/// Asks a running server and tells what it says, as a table or as JSON.
///
/// # Errors
/// There is no server to ask, or it refuses.
pub(crate) async fn models(target: &Target, wish: Wish, as_json: bool) -> anyhow::Result<()> {
    let server = target.server().context(
        "models are tried by a running server: say --server URL and --api-key KEY of an administrator",
    )?;
    let remote = Remote::new(server, target)?;
    let answer = ask(&remote, &wish).await?;
    if as_json {
        say(&serde_json::to_string_pretty(&answer)?);
        return Ok(());
    }
    match wish {
        Wish::List => rows(&answer).for_each(print_task),
        Wish::Try { .. } => print_trials(&json!([answer])),
        Wish::Trials => print_trials(&answer),
        Wish::Cancel { id } => {
            say(&format!("The trial {id} is cancelled; what the model said stays."));
        }
        Wish::Diff { .. } => print_diff(&answer),
        Wish::Switch { .. } | Wish::Rollback { .. } => print_task(&answer),
    }
    Ok(())
}

async fn ask(remote: &Remote, wish: &Wish) -> anyhow::Result<Value> {
    let post = async |path: &str, body: Value| {
        remote
            .call(Method::POST, &format!("/calotype/models{path}"), Some(without_nulls(body)))
            .await
    };
    match wish {
        Wish::List => remote.get("/calotype/models").await,
        Wish::Trials => remote.get("/calotype/models/trials").await,
        Wish::Try { task, name, users, sample, wait } => {
            let body = json!({
                "task": task.as_str(), "name": name, "sample": sample,
                "userIds": if users.is_empty() { Value::Null } else { json!(users) },
            });
            let begun = post("/trials", body).await?;
            if *wait { until_ended(remote, &begun).await } else { Ok(begun) }
        }
        Wish::Cancel { id } => {
            remote.call(Method::DELETE, &format!("/calotype/models/trials/{id}"), None).await
        }
        Wish::Diff { task, name, words, examples } => {
            let body = json!({
                "task": task.as_str(), "name": name, "examples": examples,
                "words": if words.is_empty() { Value::Null } else { json!(words) },
            });
            post("/diff", body).await
        }
        Wish::Switch { task, name, incomplete } => {
            let body = json!({ "task": task.as_str(), "name": name, "incomplete": incomplete });
            post("/switch", body).await
        }
        Wish::Rollback { task } => post("/rollback", json!({ "task": task.as_str() })).await,
    }
}

/// What is not said is left out.
fn without_nulls(body: Value) -> Value {
    let Value::Object(members) = body else { return body };
    Value::Object(members.into_iter().filter(|(_, value)| !value.is_null()).collect())
}

async fn until_ended(remote: &Remote, begun: &Value) -> anyhow::Result<Value> {
    loop {
        let trials = remote.get("/calotype/models/trials").await?;
        let own = rows(&trials).find(|trial| trial["id"] == begun["id"]).cloned();
        let Some(trial) = own else { bail!("the server does not know the trial any more") };
        if trial["state"] != "open" {
            return Ok(trial);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn print_task(task: &Value) {
    say(&format!("{}: {}", text(&task["task"]), text(&task["name"])));
    match &task["model"] {
        Value::Null => say("  in use    not there"),
        model => say(&format!("  in use    {}", identity(model))),
    }
    for model in rows(&task["installed"]).filter(|model| model["isInUse"] != json!(true)) {
        say(&format!("  there     {} ({})", text(&model["name"]), identity(&model["model"])));
    }
    for known in rows(&task["results"]) {
        say(&format!(
            "  results   {:<48} {:>9} count {:>9} beside",
            identity(&known["model"]),
            number(&known["assets"]),
            number(&known["beside"])
        ));
    }
    let switched = &task["switched"];
    if !switched.is_null() {
        let what = if switched["isRollback"] == json!(true) { "rolled back" } else { "switched" };
        let way = if switched["canRollBack"] == json!(true) { ", can be rolled back" } else { "" };
        say(&format!(
            "  {what} to {} at {}{way}",
            text(&switched["name"]),
            text(&switched["switchedAt"])
        ));
        // Vectors are exchanged with the switch itself.
        if task["task"] != "smartSearch" {
            let all = if switched["isFollowed"] == json!(true) { "all of them" } else { "so far" };
            say(&format!("  {} assets have followed, {all}", switched["followed"]));
        }
    }
}

fn print_trials(trials: &Value) {
    say(&format!(
        "{:<36}  {:<17}  {:<24}  {:<9}  {:>8}  {:>8}  {:>8}",
        "trial", "task", "model", "state", "tried", "failed", "missing"
    ));
    for trial in rows(trials) {
        say(&format!(
            "{:<36}  {:<17}  {:<24}  {:<9}  {:>8}  {:>8}  {:>8}",
            text(&trial["id"]),
            text(&trial["task"]),
            text(&trial["name"]),
            text(&trial["state"]),
            number(&trial["tried"]),
            number(&trial["failed"]),
            number(&trial["missing"]),
        ));
    }
}

fn print_diff(diff: &Value) {
    say(&format!("{}: {}", text(&diff["task"]), identity(&diff["used"])));
    say(&format!(
        "  compared with {}, {} assets lack its results",
        identity(&diff["tried"]),
        diff["missing"]
    ));
    for search in rows(&diff["searches"]) {
        say(&format!(
            "  {:<32} {:>2} of the first twenty stay, {:>2} enter, {:>2} leave",
            text(&search["words"]),
            number(&search["kept"]),
            rows(&search["entered"]).count(),
            rows(&search["left"]).count(),
        ));
    }
    let texts = &diff["texts"];
    if texts.is_object() {
        say(&format!(
            "  {} texts compared: {} change, {} appear, {} vanish",
            texts["compared"], texts["changed"], texts["appeared"], texts["vanished"]
        ));
        rows(&texts["assetIds"]).for_each(|id| say(&format!("    asset {}", text(id))));
    }
    let faces = &diff["faces"];
    if faces.is_object() {
        print_faces(faces);
    }
}

pub(super) fn print_faces(faces: &Value) {
    say(&format!(
        "  {} faces compared: {} change person, {} of nobody become somebody's, {} become nobody's",
        faces["compared"], faces["moved"], faces["joined"], faces["left"]
    ));
    say(&format!(
        "  {} faces are found no more, {} are found for the first time",
        faces["gone"], faces["found"]
    ));
    say(&format!(
        "  {} people are new, {} have no face any more",
        faces["newPeople"],
        rows(&faces["vanishedPersonIds"]).count()
    ));
    for person in rows(&faces["people"]) {
        let named = if person["isNamed"] == json!(true) { "named" } else { "nameless" };
        say(&format!(
            "    person {}  {named:<8}  loses {} photos, gains {}",
            text(&person["id"]),
            person["lost"],
            person["gained"]
        ));
    }
    for face in rows(&faces["faces"]) {
        let before = whose(face, "beforePersonId", "isNew", "not found before");
        let after = match face["newPerson"].as_i64() {
            Some(number) => format!("new person {number}"),
            None if face["isFound"] == json!(false) => "not found".to_owned(),
            None => whose(face, "afterPersonId", "", ""),
        };
        say(&format!("    face on asset {}  {before} -> {after}", text(&face["assetId"])));
    }
}

/// The person of a face; of nobody's what it says beside, where that is so.
fn whose(face: &Value, member: &str, other: &str, otherwise: &str) -> String {
    match face[member].as_str() {
        Some(id) => format!("person {id}"),
        None if face[other] == json!(true) => otherwise.to_owned(),
        None => "nobody".to_owned(),
    }
}

pub(super) fn identity(model: &Value) -> String {
    let digest: String = text(&model["sha256"]).chars().take(DIGEST_CHARS).collect();
    format!("{}@{}:{digest}", text(&model["name"]), text(&model["revision"]))
}

fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A number as text, which takes a width.
fn number(value: &Value) -> String {
    value.to_string()
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
