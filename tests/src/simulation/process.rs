//! One process of the simulated server: its door to the database, its connections, its log.

use std::time::Duration;

use anyhow::Context as _;
use calotype_eventstore::{PostgresOptions, PostgresStore};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::proxy::Proxy;
use crate::walk::key;

/// Connections of one process, beside those of its writers and leaders.
const CONNECTIONS_MAX: u32 = 8;
/// How long it waits for one.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a process has that dies with it.
pub(super) struct Process {
    pub(super) proxy: Proxy,
    pub(super) pool: PgPool,
    pub(super) store: PostgresStore,
}

impl Process {
    /// Starts a process over a database.
    pub(super) async fn start(options: &PgConnectOptions) -> anyhow::Result<Self> {
        let proxy = Proxy::open(options).await?;
        let (pool, store) = connect(&proxy, options).await?;
        Ok(Self { proxy, pool, store })
    }

    /// It dies without warning, and another one starts: it remembers nothing.
    pub(super) async fn restart(&mut self, options: &PgConnectOptions) -> anyhow::Result<()> {
        self.proxy.disarm();
        self.proxy.release();
        self.proxy.cut_all();
        (self.pool, self.store) = connect(&self.proxy, options).await?;
        Ok(())
    }
}

async fn connect(
    proxy: &Proxy,
    options: &PgConnectOptions,
) -> anyhow::Result<(PgPool, PostgresStore)> {
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(proxy.through(options))
        .await
        .context("a process reaches no database")?;
    let store = PostgresStore::connect(pool.clone(), key(), PostgresOptions::default()).await?;
    Ok((pool, store))
}
