//! Being alone with an account for a moment, in this process and in all others: what is read then is still
//! true when what follows from it is written.

use std::sync::Arc;

use sqlx::{Postgres, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::query::Queries;

/// Moments at once in one process; each holds a connection.
const AT_ONCE_MAX: usize = 4;

/// The doors; accounts that share one wait for each other.
pub(crate) type Doors = Arc<[Arc<Mutex<()>>; AT_ONCE_MAX]>;

/// Nobody else is alone with the same account until this is dropped.
#[derive(Debug)]
pub struct Alone {
    // Dropped in this order: the other processes' lock first.
    _everywhere: Transaction<'static, Postgres>,
    _here: OwnedMutexGuard<()>,
}

impl Queries {
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
        let mut everywhere = self.pool.begin().await?;
        sqlx::query("select pg_advisory_xact_lock($1)")
            .bind(i64::from_ne_bytes(number.to_ne_bytes()))
            .execute(&mut *everywhere)
            .await?;
        Ok(Alone { _everywhere: everywhere, _here: here })
    }
}
