//! Operator commands: over HTTP to a running server, or in a data folder that no server has open.

mod admin;
mod beside;
mod forgetting;
mod history;
mod import;
pub(crate) mod models;
mod originals;
mod past;
mod people;
mod print;
mod print_rebuild;
mod projections;
mod proof;
mod reach;
mod target;

use calotype_commands::CommandContext;
use calotype_commands::context::{Actor, ActorKind};
use calotype_domain::{Clock as _, CommandId, IdGen as _};

use crate::clock::{RandomIds, SystemClock};

pub use admin::{Admin, admin};
pub(crate) use beside::Live;
pub use forgetting::{Erase, Erasures, Hold, Release, erase, erasures, hold, release};
pub use history::{Audit, History, audit, history};
pub use import::import;
pub use models::Task;
pub use past::{AsOf, Revert, UndoArgs, as_of, revert, undo};
pub use people::{People, people};
pub use projections::{Projections, projections};
pub(crate) use proof::print_report;
pub use proof::{Proof, Verify, proof, verify};
pub(crate) use reach::{Local, Remote};
pub use target::{Target, TargetArgs};

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
