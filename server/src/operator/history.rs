//! `calotype history` and `calotype audit`: what happened, to one thing or at all, as text, JSON or a table.

use std::io::Write as _;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use uuid::Uuid;

use super::{Local, Remote, Target, print, say};

/// What has a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum HistoryKind {
    /// A photo or film.
    Asset,
    /// An album.
    Album,
    /// A shared link.
    Link,
    /// Somebody who is on photos.
    Person,
    /// An account.
    User,
    /// An import.
    Batch,
}

impl HistoryKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Album => "album",
            Self::Link => "link",
            Self::Person => "person",
            Self::User => "user",
            Self::Batch => "batch",
        }
    }

    const fn folder(self) -> &'static str {
        match self {
            Self::Asset => "assets",
            Self::Album => "albums",
            Self::Link => "links",
            Self::Person => "people",
            Self::User => "users",
            Self::Batch => "batches",
        }
    }
}

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Lines {
    /// A line of JSON for each event.
    Jsonl,
    /// A table.
    Csv,
}

/// Which events, and how.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub(super) struct Filters {
    /// Only what was done by this user, or this session, key, link or processor.
    #[arg(long, value_name = "ID")]
    actor: Option<String>,
    /// Only events of this type (`AssetFavorited`), or of things of this kind (`asset`, `link`, `session`).
    #[arg(long = "kind", id = "event_kind", value_name = "TYPE")]
    kind: Option<String>,
    /// Only what was recorded then or later, for instance 2026-11-23T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only what was recorded before.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// As lines of JSON or as a table, instead of text.
    #[arg(long, value_enum)]
    format: Option<Lines>,
}

/// `calotype history …`
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct History {
    /// What.
    #[arg(value_enum)]
    what: HistoryKind,
    /// Its id.
    id: Uuid,
    #[command(flatten)]
    filters: Filters,
    /// The first page as JSON, as the server answers it.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// `calotype audit …`
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Audit {
    #[command(flatten)]
    filters: Filters,
}

/// Tells what happened to one thing.
///
/// # Errors
/// When the server or folder cannot be reached.
pub async fn history(target: &Target, wish: History) -> anyhow::Result<()> {
    let History { what, id, filters, json } = wish;
    tell(target, Some((what, id)), &filters, json).await
}

/// Tells what happened at all.
///
/// # Errors
/// When the server or folder cannot be reached.
pub async fn audit(target: &Target, Audit { filters }: Audit) -> anyhow::Result<()> {
    tell(target, None, &filters, false).await
}

async fn tell(
    target: &Target,
    of: Option<(HistoryKind, Uuid)>,
    filters: &Filters,
    is_page: bool,
) -> anyhow::Result<()> {
    let shape = match (filters.format, is_page) {
        (_, true) => Shape::Page,
        (Some(_), _) => Shape::AsItIs,
        (None, _) => Shape::Text,
    };
    let query = query(filters, shape);
    let mut printer = Printer { shape, rest: String::new() };
    if let Some(server) = target.server() {
        let path = match of {
            Some((what, id)) => format!("/calotype/{}/{id}/history?{query}", what.folder()),
            None => format!("/calotype/audit?{query}"),
        };
        Remote::new(server, target)?.stream(&path, |text| printer.print(text)).await?;
    } else {
        let local = Local::open(target).await?;
        let of = of.map(|(what, id)| (what.word(), id));
        let mut printed = Ok(());
        let told = calotype_api::tell_history(&local.core.queries, of, &query, |text| {
            if printed.is_ok() {
                printed = printer.print(text);
            }
        })
        .await;
        local.close().await;
        told.map_err(|problem| anyhow::anyhow!("{}", problem.message()))?;
        printed?;
    }
    printer.finish()
}

/// What is printed of what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// A sentence for each line of JSON.
    Text,
    /// The lines themselves.
    AsItIs,
    /// One document.
    Page,
}

fn query(filters: &Filters, shape: Shape) -> String {
    let format = match (shape, filters.format) {
        (Shape::Page, _) => "json",
        (_, Some(Lines::Csv)) => "csv",
        (_, Some(Lines::Jsonl) | None) => "jsonl",
    };
    let named = [
        ("actor", &filters.actor),
        ("kind", &filters.kind),
        ("from", &filters.from),
        ("to", &filters.to),
    ];
    let mut query = format!("format={format}");
    for (name, value) in named {
        if let Some(value) = value {
            query.push_str(&format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        }
    }
    query
}

/// Prints what comes in pieces.
struct Printer {
    shape: Shape,
    /// What came of a line that has not ended, or of the document.
    rest: String,
}

impl Printer {
    fn print(&mut self, text: &str) -> anyhow::Result<()> {
        if self.shape == Shape::AsItIs {
            return Ok(std::io::stdout().write_all(text.as_bytes())?);
        }
        self.rest.push_str(text);
        if self.shape == Shape::Text {
            while let Some((line, rest)) = self.rest.split_once('\n') {
                print::event(&serde_json::from_str(line).context("a line is no JSON")?);
                self.rest = rest.to_owned();
            }
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        if self.shape == Shape::Page {
            let page: Value = serde_json::from_str(&self.rest).context("the answer is no JSON")?;
            say(&serde_json::to_string_pretty(&page)?);
        }
        Ok(())
    }
}
