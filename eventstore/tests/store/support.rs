//! A store over a test's own database, with and without its sequencer.

use std::time::Duration;

use calotype_eventstore::testing::{TestDatabase, database};
use calotype_eventstore::{
    EventStore, GlobalPosition, Keyring, PostgresOptions, PostgresStore, Recorded, Sequencer,
};
use sqlx::PgPool;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// How long something may take that should happen at once.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A store that a task sequences, until it is dropped.
pub(crate) struct Sequenced {
    pub(crate) store: PostgresStore,
    pub(crate) database: TestDatabase,
    _stop: DropGuard,
}

pub(crate) async fn sequenced() -> Sequenced {
    let database = database().await;
    let store = store_over(&database.pool).await;
    let stop = CancellationToken::new();
    let sequencer = Sequencer::new(store.clone());
    let cancel = stop.clone();
    TaskTracker::new().spawn(async move { sequencer.run(cancel).await });
    Sequenced { store, database, _stop: stop.drop_guard() }
}

/// Another store over the same database is as good as another process.
pub(crate) async fn store_over(pool: &PgPool) -> PostgresStore {
    PostgresStore::connect(pool.clone(), Keyring::from_bytes([7; 32]), PostgresOptions::default())
        .await
        .expect("a store over a migrated database")
}

/// Moves everything that is committed.
pub(crate) async fn sequence_all(sequencer: &Sequencer) {
    while sequencer.step().await.expect("a step of the sequencer") > 0 {}
}

pub(crate) async fn read_everything(store: &PostgresStore) -> Vec<Recorded> {
    store.read_all(GlobalPosition::START, 100_000).await.expect("the log")
}

pub(crate) fn texts<T: ToString>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}
