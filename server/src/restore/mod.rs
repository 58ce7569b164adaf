//! `calotype restore`: a data folder and a database made of a backup, or only tried (`--rehearse`).

mod compare;
mod files;
mod fresh;
mod log;
mod plan;
mod rehearse;

use std::path::Path;

use anyhow::ensure;
use clap::Args;

use crate::backup::{StoreWords, count};
use crate::operator::{Target, say};
use fresh::Fresh;
use plan::Plan;

pub(crate) use fresh::refuse_unfinished;

/// `calotype restore …`
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Restore {
    /// Where the backup lies: a folder, or `s3://BUCKET/FOLDER`.
    from: String,
    /// Which backup of those that lie there; else the newest.
    #[arg(long, value_name = "ID")]
    backup: Option<String>,
    /// Only the log up to this position: everything is as it was then, but for what was forgotten since.
    #[arg(long, value_name = "N")]
    position: Option<i64>,
    /// Only try it: restore into a folder for the time being, compare it with the data folder that is named, and
    /// remove it.
    #[arg(long, conflicts_with = "position")]
    rehearse: bool,
    /// Where the folder for the time being is made. It needs room for the database, not for the files.
    #[arg(long, value_name = "DIR", requires = "rehearse")]
    scratch: Option<std::path::PathBuf>,
    #[command(flatten)]
    store: StoreWords,
}

/// Restores into an empty place, or rehearses it. False where something is missing or differs; it is named.
///
/// # Errors
/// When the backup cannot be read or is damaged, or the place is not empty.
pub async fn restore(target: &Target, wish: Restore) -> anyhow::Result<bool> {
    if wish.rehearse {
        return Box::pin(rehearse::rehearse(target, &wish)).await;
    }
    ensure!(
        target.server().is_none(),
        "a backup is restored into a new data folder: say --data DIR, and no --server"
    );
    let config = target.config()?;
    let plan = Plan::make(&wish, &config).await?;
    let fresh = Box::pin(Fresh::open(&config, &plan)).await?;
    let restored = Box::pin(fill(&fresh, &plan)).await;
    let root = fresh.root().to_owned();
    fresh.close().await;
    let is_whole = restored?;
    tell(&plan, &root, is_whole);
    Ok(is_whole)
}

async fn fill(fresh: &Fresh, plan: &Plan) -> anyhow::Result<bool> {
    log::load(fresh, plan).await?;
    let core = fresh.core().await?;
    let done = Box::pin(async {
        let is_proven = log::verify(&core, fresh.root(), plan).await?;
        log::apply(&core).await?;
        let has_all = files::restore(&core, fresh, plan).await?;
        anyhow::Ok(is_proven && has_all)
    })
    .await;
    core.close().await;
    let is_whole = done?;
    fresh.finish()?;
    Ok(is_whole)
}

fn tell(plan: &Plan, root: &Path, is_whole: bool) {
    let events = u64::try_from(plan.position).unwrap_or_default();
    say(&format!(
        "Restored from the backup of {}, up to position {}, into {}.",
        plan.manifest.made_at(),
        count(events),
        root.display()
    ));
    if is_whole {
        say("Everything is there. Start it with `calotype serve`.");
    } else {
        say("NOT EVERYTHING IS THERE: see above. It can be started with `calotype serve`.");
    }
}
