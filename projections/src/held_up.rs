//! Streams of which an event waits in `work.parked`: what a read model knows of them may have been taken away
//! since, so nobody is shown them but who has them anyway.
//!
//! It does not matter which read model waits: one that has the event does not make right what another shows.

use uuid::Uuid;

use crate::error::ProjectionError;
use crate::query::Queries;

/// SQL: whether an event of a stream waits, given its aggregate and an expression for its key.
macro_rules! held_up {
    ($aggregate:literal, $key:literal) => {
        concat!(
            "exists (select from work.parked as held where held.kind = 'projection'
                        and held.stream_id = '",
            $aggregate,
            "-' || ",
            $key,
            ")"
        )
    };
}

/// SQL: the assets of which an event waits, as an array that a statement reads once.
macro_rules! held_up_assets {
    () => {
        "array(select substr(held.stream_id, 7)::uuid from work.parked as held
                where held.kind = 'projection' and held.stream_id like 'asset-%')"
    };
}

pub(crate) use {held_up, held_up_assets};

impl Queries {
    /// Whether an event of any asset waits.
    ///
    /// # Errors
    /// What the database said.
    pub(crate) async fn is_any_asset_held_up(&self) -> Result<bool, ProjectionError> {
        Ok(sqlx::query_scalar(concat!("select cardinality(", held_up_assets!(), ") > 0"))
            .fetch_one(&self.pool)
            .await?)
    }

    /// Those of some assets of which an event waits.
    ///
    /// # Errors
    /// What the database said.
    pub async fn held_up_assets(&self, asset_ids: &[Uuid]) -> Result<Vec<Uuid>, ProjectionError> {
        let streams: Vec<String> =
            asset_ids.iter().map(|asset_id| format!("asset-{asset_id}")).collect();
        Ok(sqlx::query_scalar(
            "select distinct substr(stream_id, 7)::uuid
               from work.parked
              where kind = 'projection' and stream_id = any($1)",
        )
        .bind(streams)
        .fetch_all(&self.pool)
        .await?)
    }
}
