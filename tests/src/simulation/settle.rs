//! Nothing breaks any more, and everything that waits is let through.

use std::time::Duration;

use anyhow::{Context as _, bail};
use calotype_eventstore::EventStore as _;
use tokio::time::Instant;

use super::Simulation;

/// How long everything may take until nothing waits.
const SETTLE_LIMIT: Duration = Duration::from_secs(120);
/// How long a round pauses in which nothing moved: a connection that was cut may still hold a lock, and NATS is
/// connected to again.
const PAUSE: Duration = Duration::from_millis(20);
/// Bells heard in one round.
const HEARD_MAX: usize = 200;

/// What waits still.
const WAITING: &str = "
    select concat_ws(', ',
        (select 'events without a position' from log.outbox limit 1),
        (select 'an errand: ' || kind from work.errands
          where kind in ('AssetPurged', 'PersonDeleted') limit 1),
        (select 'a rebuild: ' || name from work.rebuilds where state = 'running' limit 1),
        (select 'the relay' from log.head
          where position > coalesce((select position from work.checkpoints where name = 'relay'), 0)),
        (select 'the tree' from log.head, proof.tree where head.position > tree.size),
        (select 'read models' from log.head
          where exists (select from work.checkpoints
                         where checkpoints.name ~ '_v[0-9]+$' and checkpoints.position < head.position)
             or (head.position > 0 and not exists (select from work.checkpoints
                         where checkpoints.name like 'assets_v%'))))";

impl Simulation {
    /// Everything comes back, and everything is let through.
    pub(super) async fn settle(&mut self) -> anyhow::Result<()> {
        for process in [&self.writing, &self.ordering, &self.reading] {
            process.proxy.disarm();
            process.proxy.release();
        }
        if !self.is_nats_up {
            self.start_nats().await?;
        }
        if self.is_disk_away {
            self.bring_disk_back().await?;
        }
        let deadline = Instant::now() + SETTLE_LIMIT;
        loop {
            let settled = self.settle_once().await;
            let waiting: String = sqlx::query_scalar(WAITING).fetch_one(self.world.pool()).await?;
            match settled {
                Ok(0) if waiting.is_empty() => return Ok(()),
                Ok(moved) if moved > 0 => {}
                Ok(_) => tokio::time::sleep(PAUSE).await,
                // What died a moment ago may still be in the way; what is wrong stays wrong.
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
            if Instant::now() > deadline {
                bail!("waited in vain for: {waiting}");
            }
        }
    }

    /// Lets everybody take steps; says how much moved.
    async fn settle_once(&mut self) -> anyhow::Result<usize> {
        let mut moved = self.sequencer.step().await?;
        self.ordering.store.head().await?;
        self.reading.store.head().await?;
        moved += self.runner.step().await?;
        moved += self.relay.step().await?;
        let waits = self.prover.step().await?.context("another prover leads")?;
        moved += usize::try_from(waits)?;
        moved += usize::from(self.rebuilder.step().await?);
        sqlx::query("update work.errands set due_at = now()").execute(self.world.pool()).await?;
        let applied = self.applied();
        let has_more = Box::pin(self.worker.run_errands_once(applied)).await?;
        moved += usize::from(has_more && self.has_moving_errands().await?);
        moved += self.take_all_bells().await?;
        for _ in 0..HEARD_MAX {
            if !self.hear_one_in_peace().await? {
                break;
            }
            moved += 1;
        }
        Ok(moved)
    }

    /// Whether errands are left other than those that a model or a file that nobody has would be needed for.
    async fn has_moving_errands(&self) -> anyhow::Result<bool> {
        Ok(sqlx::query_scalar("select exists (select from work.errands where tries = 0)")
            .fetch_one(self.world.pool())
            .await?)
    }
}
