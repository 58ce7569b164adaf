//! A rehearsal: the backup is restored beside, what has happened since is taken from the live log, and every read
//! model is compared with the live one, row for row. Files are hashed where they lie, and not copied.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use calotype_eventstore::backup::{
    FRAMES_WAITING_MAX, LogIs, begin_moment, copy_in, copy_out, finish_load, log_is, read_log,
    write_log,
};
use sqlx::PgConnection;
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::compare::{self, Compared};
use super::fresh::Fresh;
use super::plan::Plan;
use super::{Restore, files, log};
use crate::backup::{SECRETS, SUBJECT_KEYS, count, table_of};
use crate::config::Config;
use crate::operator::{Live, Target, say};
use crate::wiring::Core;

/// Positions that are taken over at once.
const POSITIONS_AT_ONCE: i64 = 10_000;

/// Rehearses a restore; false where it would not bring everything back.
pub(super) async fn rehearse(target: &Target, wish: &Restore) -> anyhow::Result<bool> {
    let live = Box::pin(Live::open(target)).await?;
    let done = Box::pin(beside(&live, wish)).await;
    live.close().await;
    done
}

async fn beside(live: &Live, wish: &Restore) -> anyhow::Result<bool> {
    let began = Instant::now();
    live.settle().await?;
    let plan = Plan::make(wish, &live.config).await?;
    let scratch = scratch(wish)?;
    let config = Config {
        data: scratch.path().join("data"),
        database_url: None,
        storage: None,
        ..live.config.clone()
    };
    copy_keys(live, &config.data)?;
    let fresh = Box::pin(Fresh::open(&config, &plan)).await?;
    let done = Box::pin(fill_and_compare(live, &fresh, &plan, began)).await;
    fresh.close().await;
    let (compared, is_proven) = done?;
    let (files, lost) = files::look(&plan).await?;
    scratch.close().context("failed to remove the folder for the time being")?;
    let is_good = compared.tell() && is_proven && lost == 0;
    say(&format!("{} files of {} are there and whole", count(files - lost), count(files)));
    say(&format!("It took {} s.", began.elapsed().as_secs()));
    say(if is_good {
        "The backup can be restored."
    } else {
        "THE BACKUP DOES NOT BRING EVERYTHING BACK."
    });
    Ok(is_good)
}

/// Others must be able to pass through it: as root, the database runs as another user.
fn scratch(wish: &Restore) -> anyhow::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("calotype-rehearsal-");
    if rustix::process::geteuid().is_root() {
        builder.permissions(std::fs::Permissions::from_mode(0o711));
    }
    let made = match &wish.scratch {
        Some(folder) => builder.tempdir_in(folder),
        None => builder.tempdir(),
    };
    made.context("failed to make a folder for the time being")
}

fn copy_keys(live: &Live, data: &Path) -> anyhow::Result<()> {
    let keys = data.join("keys");
    std::fs::create_dir_all(&keys)?;
    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o700))?;
    for name in SECRETS {
        let from = live.keys().join(name);
        if from.exists() {
            std::fs::copy(&from, keys.join(name))
                .with_context(|| format!("failed to copy {}", from.display()))?;
        }
    }
    Ok(())
}

async fn fill_and_compare(
    live: &Live,
    fresh: &Fresh,
    plan: &Plan,
    began: Instant,
) -> anyhow::Result<(Compared, bool)> {
    log::load(fresh, plan).await?;
    let core = fresh.core().await?;
    let done = Box::pin(async {
        let is_proven = log::verify(&core, fresh.root(), plan).await?;
        log::apply(&core).await?;
        say(&format!(
            "the backup of {} was restored up to position {} in {} s",
            plan.manifest.made_at(),
            count(u64::try_from(plan.position).unwrap_or_default()),
            began.elapsed().as_secs()
        ));
        let compared = follow_and_compare(live, fresh, &core, plan).await?;
        anyhow::Ok((compared, is_proven))
    })
    .await;
    core.close().await;
    done
}

/// Brings the restored log to where the live read models stand at one moment, and compares the two.
async fn follow_and_compare(
    live: &Live,
    fresh: &Fresh,
    core: &Core,
    plan: &Plan,
) -> anyhow::Result<Compared> {
    live.wait_applied(plan.position).await?;
    let mut moment = begin_moment(&live.core.pool).await?;
    let LogIs { log_id, .. } = log_is(&mut moment).await?;
    ensure!(log_id == plan.manifest.log_id, "the backup is of another log than this data folder's");
    let position = compare::position(&mut moment).await?;
    ensure!(position >= plan.position, "the live read models are made anew now: try it later");
    let mut tx = fresh.owner.begin().await?;
    renew_keys(&mut moment, &mut tx).await?;
    let keyring = live.keyring()?;
    let mut after = plan.position;
    while after < position {
        let to = position.min(after + POSITIONS_AT_ONCE);
        let (sent, mut frames) = mpsc::channel(FRAMES_WAITING_MAX);
        let (read, written) = tokio::join!(
            async {
                let sent = sent;
                read_log(&live.core.pool, &keyring, (after, to), &sent).await
            },
            write_log(&mut tx, &keyring, None, &mut frames)
        );
        read?;
        written?;
        after = to;
    }
    finish_load(&mut tx, position, log_id).await?;
    tx.commit().await.context("failed to take over what came since")?;
    // The store learns of the new head, and of keys that went since.
    calotype_eventstore::EventStore::head(&core.store).await?;
    core.store.drop_caches();
    log::apply(core).await?;
    let came = u64::try_from(position - plan.position).unwrap_or_default();
    say(&format!("{} positions came since, and were taken from the live log", count(came)));
    let compared = compare::compare(&mut moment, &core.pool).await?;
    moment.rollback().await.ok();
    Ok(compared)
}

/// Gives the restored log the keys of this moment: what was forgotten since the backup is forgotten in both.
async fn renew_keys(moment: &mut PgConnection, tx: &mut PgConnection) -> anyhow::Result<()> {
    sqlx::query("delete from log.subject_keys").execute(&mut *tx).await?;
    let table = table_of(moment, SUBJECT_KEYS).await?;
    let columns = table.columns.clone();
    let query = format!("select {} from {SUBJECT_KEYS}", columns.join(", "));
    let (sent, mut frames) = mpsc::channel(FRAMES_WAITING_MAX);
    let taking = async {
        // The first frame names the table, which is known.
        frames.recv().await;
        copy_in(tx, SUBJECT_KEYS, &columns, &mut frames).await
    };
    let sending = async {
        let sent = sent;
        copy_out(moment, table, &query, &sent).await
    };
    let (read, written) = tokio::join!(sending, taking);
    read?;
    written?;
    Ok(())
}
