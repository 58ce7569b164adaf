//! Rows of read models that changed without an event: a switch to other rows, a parked stream that was settled.
//! Whoever keeps answers in memory, in any process, hears of it and forgets them.

use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::error::ProjectionError;

/// How often is looked.
const EVERY: Duration = Duration::from_secs(1);

/// Says, in the transaction that changes them, that rows change.
pub(crate) async fn changed_in_tx(tx: &mut PgConnection) -> Result<(), ProjectionError> {
    sqlx::query("update work.read_changes set number = number + 1").execute(tx).await?;
    Ok(())
}

/// Hears whether rows changed since it was asked last.
#[derive(Debug)]
pub struct Changes {
    pool: PgPool,
    seen: Option<i64>,
}

impl Changes {
    /// Of a database; the first look finds nothing changed.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool, seen: None }
    }

    /// Whether rows changed since the last look.
    ///
    /// # Errors
    /// What the database said.
    pub async fn look(&mut self) -> Result<bool, ProjectionError> {
        let number: i64 = sqlx::query_scalar("select number from work.read_changes")
            .fetch_one(&self.pool)
            .await?;
        let before = self.seen.replace(number);
        Ok(before.is_some_and(|before| before != number))
    }
}

/// Calls `forget` within a second or so after rows changed, until cancelled.
pub async fn follow_changes(
    pool: PgPool,
    forget: impl Fn() + Send + Sync + 'static,
    cancel: CancellationToken,
) {
    let mut changes = Changes::new(pool);
    while !cancel.is_cancelled() {
        match changes.look().await {
            Ok(true) => forget(),
            Ok(false) => {}
            Err(error) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot see whether read models changed"
                );
            }
        }
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
