//! `calotype projections`: how read models stand, and making them anew, comparing, switching back.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use calotype_projections::projection;
use calotype_projections::rebuild::Wish;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Local, Remote, Target, print, print_rebuild, say};

/// How often a rebuild is looked at.
const POLL: Duration = Duration::from_millis(250);
/// How often is told how far it is.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// `calotype projections …`
#[derive(Clone, Debug, Subcommand)]
pub enum Projections {
    /// Show every projection, its version and how far it is.
    List,
    /// Show how far the last rebuild of a projection is, or what came of it.
    Show {
        /// Which one; see `list`.
        name: String,
        /// As JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Make a projection's tables anew from the log, beside the live ones, and switch to them.
    Rebuild {
        /// Which one; see `list`.
        name: Option<String>,
        /// All of them: the log is read once for all that go as fast as they can.
        #[arg(long, conflicts_with = "name")]
        all: bool,
        /// How fast.
        #[command(flatten)]
        how: How,
        /// Do not wait for the end: the server goes on by itself.
        #[arg(long)]
        detach: bool,
    },
    /// Make a projection's tables anew beside the live ones, say what would change, and drop them.
    Diff {
        /// Which one; see `list`.
        name: String,
        /// How fast.
        #[command(flatten)]
        how: How,
        /// As JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Switch back to the tables that were live before the last switch, once they have taken in what came since.
    Rollback {
        /// Which one; see `list`.
        name: String,
        /// How fast.
        #[command(flatten)]
        how: How,
    },
    /// Let a rebuild stand still.
    Pause {
        /// Which one; see `list`.
        name: String,
    },
    /// Let a rebuild go on that was paused, or that stopped at an event.
    Resume {
        /// Which one; see `list`.
        name: String,
        /// How fast.
        #[command(flatten)]
        how: How,
    },
    /// Give up the rebuild that is under way, or else drop the tables that were live before.
    Discard {
        /// Which one; see `list`.
        name: String,
    },
}

/// How fast.
#[derive(Clone, Copy, Debug, Args)]
pub struct How {
    /// The most events a second; without it as many as it can.
    #[arg(long, value_name = "EVENTS", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: Option<u32>,
}

/// Lists, rebuilds or compares projections.
///
/// # Errors
/// When the server or folder cannot be reached, or an event cannot be applied.
pub async fn projections(target: &Target, command: Projections) -> anyhow::Result<()> {
    match target.server() {
        Some(server) => on(&Reach::Remote(Remote::new(server, target)?), command).await,
        None => {
            let reach = Reach::Local(Box::new(Local::open(target).await?));
            let done = on(&reach, command).await;
            if let Reach::Local(local) = reach {
                local.close().await;
            }
            done
        }
    }
}

async fn on(reach: &Reach, command: Projections) -> anyhow::Result<()> {
    match command {
        Projections::List => print::projections(&reach.list().await?),
        Projections::Show { name, json } => {
            let rebuild = reach.look(&name).await?;
            if json {
                say(&serde_json::to_string_pretty(&rebuild)?);
            } else {
                print_rebuild::state(&rebuild);
            }
        }
        Projections::Rebuild { name, all, how, detach } => {
            ensure!(all || name.is_some(), "say which projection, or --all");
            let names = name.map_or_else(every_name, |name| vec![name]);
            let is_left = detach && matches!(reach, Reach::Remote(_));
            // All are begun before the first is waited for: the log is read once for them.
            for name in &names {
                reach.start(Wish::Rebuild, name, how).await?;
                if is_left {
                    say(&format!(
                        "{name}: begun; `calotype projections show {name}` tells how far it is"
                    ));
                }
            }
            for name in names.iter().filter(|_| !is_left) {
                print_rebuild::rebuilt(&reach.follow(name).await?);
            }
        }
        Projections::Diff { name, how, json } => {
            reach.start(Wish::Diff, &name, how).await?;
            let rebuild = reach.follow(&name).await?;
            if json {
                say(&serde_json::to_string_pretty(&rebuild)?);
            } else {
                print_rebuild::diff(&rebuild);
            }
        }
        Projections::Rollback { name, how } => {
            reach.start(Wish::Rollback, &name, how).await?;
            print_rebuild::rebuilt(&reach.follow(&name).await?);
        }
        Projections::Pause { name } => {
            print_rebuild::state(&reach.change(&name, json!({ "isPaused": true })).await?);
        }
        Projections::Resume { name, how } => {
            let mut wish = json!({ "isPaused": false });
            if let Some(rate) = how.rate {
                wish["eventsPerSecondMax"] = rate.into();
            }
            reach.change(&name, wish).await?;
            print_rebuild::ended(&reach.follow(&name).await?);
        }
        Projections::Discard { name } => {
            print_rebuild::discarded(&reach.discard(&name).await?);
        }
    }
    Ok(())
}

fn every_name() -> Vec<String> {
    projection::all().iter().map(|one| one.name().to_owned()).collect()
}

/// Where projections are: both answer in the same shape.
enum Reach {
    Remote(Remote),
    Local(Box<Local>),
}

impl Reach {
    async fn list(&self) -> anyhow::Result<Value> {
        match self {
            Self::Remote(remote) => remote.get("/calotype/projections").await,
            Self::Local(local) => {
                Ok(serde_json::to_value(local.core.queries.projections().await?)?)
            }
        }
    }

    async fn start(&self, wish: Wish, name: &str, how: How) -> anyhow::Result<()> {
        match self {
            Self::Remote(remote) => {
                let path = format!("/calotype/projections/{name}/{}?wait=false", wish.as_str());
                let body = how.rate.map(|rate| json!({ "eventsPerSecondMax": rate }));
                remote.call(Method::POST, &path, body).await.map(drop)
            }
            Self::Local(local) => {
                Ok(local.core.queries.start_rebuild(name, wish, how.rate).await?)
            }
        }
    }

    async fn look(&self, name: &str) -> anyhow::Result<Value> {
        match self {
            Self::Remote(remote) => {
                remote.get(&format!("/calotype/projections/{name}/rebuild")).await
            }
            Self::Local(local) => {
                let rebuild = local.core.queries.rebuild_of(name).await?;
                let rebuild = rebuild.with_context(|| format!("{name} was never rebuilt"))?;
                Ok(calotype_api::projection_rebuild(rebuild)?)
            }
        }
    }

    /// `wish` is a body of `PUT /calotype/projections/{name}/rebuild`.
    async fn change(&self, name: &str, wish: Value) -> anyhow::Result<Value> {
        match self {
            Self::Remote(remote) => {
                let path = format!("/calotype/projections/{name}/rebuild");
                remote.call(Method::PUT, &path, Some(wish)).await
            }
            Self::Local(local) => {
                let rate = wish["eventsPerSecondMax"].as_u64();
                let rate = rate.and_then(|rate| u32::try_from(rate).ok()).map(Some);
                let is_paused = wish["isPaused"].as_bool();
                local.core.queries.change_rebuild(name, is_paused, rate).await?;
                self.look(name).await
            }
        }
    }

    async fn discard(&self, name: &str) -> anyhow::Result<Value> {
        match self {
            Self::Remote(remote) => {
                let path = format!("/calotype/projections/{name}/rebuild");
                remote.call(Method::DELETE, &path, None).await
            }
            Self::Local(local) => {
                local.core.queries.discard_rebuild(name).await?;
                self.look(name).await
            }
        }
    }

    /// Waits for the end, in a folder by working on it, and says what came of it.
    async fn follow(&self, name: &str) -> anyhow::Result<Value> {
        match self {
            Self::Remote(_) => self.watch(name).await,
            Self::Local(local) => {
                let cancel = CancellationToken::new();
                let working = local.core.queries.clone().keep_rebuilding(cancel.clone());
                let watching = async {
                    let ended = self.watch(name).await;
                    cancel.cancel();
                    ended
                };
                tokio::join!(working, watching).1
            }
        }
    }

    async fn watch(&self, name: &str) -> anyhow::Result<Value> {
        let mut told = Instant::now();
        loop {
            let rebuild = self.look(name).await?;
            match rebuild["state"].as_str() {
                Some("running") => {}
                Some("done") => return Ok(rebuild),
                _ => bail!(print_rebuild::stopped(&rebuild)),
            }
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                print_rebuild::progress(&rebuild);
            }
            tokio::time::sleep(POLL).await;
        }
    }
}
