//! `calotype verify` and `calotype proof`: whether the log is what was signed, and proofs for others.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use calotype_api::{NoProof, Proofs as _};
use calotype_eventstore::proof::Note;
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::originals::{self, Share};
use super::{Local, Remote, Target, say};

/// `calotype verify …`
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Verify {
    /// Heads that were kept elsewhere, to compare the log with beside its own; more than once for more files.
    #[arg(long, value_name = "FILE")]
    heads: Vec<PathBuf>,
    /// Read the stored originals through instead, and compare them with what was uploaded: all of them, or a share
    /// such as `--blobs=10%`. In a data folder, also while its server runs.
    #[arg(
        long,
        value_name = "SHARE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "100%",
        conflicts_with = "heads"
    )]
    blobs: Option<Share>,
    /// As JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// `calotype proof …`
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Proof {
    #[command(flatten)]
    wish: Wish,
    /// As JSON, which the script that checks proofs reads, instead of text.
    #[arg(long)]
    json: bool,
}

/// What is to be proven or shown.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
struct Wish {
    /// Prove that the log has this event; its id is in histories.
    event: Option<Uuid>,
    /// Prove that what this head was signed over is the beginning of what the newest was: a file with the head, or
    /// its size.
    #[arg(long, value_name = "HEAD")]
    since: Option<String>,
    /// Sign a head now.
    #[arg(long)]
    sign: bool,
    /// Show the signed heads, newest first.
    #[arg(long)]
    heads: bool,
    /// Show the public key.
    #[arg(long)]
    key: bool,
    /// Show what leads from the keys that signed before to the one that signs now, for the script that checks proofs.
    #[arg(long)]
    keys: bool,
    /// Have another key sign from now on: the former one signs a last head, vouches for the next, and is removed.
    #[arg(long)]
    rotate_key: bool,
    /// Make the stored hashes anew from the log, where they are lost or wrong; it is written down. Only in a folder
    /// that no server has open.
    #[arg(long)]
    rebuild: bool,
}

/// Compares the whole log with its tree and its heads, or originals with their digests. False where something is not
/// as it was.
///
/// # Errors
/// When the server, folder or a file cannot be reached.
pub async fn verify(target: &Target, wish: Verify) -> anyhow::Result<bool> {
    if let Some(share) = wish.blobs {
        return Box::pin(originals::verify(target, share, wish.json)).await;
    }
    let mut heads = String::new();
    for file in &wish.heads {
        heads.push_str(&read(file)?);
        heads.push_str("\n\n");
    }
    let report = match target.server() {
        Some(server) => {
            let body = Some(json!({ "heads": heads }));
            let remote = Remote::new(server, target)?;
            remote.call(reqwest::Method::POST, "/calotype/proof/verify", body).await?
        }
        None => in_folder(target, async |local| shown(local.proofs().verify(&heads).await)).await?,
    };
    if wish.json {
        say(&serde_json::to_string_pretty(&report)?);
    } else {
        print_report(&report);
    }
    Ok(report["isGood"] == json!(true))
}

/// Proves, signs or shows.
///
/// # Errors
/// When the server, folder or a file cannot be reached, or there is no proof.
pub async fn proof(target: &Target, Proof { wish, json }: Proof) -> anyhow::Result<()> {
    let answer = match target.server() {
        Some(server) => ask(&Remote::new(server, target)?, &wish).await?,
        None => in_folder(target, async |local| look(local, &wish).await).await?,
    };
    if let Some(since) = &wish.since {
        check_given(since, &answer)?;
    }
    if json {
        say(&serde_json::to_string_pretty(&answer)?);
    } else {
        print(&wish, &answer);
    }
    Ok(())
}

async fn in_folder(
    target: &Target,
    work: impl AsyncFnOnce(&Local) -> anyhow::Result<Value>,
) -> anyhow::Result<Value> {
    let local = Local::open(target).await?;
    let done = work(&local).await;
    local.close().await;
    done
}

/// Asks a running server.
async fn ask(remote: &Remote, wish: &Wish) -> anyhow::Result<Value> {
    let heads = "/calotype/proof/heads";
    if let Some(event_id) = wish.event {
        let path = format!("/calotype/proof/events/{event_id}");
        return match remote.get(&path).await {
            // Nothing was signed yet that covers it.
            Err(error) if error.to_string().contains("answered 409") => {
                remote.call(reqwest::Method::POST, heads, None).await?;
                remote.get(&path).await
            }
            other => other,
        };
    }
    if let Some(since) = &wish.since {
        return remote.get(&format!("/calotype/proof/consistency?from={}", size(since)?)).await;
    }
    if wish.sign {
        return remote.call(reqwest::Method::POST, heads, None).await;
    }
    ensure!(
        !wish.rebuild,
        "stop the server, and say --data DIR: the tree is not made anew under it"
    );
    let key = "/calotype/proof/key";
    if wish.rotate_key {
        return remote.call(reqwest::Method::POST, key, None).await;
    }
    remote.get(if wish.key || wish.keys { key } else { heads }).await
}

/// Works in a folder that no server has open.
async fn look(local: &Local, wish: &Wish) -> anyhow::Result<Value> {
    let proofs = local.proofs();
    if let Some(event_id) = wish.event {
        return match proofs.of_event(event_id).await {
            Err(NoProof::Conflict(_)) => {
                shown(proofs.sign().await)?;
                shown(proofs.of_event(event_id).await)
            }
            other => shown(other),
        };
    }
    if let Some(since) = &wish.since {
        return shown(proofs.since(size(since)?, None).await);
    }
    if wish.sign {
        return shown(proofs.sign().await);
    }
    if wish.rebuild {
        return Ok(json!({ "size": proofs.log().rebuild().await? }));
    }
    if wish.rotate_key {
        return shown(proofs.rotate_key("system proof --rotate-key").await);
    }
    if wish.key || wish.keys { shown(proofs.key().await) } else { shown(proofs.heads().await) }
}

fn shown<T: Serialize>(answer: Result<T, NoProof>) -> anyhow::Result<Value> {
    match answer {
        Ok(answer) => Ok(serde_json::to_value(answer)?),
        Err(NoProof::NotFound(message) | NoProof::Conflict(message)) => bail!(message),
        Err(NoProof::Failed(error)) => Err(anyhow::Error::from_boxed(error)),
    }
}

/// The size of a head that is given as a number or in a file; of several, the last.
fn size(since: &str) -> anyhow::Result<u64> {
    if let Ok(size) = since.parse() {
        return Ok(size);
    }
    Ok(given(since)?.head.size)
}

fn given(file: &str) -> anyhow::Result<Note> {
    let (mut notes, _) = Note::parse_all(&read(Path::new(file))?);
    notes.pop().with_context(|| format!("there is no signed head in {file}"))
}

/// A head that somebody kept must be the one that the proof begins with.
fn check_given(since: &str, answer: &Value) -> anyhow::Result<()> {
    if since.parse::<u64>().is_ok() {
        return Ok(());
    }
    let given = given(since)?;
    let own = answer["from"].as_str().and_then(Note::parse);
    ensure!(
        own.is_some_and(|own| own.head == given.head),
        "the log's own head of size {} is another one than that in {since}: what was signed then is not what the \
         log holds now",
        given.head.size
    );
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))
}

fn print(wish: &Wish, answer: &Value) {
    let head = |value: &Value| value.as_str().and_then(Note::parse).map(|note| note.head);
    let count = answer["path"].as_array().map_or(0, Vec::len);
    if wish.event.is_some() {
        let head = head(&answer["head"]);
        say(&format!(
            "event {} is in the log, at position {}",
            text(&answer["eventId"]),
            answer["position"]
        ));
        if let Some(head) = head {
            say(&format!(
                "{count} hashes lead to the head of size {}, signed {}",
                head.size, head.signed_at
            ));
        }
    } else if wish.since.is_some() {
        if let (Some(from), Some(to)) = (head(&answer["from"]), head(&answer["to"])) {
            say(&format!("the log of the head of size {}, signed {},", from.size, from.signed_at));
            say(&format!("is the beginning of that of size {}, signed {}", to.size, to.signed_at));
            say(&format!("{count} hashes lead to both"));
        }
    } else if wish.sign {
        match (&answer["head"], answer["isNew"] == json!(true)) {
            (Value::Null, _) => say("The log is empty."),
            (head, is_new) => {
                if !is_new {
                    remark("nothing has happened since this was signed");
                }
                say(text(&head["note"]).trim_end());
            }
        }
    } else if wish.rebuild {
        say(&format!(
            "The tree is made anew, of {} events. Now run `calotype verify`.",
            answer["size"]
        ));
    } else if wish.key {
        say(text(&answer["key"]));
    } else if wish.keys {
        for rotation in rows(&answer["rotations"]) {
            say(rotation.as_str().unwrap_or_default());
        }
    } else if wish.rotate_key {
        say("Another key signs from now on, and the former one vouches for it:");
        say(text(&answer["key"]));
        say(
            "Put keys/proof.key where its backup is, beside the former one, and tell the new public key to those who \
             check proofs.",
        );
    } else {
        say(&format!("{:>12}  {:<27}  root", "size", "signed"));
        for head in rows(answer) {
            let (signed_at, root) = (text(&head["signedAt"]), text(&head["root"]));
            say(&format!("{:>12}  {signed_at:<27}  {root}", head["size"].to_string()));
        }
    }
}

/// Tells what looking at the whole log found.
pub(crate) fn print_report(report: &Value) {
    let number = |name: &str| report[name].as_u64().unwrap_or_default();
    say(&format!(
        "{} events at {} positions were compared with the tree, {} wait to be taken in",
        number("events"),
        number("size"),
        number("waiting")
    ));
    if number("gaps") > 0 {
        say(&format!("{} positions have no event", number("gaps")));
    }
    let heads = || rows(&report["heads"]);
    let good =
        heads().filter(|head| head["fitsLog"] == json!(true) && head["isSigned"] == json!(true));
    say(&format!(
        "{} of {} signed heads hold, the last events that none covers are {}",
        good.count(),
        heads().count(),
        number("unsigned")
    ));
    if let Some(rebuilt) = report["rebuilt"].as_object() {
        say(&format!(
            "the stored hashes were made anew on {}, when there were {}: what the former ones told is gone, and only \
             signed heads bind what was before",
            rebuilt["at"].as_str().unwrap_or_default(),
            rebuilt["formerSize"]
        ));
    }
    for skipped in rows(&report["skipped"]) {
        say(&format!(
            "skipped  {}  by {} at {}: {}",
            text(&skipped["eventId"]),
            text(&skipped["skippedBy"]),
            text(&skipped["skippedAt"]),
            text(&skipped["reason"])
        ));
    }
    for finding in rows(&report["findings"]) {
        say(&finding_line(finding));
    }
    match number("findingsTotal") {
        0 => say("The log is what was recorded and signed."),
        total => say(&format!("THE LOG IS NOT WHAT WAS RECORDED: {total} findings.")),
    }
}

fn finding_line(finding: &Value) -> String {
    let mut words = vec![format!("{:<8}", text(&finding["kind"]))];
    if let Some(position) = finding["position"].as_i64() {
        words.push(format!("position {position}"));
    }
    for name in ["eventType", "eventId", "streamId"] {
        words.extend(finding[name].as_str().map(str::to_owned));
    }
    if let Some(revision) = finding["revision"].as_i64() {
        words.push(format!("revision {revision}"));
    }
    format!("{}: {}", words.join("  ").trim_end(), text(&finding["what"]))
}

/// Says something that is no part of a note that is kept in a file.
#[expect(clippy::print_stderr, reason = "standard output is the signed head and nothing else")]
fn remark(line: &str) {
    eprintln!("{line}");
}

fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
