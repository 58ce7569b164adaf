//! Making a read model anew from the log, beside the live one and while it answers (docs/adr/0024).
//!
//! The next generation grows in the schema `read_next`. Its row in `work.rebuilds` says what is wished and how far
//! it is, and moves in the transaction of the generation's rows, so that whoever takes it up again goes on there.
//! It is strict: it stops at the first event that it cannot apply. Before the switch both generations are
//! compared at the same position; the switch is one transaction, and what was live stays in `read_prev`.

mod changes;
mod compare;
mod fill;
mod lost;
mod orders;
mod query;
mod record;
mod show;
mod switch;
mod tables;
mod together;
mod work;

use std::sync::Arc;
use std::time::Duration;

use calotype_eventstore::{EventStore, GlobalPosition};
use sqlx::{PgConnection, PgPool};

use crate::error::ProjectionError;
use crate::projection::{Projection, all, checkpoint_name};
use crate::runner::checkpoint;

pub(crate) use changes::changed_in_tx;
pub use changes::{Changes, follow_changes};
pub use compare::{Comparison, Example, TableComparison};
pub use fill::Failure;
pub use lost::forget_deleted;
pub use orders::{change, discard, start};
pub use record::{Stage, State, Wish};
pub use show::{Previous, Rebuild, Status, list, rebuild_of};
pub use work::Rebuilder;

/// Connections that work on rebuilds takes at once, beside those that read the log: one for the lock, one for each
/// read model that a batch is applied to.
pub const CONNECTIONS_MAX: u32 = 3;
/// How often is looked whether somebody else's rebuild has ended.
const POLL: Duration = Duration::from_millis(100);

/// What a rebuild did.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Rebuilt {
    /// The projection.
    pub name: String,
    /// Events read from the log.
    pub events: u64,
    /// The position it stands at.
    pub position: i64,
}

/// Builds one projection anew and switches to it; whoever else works on rebuilds does not matter.
///
/// # Errors
/// [`ProjectionError::UnknownProjection`], [`ProjectionError::UnderWay`], [`ProjectionError::Stopped`], and what
/// the database said; the live tables are as before.
pub async fn rebuild(
    pool: &PgPool,
    store: &Arc<dyn EventStore>,
    name: &str,
) -> Result<Rebuilt, ProjectionError> {
    start(pool, name, Wish::Rebuild, None).await?;
    let mut rebuilder = Rebuilder::new(pool.clone(), Arc::clone(store));
    loop {
        rebuilder.work().await?;
        let Some(rebuild) = rebuild_of(pool, &**store, name).await? else {
            return Err(ProjectionError::NothingBuilt { name: name.to_owned() });
        };
        match rebuild.state {
            State::Done => {
                return Ok(Rebuilt {
                    name: name.to_owned(),
                    events: u64::try_from(rebuild.events).unwrap_or_default(),
                    position: rebuild.position,
                });
            }
            State::Running => tokio::time::sleep(POLL).await,
            State::Paused | State::Failed | State::Discarded => {
                let reason = rebuild.failure.map(|failure| failure.told());
                return Err(ProjectionError::Stopped {
                    name: name.to_owned(),
                    reason: reason.unwrap_or_else(|| "somebody stopped it".to_owned()),
                });
            }
        }
    }
}

/// The projection of a name for people.
fn named(name: &str) -> Result<Box<dyn Projection>, ProjectionError> {
    all()
        .into_iter()
        .find(|projection| projection.name() == name)
        .ok_or_else(|| ProjectionError::UnknownProjection { name: name.to_owned() })
}

/// The projection of a checkpoint's name; none where it is of another release.
fn of_checkpoint(name: &str) -> Option<Box<dyn Projection>> {
    all().into_iter().find(|projection| checkpoint_name(&**projection) == name)
}

/// Up to where a generation is built before both are compared: as far as the live one is; where none ever was,
/// the log's head.
async fn target(
    db: &mut PgConnection,
    store: &dyn EventStore,
    name: &str,
) -> Result<GlobalPosition, ProjectionError> {
    match checkpoint(db, name).await? {
        GlobalPosition::START => Ok(store.head().await?),
        live => Ok(live),
    }
}

/// The same of several, in their order.
async fn targets(
    db: &mut PgConnection,
    store: &dyn EventStore,
    names: &[&str],
) -> Result<Vec<GlobalPosition>, ProjectionError> {
    let positions: Vec<i64> = sqlx::query_scalar(
        "select coalesce(checkpoints.position, 0)
           from unnest($1::text[]) with ordinality as wanted (name, place)
           left join work.checkpoints as checkpoints using (name)
          order by wanted.place",
    )
    .bind(names)
    .fetch_all(db)
    .await?;
    let mut targets: Vec<GlobalPosition> = positions.into_iter().map(GlobalPosition::new).collect();
    if targets.contains(&GlobalPosition::START) {
        let head = store.head().await?;
        for target in &mut targets {
            *target = if *target == GlobalPosition::START { head } else { *target };
        }
    }
    Ok(targets)
}
