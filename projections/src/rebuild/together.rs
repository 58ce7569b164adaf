//! Several rebuilds at once: the log is read and decoded once for all that stand at the same place, and applied to
//! two of them at a time (docs/adr/0037).
//!
//! Each keeps its own row, transaction and position, so that one that is paused, stopped or cut off by a crash leaves
//! the others alone. Whoever is behind is brought up to the next one first, and goes on with it from there.

use calotype_eventstore::{GlobalPosition, Recorded};
use futures::{FutureExt as _, StreamExt as _};
use sqlx::PgPool;

use super::fill::{self, Failure, Filled};
use super::record::{self, Record, Stage, Wish};
use super::work::{Rebuilder, tell_stopped};
use super::{of_checkpoint, targets};
use crate::error::ProjectionError;
use crate::event::{Event, because};

/// Read models that a batch is applied to at the same time.
const AT_ONCE: usize = 2;
/// Events of one batch for several read models. What a batch costs beside its events it costs for each of them, so
/// it is larger than for one.
pub(super) const TOGETHER_EVENTS_MAX: u32 = 10_000;

/// Rebuilds at one place of the log.
#[derive(Debug)]
pub(super) struct Group {
    members: Vec<Record>,
    after: GlobalPosition,
    /// Where the next ones stand that these catch up with.
    until: Option<GlobalPosition>,
}

/// A piece of the log, read and decoded.
#[derive(Debug)]
struct Batch {
    recorded: Vec<Recorded>,
    /// None where one of them cannot be decoded: who takes it finds it event by event.
    events: Option<Vec<Event>>,
    last: GlobalPosition,
}

/// A batch that was read while the one before it was applied.
#[derive(Debug)]
pub(super) struct AheadTogether {
    names: Vec<String>,
    after: GlobalPosition,
    batch: Batch,
}

/// The rebuilds that go on together now; none where the one that was begun first goes alone: it has a limit, goes
/// back to what was live before, or is past the log, or there is no other.
pub(super) fn group(running: &[Record]) -> Option<Group> {
    let first = running.first()?;
    let together: Vec<&Record> = running.iter().filter(|record| can_join(record)).collect();
    if !can_join(first) || together.len() < 2 {
        return None;
    }
    let after = together.iter().map(|record| record.position()).min()?;
    let until = together.iter().map(|record| record.position()).filter(|at| *at > after).min();
    let members = together.into_iter().filter(|record| record.position() == after).cloned();
    Some(Group { members: members.collect(), after, until })
}

fn can_join(record: &Record) -> bool {
    record.stage() == Stage::Filling
        && record.events_per_second_max.is_none()
        && record.wish() != Wish::Rollback
        && of_checkpoint(&record.name).is_some()
}

impl Rebuilder {
    /// Applies one batch to every member of a group, and reads the one after it meanwhile.
    pub(super) async fn fill_together(&mut self, group: &Group) -> Result<(), ProjectionError> {
        for seen in &group.members {
            let Some(projection) = of_checkpoint(&seen.name) else { return Ok(()) };
            if !self.known.contains(&seen.name) && !self.look_at_tables(seen, &*projection).await? {
                return Ok(());
            }
        }
        let Some(target) = self.target_of(group).await? else { return Ok(()) };
        let names: Vec<String> = group.members.iter().map(|seen| seen.name.clone()).collect();
        let batch = match self.ahead_together.take() {
            Some(ahead)
                if ahead.names == names
                    && ahead.after == group.after
                    && ahead.batch.last <= target =>
            {
                ahead.batch
            }
            _ => self.read_together(&names, group.after, target).await?,
        };
        let last = batch.last;
        let applying = apply_to_all(&self.pool, &group.members, &batch);
        let reading = async {
            if last >= target {
                return Ok(None);
            }
            self.read_together(&names, last, target).await.map(Some)
        };
        let (applied, read) = tokio::join!(applying, reading);
        applied?;
        self.ahead_together = read?.map(|batch| AheadTogether { names, after: last, batch });
        Ok(())
    }

    /// Up to where the members are built; none where some of them are there, and have been moved on.
    async fn target_of(&self, group: &Group) -> Result<Option<GlobalPosition>, ProjectionError> {
        let mut db = self.pool.acquire().await?;
        let names: Vec<&str> = group.members.iter().map(|seen| seen.name.as_str()).collect();
        let targets = targets(&mut db, &*self.store, &names).await?;
        let mut nearest = group.until;
        let mut is_there = false;
        for (seen, target) in group.members.iter().zip(targets) {
            if group.after >= target {
                self.filled(&mut db, seen).await?;
                is_there = true;
            }
            nearest = Some(nearest.map_or(target, |nearest| nearest.min(target)));
        }
        Ok(nearest.filter(|_| !is_there))
    }

    async fn read_together(
        &self,
        names: &[String],
        after: GlobalPosition,
        target: GlobalPosition,
    ) -> Result<Batch, ProjectionError> {
        let mut aggregates: Vec<&'static str> = names
            .iter()
            .filter_map(|name| of_checkpoint(name))
            .flat_map(|projection| projection.aggregates().iter().copied())
            .collect();
        aggregates.sort_unstable();
        aggregates.dedup();
        let some = self.store.read_aggregates(after, &aggregates, self.together_max).await?;
        let (mut recorded, last) = (some.events, some.looked_to.min(target));
        recorded.retain(|event| event.position <= Some(target));
        let decoding = tokio::task::spawn_blocking(move || {
            let events = recorded.iter().map(Event::decode).collect::<Result<Vec<_>, _>>().ok();
            Batch { recorded, events, last }
        });
        decoding.await.map_err(|error| ProjectionError::Database(sqlx::Error::Io(error.into())))
    }
}

/// Applies a batch to each in a transaction of its own. All are tried, also where one cannot; what the database said
/// of the last one that it refused is told.
async fn apply_to_all(
    pool: &PgPool,
    members: &[Record],
    batch: &Batch,
) -> Result<(), ProjectionError> {
    let applying: Vec<_> = members.iter().map(|seen| apply_to(pool, seen, batch).boxed()).collect();
    let mut applied = futures::stream::iter(applying).buffer_unordered(AT_ONCE);
    let mut told = Ok(());
    while let Some(one) = applied.next().await {
        told = one.and(told);
    }
    told
}

async fn apply_to(pool: &PgPool, seen: &Record, batch: &Batch) -> Result<(), ProjectionError> {
    let Some(projection) = of_checkpoint(&seen.name) else { return Ok(()) };
    let mut db = pool.acquire().await?;
    let Batch { recorded, events, last } = batch;
    let filled = fill::batch_of(&mut db, &*projection, seen, recorded, events.as_deref(), *last);
    match filled.await {
        Ok(Filled::Applied | Filled::Overtaken) => Ok(()),
        Ok(Filled::Stopped(failure)) => {
            tell_stopped(seen, &failure);
            Ok(())
        }
        Err(error) if fill::is_of_an_event(&error) => {
            let failure = Failure::without_event(because(&error));
            record::fail(&mut db, &seen.name, &failure).await?;
            tell_stopped(seen, &failure);
            Ok(())
        }
        Err(error) => Err(error),
    }
}
