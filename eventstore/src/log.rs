//! Where the log is: in PostgreSQL, or in KurrentDB with PostgreSQL beside it.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::error::StoreError;
#[cfg(feature = "kurrent")]
use crate::kurrent::{KurrentFollower, KurrentOptions, KurrentStore};
use crate::postgres::{PostgresStore, Sequencer};
use crate::store::EventStore;

const IS_ELSEWHERE: &str = "select exists (select from log.kurrent)";

/// Gives each event its place in the whole log. Any number may run in any process; one of them leads.
#[async_trait]
pub trait Orderer: Send + Sync + 'static {
    /// Works until `cancel`.
    async fn run(&self, cancel: CancellationToken);

    /// Waits until everything that was appended before the start can be read, or another process sees to it.
    /// What waits in `log.outbox` does not count: it can be seen there.
    async fn caught_up(&self);
}

#[async_trait]
impl Orderer for Sequencer {
    async fn run(&self, cancel: CancellationToken) {
        Sequencer::run(self, cancel).await;
    }

    async fn caught_up(&self) {}
}

/// A log with what gives it its order. Cheap to clone.
#[derive(Clone)]
pub struct Log {
    /// To append and to read.
    pub store: Arc<dyn EventStore>,
    /// To be run by every process.
    pub orderer: Arc<dyn Orderer>,
    #[cfg(feature = "kurrent")]
    kurrent: Option<KurrentStore>,
}

impl Log {
    /// The log of a database, or with `address` (`kurrentdb://…`) the log in KurrentDB beside it.
    ///
    /// # Errors
    /// [`StoreError::OtherLog`] where the log began elsewhere, or this program cannot speak to KurrentDB;
    /// [`StoreError::Address`]; or the database cannot be asked.
    pub async fn open(postgres: &PostgresStore, address: Option<&str>) -> Result<Self, StoreError> {
        match address {
            Some(address) => Self::open_kurrent(postgres, address).await,
            None => Self::open_here(postgres).await,
        }
    }

    async fn open_here(postgres: &PostgresStore) -> Result<Self, StoreError> {
        let is_elsewhere: bool = sqlx::query_scalar(IS_ELSEWHERE)
            .fetch_one(postgres.pool())
            .await
            .map_err(StoreError::database("ask where the log is"))?;
        if is_elsewhere {
            return Err(StoreError::OtherLog(
                "this log is in KurrentDB: say where, with --event-store or CALOTYPE_EVENT_STORE",
            ));
        }
        Ok(Self {
            store: Arc::new(postgres.clone()),
            orderer: Arc::new(Sequencer::new(postgres.clone())),
            #[cfg(feature = "kurrent")]
            kurrent: None,
        })
    }

    #[cfg(feature = "kurrent")]
    async fn open_kurrent(postgres: &PostgresStore, address: &str) -> Result<Self, StoreError> {
        let store =
            KurrentStore::connect(postgres.clone(), address, KurrentOptions::default()).await?;
        Ok(Self {
            orderer: Arc::new(KurrentFollower::new(&store)),
            store: Arc::new(store.clone()),
            kurrent: Some(store),
        })
    }

    #[cfg(not(feature = "kurrent"))]
    #[expect(clippy::unused_async, reason = "as it is with the feature")]
    async fn open_kurrent(_: &PostgresStore, _: &str) -> Result<Self, StoreError> {
        Err(StoreError::OtherLog(
            "this program was built without KurrentDB: build it with `--features kurrent`",
        ))
    }

    /// Ends what the log has beside its database's store.
    pub async fn close(&self) {
        #[cfg(feature = "kurrent")]
        if let Some(kurrent) = &self.kurrent {
            kurrent.close().await;
        }
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").finish_non_exhaustive()
    }
}
