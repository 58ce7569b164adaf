//! Operator commands: over HTTP to a running server, or in a data folder that no server has open.

mod admin;
mod past;
mod print;
mod proof;
mod reach;
mod target;

use calotype_commands::CommandContext;
use calotype_commands::context::{Actor, ActorKind};
use calotype_domain::{AssetId, Clock as _, CommandId, IdGen as _};
use calotype_projections::projection;
use clap::Subcommand;

use crate::clock::{RandomIds, SystemClock};

pub use admin::{Admin, admin};
pub use past::{AsOf, Revert, UndoArgs, as_of, revert, undo};
pub use proof::{Proof, Verify, proof, verify};
pub(crate) use reach::{Local, Remote};
pub use target::{Target, TargetArgs};

/// `calotype projections …`
#[derive(Clone, Debug, Subcommand)]
pub enum Projections {
    /// Show every projection, its version and how far it is.
    List,
    /// Make a projection's tables anew from the log.
    Rebuild {
        /// Which one; see `list`.
        name: Option<String>,
        /// All of them.
        #[arg(long, conflicts_with = "name")]
        all: bool,
    },
}

/// `calotype history …`
#[derive(Clone, Debug, Subcommand)]
pub enum History {
    /// Every event of a photo or film, in order.
    Asset {
        /// Its id.
        id: AssetId,
        /// As JSON instead of text.
        #[arg(long)]
        json: bool,
    },
}

/// Brings a database's tables up to date and says so.
///
/// # Errors
/// When the data folder or database cannot be opened.
pub async fn migrate(target: &Target) -> anyhow::Result<()> {
    anyhow::ensure!(
        target.server().is_none(),
        "a running server has brought its tables up to date when it started; to migrate a folder, say --data DIR \
         and no --server"
    );
    let local = Local::open(target).await?;
    say("The database's tables are up to date.");
    local.close().await;
    Ok(())
}

/// Lists or rebuilds projections.
///
/// # Errors
/// When the server or folder cannot be reached, or an event cannot be applied.
pub async fn projections(target: &Target, command: Projections) -> anyhow::Result<()> {
    match command {
        Projections::List => {
            let statuses = if let Some(server) = target.server() {
                Remote::new(server, target)?.get("/calotype/projections").await?
            } else {
                let local = Local::open(target).await?;
                let statuses = serde_json::to_value(local.core.queries.projections().await?)?;
                local.close().await;
                statuses
            };
            print::projections(&statuses);
        }
        Projections::Rebuild { name, all } => {
            anyhow::ensure!(all || name.is_some(), "say which projection, or --all");
            let names: Vec<String> = name.map_or_else(
                || projection::all().iter().map(|one| one.name().to_owned()).collect(),
                |name| vec![name],
            );
            if let Some(server) = target.server() {
                let remote = Remote::new(server, target)?;
                for name in names {
                    let path = format!("/calotype/projections/{name}/rebuild");
                    let rebuilt = remote.call(reqwest::Method::POST, &path, None).await?;
                    print::rebuilt(&rebuilt);
                }
            } else {
                let local = Local::open(target).await?;
                for name in names {
                    let rebuilt = local.core.queries.rebuild(&name).await?;
                    print::rebuilt(&serde_json::to_value(rebuilt)?);
                }
                local.close().await;
            }
        }
    }
    Ok(())
}

/// Tells the history of an asset.
///
/// # Errors
/// When the server or folder cannot be reached.
pub async fn history(target: &Target, command: History) -> anyhow::Result<()> {
    let History::Asset { id, json } = command;
    let history = if let Some(server) = target.server() {
        Remote::new(server, target)?.get(&format!("/calotype/assets/{id}/history")).await?
    } else {
        let local = Local::open(target).await?;
        let told = local.core.queries.history("asset", id.uuid()).await?;
        local.close().await;
        calotype_api::asset_history(id.uuid(), told)?
    };
    if json {
        say(&serde_json::to_string_pretty(&history)?);
    } else {
        print::history(&history);
    }
    Ok(())
}

/// The context of an operator's command.
pub(crate) fn context(command: &str) -> CommandContext {
    CommandContext {
        actor: Actor { kind: ActorKind::System, id: command.to_owned(), user_id: None },
        client: Some(concat!("calotype/", env!("CARGO_PKG_VERSION")).into()),
        command_id: CommandId::new(RandomIds.v7()),
        correlation_id: RandomIds.v7(),
        causation_id: None,
        now: SystemClock.now(),
    }
}

#[expect(clippy::print_stdout, reason = "an operator's command answers on standard output")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
