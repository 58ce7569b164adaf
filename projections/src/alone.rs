//! Being alone with an account for a moment, in this process and in all others: what is read then is still
//! true when what follows from it is written.

use std::sync::Arc;

use sqlx::{Postgres, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::query::Queries;

/// Moments at once in one process; each holds a connection of [`Queries::locks`].
pub const AT_ONCE_MAX: usize = 4;

/// The doors; accounts that share one wait for each other.
pub(crate) type Doors = Arc<[Arc<Mutex<()>>; AT_ONCE_MAX]>;

/// Nobody else is alone with the same account until this is dropped.
#[derive(Debug)]
pub struct Alone {
    // Dropped in this order: the other processes' lock first.
    _everywhere: Transaction<'static, Postgres>,
    _here: OwnedMutexGuard<()>,
}

/// Nobody else is alone with the same thing until this is dropped.
#[derive(Debug)]
pub struct AloneForLong {
    everywhere: Transaction<'static, Postgres>,
}

impl AloneForLong {
    /// Lets others be alone with it at once. Dropped, it does so when its connection is used again: this very
    /// process could find it taken until then.
    ///
    /// # Errors
    /// What the database said.
    pub async fn end(self) -> Result<(), ProjectionError> {
        Ok(self.everywhere.rollback().await?)
    }
}

impl Queries {
    /// Is alone with a thing that takes long, if nobody else is, here or elsewhere.
    ///
    /// # Errors
    /// What the database said.
    pub async fn try_alone_with(
        &self,
        thing_id: Uuid,
    ) -> Result<Option<AloneForLong>, ProjectionError> {
        let (high, low) = thing_id.as_u64_pair();
        self.try_alone_by(i64::from_ne_bytes((high ^ low).to_ne_bytes())).await
    }

    /// The same for work that has a number instead of an id.
    ///
    /// # Errors
    /// What the database said.
    pub async fn try_alone_by(&self, key: i64) -> Result<Option<AloneForLong>, ProjectionError> {
        let mut everywhere = self.locks().begin().await?;
        let is_alone: bool = sqlx::query_scalar("select pg_try_advisory_xact_lock($1)")
            .bind(key)
            .fetch_one(&mut *everywhere)
            .await?;
        Ok(is_alone.then_some(AloneForLong { everywhere }))
    }

    /// Waits until nobody else is alone with the account.
    ///
    /// # Errors
    /// What the database said.
    pub async fn alone_with(&self, user_id: Uuid) -> Result<Alone, ProjectionError> {
        let (high, low) = user_id.as_u64_pair();
        let number = high ^ low;
        let door = usize::try_from(number % 4).unwrap_or_default();
        let door = self.doors.get(door).or_else(|| self.doors.first()).cloned().unwrap_or_default();
        let here = door.lock_owned().await;
        let mut everywhere = self.locks().begin().await?;
        sqlx::query("select pg_advisory_xact_lock($1)")
            .bind(i64::from_ne_bytes(number.to_ne_bytes()))
            .execute(&mut *everywhere)
            .await?;
        Ok(Alone { _everywhere: everywhere, _here: here })
    }
}
