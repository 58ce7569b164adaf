//! `calotype parked`: what got stuck, for an operator to try again or give up.

use calotype_domain::AssetId;
use calotype_domain::asset::Stage;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::operator::{Local, Remote, Target, context, say};

/// `calotype parked …`
#[derive(Clone, Debug, Subcommand)]
pub enum Parked {
    /// Show everything that is parked, oldest first.
    List,
    /// Show what is parked of one stream, with the reasons.
    Show {
        /// The stream, for instance `asset-9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d`; see `list`.
        stream: String,
    },
    /// Try again what is parked.
    Retry {
        /// Of this stream.
        #[arg(required_unless_present = "all")]
        stream: Option<String>,
        /// Of every stream.
        #[arg(long, conflicts_with = "stream")]
        all: bool,
    },
    /// Give up what is parked: the event that cannot be applied is skipped by every reader, and an asset
    /// goes without the steps that failed.
    Discard {
        /// Of this stream.
        stream: String,
    },
}

/// Lists, shows, retries or discards parked work.
///
/// # Errors
/// When the server or folder cannot be reached, or nothing of the stream is parked.
pub async fn parked(target: &Target, command: Parked) -> anyhow::Result<()> {
    match target.server() {
        Some(server) => ask(&Remote::new(server, target)?, command).await,
        None => {
            let local = Local::open(target).await?;
            let done = look(&local, command).await;
            local.close().await;
            done
        }
    }
}

/// Asks a running server.
async fn ask(remote: &Remote, command: Parked) -> anyhow::Result<()> {
    match command {
        Parked::List => print_list(&remote.get("/calotype/parked").await?),
        Parked::Show { stream } => {
            print_reasons(&remote.get(&format!("/calotype/parked/{stream}")).await?);
        }
        Parked::Retry { stream, .. } => {
            let streams = match stream {
                Some(stream) => vec![stream],
                None => streams(&remote.get("/calotype/parked").await?),
            };
            for stream in streams {
                let path = format!("/calotype/parked/{stream}/retry");
                let done = remote.call(reqwest::Method::POST, &path, None).await?;
                print_done(&stream, &done);
            }
        }
        Parked::Discard { stream } => {
            let path = format!("/calotype/parked/{stream}");
            print_done(&stream, &remote.call(reqwest::Method::DELETE, &path, None).await?);
        }
    }
    Ok(())
}

/// Works in a folder that no server has open.
async fn look(local: &Local, command: Parked) -> anyhow::Result<()> {
    let queries = &local.core.queries;
    match command {
        Parked::List => print_list(&shown(&queries.parked().await?)),
        Parked::Show { stream } => {
            let parked = queries.parked_of(&stream).await?;
            anyhow::ensure!(!parked.is_empty(), "nothing of {stream} is parked");
            print_reasons(&shown(&parked));
        }
        Parked::Retry { stream, .. } => {
            let streams = match stream {
                Some(stream) => vec![stream],
                None => streams(&shown(&queries.parked().await?)),
            };
            for stream in streams {
                settle(local, &stream, false).await?;
            }
        }
        Parked::Discard { stream } => settle(local, &stream, true).await?,
    }
    Ok(())
}

async fn settle(local: &Local, stream: &str, discard: bool) -> anyhow::Result<()> {
    let queries = &local.core.queries;
    let parked = queries.parked_of(stream).await?;
    anyhow::ensure!(!parked.is_empty(), "nothing of {stream} is parked");
    let mut readers: Vec<(String, String)> =
        parked.into_iter().map(|parked| (parked.kind, parked.name)).collect();
    readers.dedup();
    for (kind, name) in readers {
        let done = match kind.as_str() {
            "projection" if discard => {
                let retried = queries.discard_parked(&name, stream, "calotype parked").await?;
                json!({ "name": name, "done": retried.applied, "left": retried.left,
                        "reason": retried.reason })
            }
            "projection" => {
                let retried = queries.retry_parked(&name, stream).await?;
                json!({ "name": name, "done": retried.applied, "left": retried.left,
                        "reason": retried.reason })
            }
            _ => {
                let done = steps(local, stream, discard).await?;
                if discard {
                    queries.forget_parked(&name, stream).await?;
                }
                json!({ "name": name, "done": done, "left": 0 })
            }
        };
        print_done(stream, &json!([done]));
    }
    Ok(())
}

/// Asks for the failed steps of an asset, or lives without them; says how many.
async fn steps(local: &Local, stream: &str, discard: bool) -> anyhow::Result<u32> {
    let Some(asset_id) = stream.strip_prefix("asset-").and_then(|key| key.parse::<AssetId>().ok())
    else {
        anyhow::bail!("{stream} is no asset");
    };
    let failed = local.core.queries.steps_left(asset_id.uuid()).await?.failed;
    let mut done = 0;
    for stage in Stage::ALL.into_iter().filter(|it| failed.iter().any(|one| one == it.as_str())) {
        let ctx = context("calotype parked");
        let commands = &local.core.commands;
        if discard {
            commands.dismiss_failure(&ctx, &[asset_id], stage).await?;
        } else {
            commands.request_processing(&ctx, &[asset_id], stage).await?;
        }
        done += 1;
    }
    Ok(done)
}

/// As the server shows it.
fn shown(parked: &[calotype_projections::parked::Parked]) -> Value {
    parked
        .iter()
        .map(|one| {
            json!({
                "kind": one.kind, "name": one.name, "streamId": one.stream_id,
                "eventId": one.event_id, "code": one.code, "reason": one.reason,
                "attempts": one.attempts, "parkedAt": one.parked_at,
            })
        })
        .collect()
}

fn streams(parked: &Value) -> Vec<String> {
    let mut streams: Vec<String> = rows(parked).map(|one| text(one, "streamId")).collect();
    streams.sort_unstable();
    streams.dedup();
    streams
}

fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn print_list(parked: &Value) {
    if rows(parked).next().is_none() {
        say("Nothing is parked.");
    }
    for one in rows(parked) {
        let words = ["parkedAt", "kind", "name", "streamId", "code"].map(|name| text(one, name));
        say(&words.join("  "));
    }
}

fn print_reasons(parked: &Value) {
    for one in rows(parked) {
        let words = ["parkedAt", "kind", "name", "eventId", "code"].map(|name| text(one, name));
        say(&format!("{}  tried {} times", words.join("  "), one["attempts"]));
        say(&format!("    {}", text(one, "reason")));
    }
}

fn print_done(stream: &str, done: &Value) {
    for one in rows(done) {
        say(&format!(
            "{stream}  {}: {} done, {} left",
            text(one, "name"),
            one["done"],
            one["left"]
        ));
        if let Some(reason) = one["reason"].as_str() {
            say(&format!("    {reason}"));
        }
    }
}
