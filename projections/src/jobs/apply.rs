//! Events of assets and queues to `jobs_v2`, `jobs_counts_v2` and `queues_v2`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use calotype_domain::asset::Stage;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::queue::{QueueEvent, stage_of};
use sqlx::PgConnection;

use super::row::{Jobs, State};
use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::fold_in_tx;
use crate::projection::Projection;

/// Keeps `jobs_v2`, `jobs_counts_v2` and `queues_v2`.
pub struct JobsProjection;

/// How many assets came into a state of a step, or left it.
type Deltas = BTreeMap<(String, State), i64>;

#[async_trait]
impl Projection for JobsProjection {
    fn name(&self) -> &'static str {
        "jobs"
    }

    fn version(&self) -> u16 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["jobs_v2", "jobs_counts_v2", "queues_v2"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset", "queue"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        let mut deltas = Deltas::new();
        // Emptying a queue moves what waited until then, so the order between the two kinds counts.
        for run in events.chunk_by(|a, b| is_of_a_queue(a) == is_of_a_queue(b)) {
            if run.first().is_some_and(|event| is_of_a_queue(event)) {
                for event in run {
                    apply_queue_in_tx(tx, event, &mut deltas).await?;
                }
                continue;
            }
            for change in fold_in_tx::<Jobs>(tx, run).await? {
                for (row, delta) in [(&change.before, -1), (&change.after, 1)] {
                    for (stage, state) in row.iter().flat_map(super::row::JobRow::states) {
                        *deltas.entry((stage.to_owned(), state)).or_default() += delta;
                    }
                }
            }
        }
        deltas.retain(|_, delta| *delta != 0);
        count_in_tx(tx, &deltas).await
    }
}

fn is_of_a_queue(event: &Event) -> bool {
    matches!(event.what, AnyEvent::Queue(_))
}

async fn apply_queue_in_tx(
    tx: &mut PgConnection,
    event: &Event,
    deltas: &mut Deltas,
) -> Result<(), ProjectionError> {
    let AnyEvent::Queue(what) = &event.what else { return Ok(()) };
    let name = event.stream_id.strip_prefix("queue-").unwrap_or_default();
    let (paused, left) = match what {
        QueueEvent::Paused(_) => (Some(true), None),
        QueueEvent::Resumed(_) => (Some(false), None),
        QueueEvent::Emptied(_) => (None, Some(State::Waiting)),
        QueueEvent::FailuresCleared(_) => (None, Some(State::Failed)),
        QueueEvent::JobRequested(_)
        | QueueEvent::ProposalAccepted(_)
        | QueueEvent::ProposalDiscarded(_)
        | QueueEvent::ProposalRequested(_)
        | QueueEvent::RerunRequested(_)
        | QueueEvent::RequestDone(_) => return Ok(()),
    };
    let news = sqlx::query(
        "insert into queues_v2 as queues (name, revision, is_paused)
         values ($1, $2, coalesce($3, false))
         on conflict (name) do update
            set is_paused = coalesce($3, queues.is_paused), revision = excluded.revision
          where queues.revision < excluded.revision",
    )
    .bind(name)
    .bind(event.revision)
    .bind(paused)
    .execute(&mut *tx)
    .await?
    .rows_affected();
    if let (1, Some(left), Some(stage)) = (news, left, stage_of(name)) {
        let moved = leave_in_tx(tx, stage, left).await?;
        *deltas.entry((stage.as_str().to_owned(), left)).or_default() -= moved;
        *deltas.entry((stage.as_str().to_owned(), State::Missing)).or_default() += moved;
    }
    Ok(())
}

/// Lets every asset in a state of a step go without that step; says how many.
async fn leave_in_tx(
    tx: &mut PgConnection,
    stage: Stage,
    state: State,
) -> Result<i64, ProjectionError> {
    let sql = match state {
        State::Waiting => {
            "update jobs_v2
                set waiting = array_remove(waiting, $1), missing = array_append(missing, $1)
              where waiting @> array[$1] and waiting <> '{}'"
        }
        State::Failed => {
            "update jobs_v2
                set failed = array_remove(failed, $1), missing = array_append(missing, $1)
              where failed @> array[$1] and failed <> '{}'"
        }
        State::Missing => return Ok(0),
    };
    let moved = sqlx::query(sql).bind(stage.as_str()).execute(tx).await?.rows_affected();
    Ok(i64::try_from(moved).unwrap_or(i64::MAX))
}

async fn count_in_tx(tx: &mut PgConnection, deltas: &Deltas) -> Result<(), ProjectionError> {
    if deltas.is_empty() {
        return Ok(());
    }
    let stages: Vec<&str> = deltas.keys().map(|(stage, _)| stage.as_str()).collect();
    let states: Vec<&str> = deltas.keys().map(|(_, state)| state.as_str()).collect();
    let counts: Vec<i64> = deltas.values().copied().collect();
    sqlx::query(
        "insert into jobs_counts_v2 as counts (stage, state, count)
         select * from unnest($1::text[], $2::text[], $3::bigint[])
         on conflict (stage, state) do update set count = counts.count + excluded.count",
    )
    .bind(&stages)
    .bind(&states)
    .bind(&counts)
    .execute(&mut *tx)
    .await?;
    sqlx::query("delete from jobs_counts_v2 where count = 0").execute(tx).await?;
    Ok(())
}
