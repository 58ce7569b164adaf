//! The log with its keys and small tables, into an empty database: in one transaction, so that a restore that is cut
//! off leaves an empty log.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use calotype_eventstore::backup::{Frame, Loaded, copy_in, finish_load, require_opens, write_log};
use calotype_projections::Runner;
use sqlx::PgConnection;

use super::fresh::Fresh;
use super::plan::Plan;
use crate::backup::{
    KEYS, LOG, Part, PartReader, Progress, SUBJECT_KEYS, WORK, count, is_kept, read_part, remark,
};
use crate::operator::print_report;
use crate::proofs::{LogProofs, report};
use crate::wiring::Core;

/// What of the small tables is of later than the position; `$1` is that.
const CUT: [&str; 5] = [
    "delete from log.skipped where event_id not in (select event_id from log.positions) and $1 >= 0",
    "delete from proof.heads where size > $1",
    "delete from work.errands where position > $1",
    "update work.checkpoints set position = least(position, $1)",
    // JetStream has nothing yet, and reconciling finds what is to be done: the past is not rung again.
    "insert into work.checkpoints (name, position) values ('relay', $1)
     on conflict (name) do update set position = excluded.position",
];

/// Loads it.
pub(super) async fn load(fresh: &Fresh, plan: &Plan) -> anyhow::Result<()> {
    let keyring = fresh.keyring()?;
    let mut tx = fresh.owner.begin().await.context("failed to begin")?;
    let keys = plan.manifest.keys.as_ref().context("the manifest names no keys")?;
    copy_part(&mut tx, plan, keys, KEYS, |table| table == SUBJECT_KEYS).await?;
    require_opens(&mut tx, &keyring).await?;
    let (mut all, mut progress) = (Loaded::default(), Progress::new());
    for segment in &plan.manifest.segments {
        if segment.first > plan.position {
            break;
        }
        let until = Some(plan.position).filter(|until| segment.last > *until);
        let mut reader = read_part(&plan.objects, &segment.part, LOG).await?;
        let loaded = write_log(&mut tx, &keyring, until, &mut reader.frames).await;
        let loaded = finished(reader, loaded).await?;
        all.attachments += loaded.attachments;
        all.forgotten += loaded.forgotten;
        progress.tell(|| {
            let number = |position| count(u64::try_from(position).unwrap_or_default());
            format!("log: {} of {} positions", number(segment.last), number(plan.position))
        });
    }
    let work = plan.manifest.work.as_ref().context("the manifest names no small tables")?;
    copy_part(&mut tx, plan, work, WORK, is_kept).await?;
    for statement in CUT {
        sqlx::query(statement).bind(plan.position).execute(&mut *tx).await?;
    }
    // They go out again, to the file of this folder.
    for table in ["proof.heads", "proof.keys"] {
        let statement = format!("update {table} set is_told = false");
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *tx).await?;
    }
    finish_load(&mut tx, plan.position, plan.manifest.log_id).await?;
    tx.commit().await.context("failed to keep the log")?;
    for table in ["log.events", "log.positions", "log.attachments", "log.subject_keys"] {
        sqlx::query(sqlx::AssertSqlSafe(format!("analyze {table}"))).execute(&fresh.owner).await?;
    }
    if all.forgotten > 0 {
        remark(&format!("{} attachments are of what was forgotten since", count(all.forgotten)));
    }
    Ok(())
}

/// Copies a part with tables, those that `is_good` knows.
async fn copy_part(
    db: &mut PgConnection,
    plan: &Plan,
    part: &Part,
    what: &str,
    is_good: fn(&str) -> bool,
) -> anyhow::Result<()> {
    let mut reader = read_part(&plan.objects, part, what).await?;
    let copied = copy_tables(db, &mut reader, is_good).await;
    finished(reader, copied).await
}

async fn copy_tables(
    db: &mut PgConnection,
    reader: &mut PartReader,
    is_good: fn(&str) -> bool,
) -> anyhow::Result<()> {
    let mut next = reader.frames.recv().await;
    while let Some(frame) = next.take() {
        let Frame::Table(table) = frame else { bail!("there are rows without a table") };
        ensure!(
            is_good(&table.name) && table.is_plain(),
            "the table {:?} is not known",
            table.name
        );
        next = copy_in(db, &table.name, &table.columns, &mut reader.frames).await?;
    }
    Ok(())
}

/// What reading says stands above what the database says: frames that were cut off are no rows.
async fn finished<T, E: Into<anyhow::Error>>(
    reader: PartReader,
    done: Result<T, E>,
) -> anyhow::Result<T> {
    match done {
        Ok(done) => {
            reader.finish().await?;
            Ok(done)
        }
        Err(error) => Err(error.into()),
    }
}

/// Takes the log into the tree, and compares it with the heads of the backup.
pub(super) async fn verify(core: &Core, root: &Path, plan: &Plan) -> anyhow::Result<bool> {
    let proofs = LogProofs::of(core, root);
    let log = proofs.log();
    while log.extend().await? > 0 {}
    let key: Vec<_> = plan.public_key().into_iter().collect();
    let found = log.verify("", &key).await?;
    let is_good = found.is_good();
    print_report(&serde_json::to_value(report(found))?);
    Ok(is_good)
}

/// Makes the read models.
pub(super) async fn apply(core: &Core) -> anyhow::Result<()> {
    let mut runner = Runner::new(core.pool.clone(), Arc::new(core.store.clone()));
    runner.load().await?;
    let (mut progress, mut applied) = (Progress::new(), 0_u64);
    let position = runner.position();
    loop {
        let events = runner.step().await.context("failed to make the read models")?;
        if events == 0 {
            return Ok(());
        }
        applied += 1;
        progress.tell(|| {
            let at = u64::try_from(position.borrow().get()).unwrap_or_default();
            format!("read models: {} positions, in {} batches", count(at), count(applied))
        });
    }
}
