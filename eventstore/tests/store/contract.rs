//! The contract, for each store.

use std::sync::Mutex;

use calotype_eventstore::{MemoryStore, contract};

use crate::support::{Sequenced, sequenced};

#[tokio::test]
async fn the_store_in_memory_keeps_the_contract() {
    contract::check(|| async { MemoryStore::new() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_on_postgres_keeps_the_contract() {
    let databases: Mutex<Vec<Sequenced>> = Mutex::default();

    contract::check(|| async {
        let sequenced = sequenced().await;
        let store = sequenced.store.clone();
        databases.lock().expect("no test has failed").push(sequenced);
        store
    })
    .await;
}
