//! Rows of `work.rebuilds`: what is wished of a read model's next generation, and how far it is.

use calotype_eventstore::GlobalPosition;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, PgPool};

use super::compare::{Comparison, Example};
use super::fill::Failure;
use crate::error::ProjectionError;

/// Makes an enum of words that stand in rows and answers alike.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Its word in rows and answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            fn of(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words! {
    /// What is wished of a next generation.
    Wish {
        /// It takes the place of the live one.
        Rebuild = "rebuild",
        /// It is compared with the live one and dropped.
        Diff = "diff",
        /// The one that was live before takes its place again.
        Rollback = "rollback",
    }
}

words! {
    /// How a rebuild is.
    State {
        /// It goes on, or waits for its turn.
        Running = "running",
        /// Somebody stopped it for a while.
        Paused = "paused",
        /// It stopped at an event that it cannot apply.
        Failed = "failed",
        /// It did what was wished.
        Done = "done",
        /// Somebody gave it up.
        Discarded = "discarded",
    }
}

impl State {
    /// Whether the next generation's tables are there.
    #[must_use]
    pub const fn is_under_way(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Failed)
    }
}

words! {
    /// What a rebuild is at.
    Stage {
        /// It takes in the log.
        Filling = "filling",
        /// It makes indexes.
        Indexing = "indexing",
        /// It is compared with the live generation.
        Comparing = "comparing",
        /// It takes the live generation's place.
        Switching = "switching",
    }
}

/// A row.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) tables: Vec<String>,
    wish: String,
    state: String,
    stage: String,
    position: i64,
    pub(super) events: i64,
    pub(super) events_per_second_max: Option<i32>,
    pub(super) began_at: DateTime<Utc>,
    pub(super) stopped_at: Option<DateTime<Utc>>,
    /// Events that were read since it runs, in a second.
    pub(super) rate: f64,
    pub(super) failure: Option<Json<Failure>>,
    pub(super) comparison: Option<Json<Comparison>>,
    pub(super) examples: Option<Json<Vec<Example>>>,
    pub(super) previous_position: Option<i64>,
    pub(super) previous_since: Option<DateTime<Utc>>,
}

const SELECT: &str = "
    select name, tables, wish, state, stage, position, events, events_per_second_max, began_at, stopped_at,
           ((events - resumed_events)
               / greatest(extract(epoch from coalesce(stopped_at, now()) - resumed_at), 0.001))::float8
               as rate,
           failure, comparison, examples, previous_position, previous_since
      from work.rebuilds";

impl Record {
    pub(super) fn wish(&self) -> Wish {
        Wish::of(&self.wish).unwrap_or(Wish::Diff)
    }

    pub(super) fn state(&self) -> State {
        State::of(&self.state).unwrap_or(State::Discarded)
    }

    pub(super) fn stage(&self) -> Stage {
        Stage::of(&self.stage).unwrap_or(Stage::Filling)
    }

    pub(super) fn position(&self) -> GlobalPosition {
        GlobalPosition::new(self.position)
    }
}

/// Every row.
pub(super) async fn all(pool: &PgPool) -> Result<Vec<Record>, ProjectionError> {
    let sql = select(" order by name");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(pool).await?)
}

/// The row of a checkpoint's name.
pub(super) async fn of(pool: &PgPool, name: &str) -> Result<Option<Record>, ProjectionError> {
    let sql = select(" where name = $1");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(name).fetch_optional(pool).await?)
}

/// The rebuilds that run, the one that was begun first before the others.
pub(super) async fn running(pool: &PgPool) -> Result<Vec<Record>, ProjectionError> {
    let sql = select(" where state = 'running' order by began_at, name");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(pool).await?)
}

/// Locks a row until the transaction ends.
pub(super) async fn lock_in_tx(
    tx: &mut PgConnection,
    name: &str,
) -> Result<Option<Record>, ProjectionError> {
    let sql = select(" where name = $1 for update");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(name).fetch_optional(tx).await?)
}

fn select(rest: &str) -> String {
    [SELECT, rest].concat()
}

/// Locks the row of a rebuild that still runs and stands where it was seen; false otherwise.
pub(super) async fn hold_in_tx(
    tx: &mut PgConnection,
    seen: &Record,
) -> Result<bool, ProjectionError> {
    let held = lock_in_tx(tx, &seen.name).await?;
    Ok(held.is_some_and(|held| {
        held.state() == State::Running
            && held.position == seen.position
            && held.stage() == seen.stage()
            && held.wish() == seen.wish()
    }))
}

/// Moves a rebuild on, in the transaction of the generation's rows.
pub(super) async fn advance_in_tx(
    tx: &mut PgConnection,
    name: &str,
    position: GlobalPosition,
    events: u64,
) -> Result<(), ProjectionError> {
    sqlx::query("update work.rebuilds set position = $2, events = events + $3 where name = $1")
        .bind(name)
        .bind(position.get())
        .bind(i64::try_from(events).unwrap_or(i64::MAX))
        .execute(tx)
        .await?;
    Ok(())
}

/// What a rebuild is at from now on, if it still runs.
pub(super) async fn enter(
    db: &mut PgConnection,
    name: &str,
    stage: Stage,
) -> Result<(), ProjectionError> {
    sqlx::query("update work.rebuilds set stage = $2 where name = $1 and state = 'running'")
        .bind(name)
        .bind(stage.as_str())
        .execute(db)
        .await?;
    Ok(())
}

/// Stops a rebuild that runs.
pub(super) async fn fail(
    db: &mut PgConnection,
    name: &str,
    failure: &Failure,
) -> Result<(), ProjectionError> {
    sqlx::query(
        "update work.rebuilds set state = 'failed', failure = $2, stopped_at = now()
          where name = $1 and state = 'running'",
    )
    .bind(name)
    .bind(Json(failure))
    .execute(db)
    .await?;
    Ok(())
}

/// It did what was wished.
pub(super) async fn end_in_tx(tx: &mut PgConnection, name: &str) -> Result<(), ProjectionError> {
    sqlx::query("update work.rebuilds set state = 'done', stopped_at = now() where name = $1")
        .bind(name)
        .execute(tx)
        .await?;
    Ok(())
}
