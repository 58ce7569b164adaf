//! `calotype erase`, `calotype hold` and `calotype release`: what is forgotten for good, and what must not be.
//!
//! Erasing is the running server's work: its processors remove the files.

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Remote, Target, say};

/// What can be erased or held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Thing {
    /// A photo or film.
    Asset,
    /// An account with all that is in it.
    User,
}

impl Thing {
    const fn word(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::User => "user",
        }
    }
}

/// `calotype erase …`
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Erase {
    /// What.
    #[arg(value_enum)]
    what: Thing,
    /// Its id.
    id: Uuid,
    /// Only say what would be destroyed.
    #[arg(long)]
    preview: bool,
}

/// `calotype erasures …`
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Erasures {
    /// Print the receipt of this one; else all are listed.
    id: Option<Uuid>,
}

/// `calotype hold …`
#[derive(Clone, Debug, Subcommand)]
pub enum Hold {
    /// Hold a photo or film: it is not deleted for good, whoever wishes it.
    Asset {
        /// Its id.
        id: Uuid,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Hold an account with all that is in it.
    User {
        /// Its id.
        id: Uuid,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Show what is held.
    List,
}

/// `calotype release …`
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Release {
    /// What.
    #[arg(value_enum)]
    what: Thing,
    /// Its id.
    id: Uuid,
    /// Why.
    #[arg(long)]
    reason: Option<String>,
}

/// Erases, and prints the receipt.
///
/// # Errors
/// When the server cannot be reached, or it is held.
pub async fn erase(target: &Target, Erase { what, id, preview }: Erase) -> anyhow::Result<()> {
    let body = json!({ "kind": what.word(), "id": id, "preview": preview });
    let answer = remote(target)?.call(Method::POST, "/calotype/erasures", Some(body)).await?;
    if preview {
        print_preview(&answer["preview"]);
    } else {
        say(text(&answer["receipt"]).trim_end());
    }
    Ok(())
}

/// Lists erasures, or prints the receipt of one.
///
/// # Errors
/// When the server cannot be reached, or there is no such erasure.
pub async fn erasures(target: &Target, Erasures { id }: Erasures) -> anyhow::Result<()> {
    let remote = remote(target)?;
    if let Some(id) = id {
        let erasure = remote.get(&format!("/calotype/erasures/{id}")).await?;
        say(text(&erasure["receipt"]).trim_end());
        return Ok(());
    }
    for erasure in remote.get("/calotype/erasures").await?.as_array().into_iter().flatten() {
        say(&format!(
            "{}  {}  {} {}",
            text(&erasure["id"]),
            text(&erasure["doneAt"]),
            text(&erasure["kind"]),
            text(&erasure["objectId"])
        ));
    }
    Ok(())
}

/// Places a hold, or lists them.
///
/// # Errors
/// When the server cannot be reached, or there is no such thing.
pub async fn hold(target: &Target, wish: Hold) -> anyhow::Result<()> {
    let remote = remote(target)?;
    let (kind, id, reason) = match wish {
        Hold::List => {
            for hold in remote.get("/calotype/holds").await?.as_array().into_iter().flatten() {
                say(&format!(
                    "{} {}  {}",
                    text(&hold["kind"]),
                    text(&hold["id"]),
                    hold["reason"].as_str().unwrap_or("(forgotten)")
                ));
            }
            return Ok(());
        }
        Hold::Asset { id, reason } => ("asset", id, reason),
        Hold::User { id, reason } => ("user", id, reason),
    };
    let body = json!({ "kind": kind, "id": id, "reason": reason });
    remote.call(Method::POST, "/calotype/holds", Some(body)).await?;
    say(&format!("The {kind} {id} is held."));
    Ok(())
}

/// Releases a hold.
///
/// # Errors
/// When the server cannot be reached, or it is not held.
pub async fn release(target: &Target, wish: Release) -> anyhow::Result<()> {
    let Release { what, id, reason } = wish;
    let kind = what.word();
    let mut path = format!("/calotype/holds/{kind}/{id}");
    if let Some(reason) = reason {
        path.push_str(&format!("?reason={}", utf8_percent_encode(&reason, NON_ALPHANUMERIC)));
    }
    remote(target)?.call(Method::DELETE, &path, None).await?;
    say(&format!("The {kind} {id} is held no more."));
    Ok(())
}

fn remote(target: &Target) -> anyhow::Result<Remote> {
    let server = target.server().context(
        "this is the running server's work: say --server URL and --api-key KEY of an administrator",
    )?;
    Remote::new(server, target)
}

fn print_preview(preview: &Value) {
    let number = |name: &str| preview[name].to_string();
    let bytes = number("originalBytes");
    say(&format!("{:>8}  photos and films, {bytes} bytes", number("assets")));
    say(&format!("{:>8}  albums that nobody else owns", number("albums")));
    for (table, rows) in preview["rows"].as_object().into_iter().flatten() {
        say(&format!("{:>8}  rows of {table}", rows.to_string()));
    }
    say("Nothing was changed.");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
