//! The door to the read models: one handle, whose methods stand in each model's `query.rs`.

use std::sync::Arc;

use calotype_domain::{AssetId, UserId};
use calotype_eventstore::{EventStore, StreamId};
use sqlx::PgPool;
use tokio::sync::Notify;

use crate::alone::Doors;
use crate::config::LiveSettings;
use crate::embeddings::Vectors;
use crate::error::ProjectionError;
use crate::face_vectors::Galleries;
use crate::history::{self, Told};

/// Answers from the live read tables.
#[derive(Clone)]
pub struct Queries {
    pub(crate) pool: PgPool,
    locks: PgPool,
    store: Arc<dyn EventStore>,
    pub(crate) live_settings: LiveSettings,
    pub(crate) doors: Doors,
    pub(crate) vectors: Vectors,
    pub(crate) galleries: Galleries,
    pub(crate) rebuild_bell: Arc<Notify>,
}

impl Queries {
    /// Over a pool whose role may read the `read` and `work` schemas, and the log for histories.
    #[must_use]
    pub fn new(pool: PgPool, store: Arc<dyn EventStore>) -> Self {
        Self {
            locks: pool.clone(),
            pool,
            store,
            live_settings: LiveSettings::default(),
            doors: Doors::default(),
            vectors: Vectors::default(),
            galleries: Galleries::default(),
            rebuild_bell: Arc::default(),
        }
    }

    /// The same with a pool of its own for what [`Queries::locks`] says.
    #[must_use]
    pub fn with_locks(self, locks: PgPool) -> Self {
        Self { locks, ..self }
    }

    /// Connections for transactions that are held while other work is done, such as the lock of whoever scans a
    /// library: they do not take from those that answer, and whoever holds one may wait for one of those.
    #[must_use]
    pub fn locks(&self) -> &PgPool {
        &self.locks
    }

    /// Forgets everything that is kept in memory of the read models: their rows changed without an event.
    pub fn forget_all(&self) {
        self.live_settings.forget();
        self.vectors.forget();
        self.galleries.forget();
    }

    /// Connections for use cases that look through the log.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(crate) fn shared_store(&self) -> Arc<dyn EventStore> {
        Arc::clone(&self.store)
    }

    pub(crate) fn store(&self) -> &dyn EventStore {
        &*self.store
    }

    /// Every event of a stream in order, with a sentence for each: of an asset, an album or an account.
    ///
    /// # Errors
    /// See [`history::of_stream`].
    pub async fn history(
        &self,
        aggregate: &str,
        key: uuid::Uuid,
    ) -> Result<Vec<Told>, ProjectionError> {
        history::of_stream(&self.store, StreamId::new(aggregate, key)).await
    }

    /// The same page by page.
    #[must_use]
    pub fn history_of(&self, aggregate: &str, key: uuid::Uuid) -> history::Reader {
        history::Reader::new(Arc::clone(&self.store), StreamId::new(aggregate, key))
    }

    /// The next events of the whole log that are asked for.
    ///
    /// # Errors
    /// See [`history::look`].
    pub async fn look_through(
        &self,
        after: history::GlobalPosition,
        selection: &history::Selection,
        max: u32,
    ) -> Result<history::Found, ProjectionError> {
        history::look(&*self.store, after, selection, max).await
    }

    /// Whether anything ever happened to an object.
    ///
    /// # Errors
    /// What the log said.
    pub async fn has_history(
        &self,
        aggregate: &str,
        key: uuid::Uuid,
    ) -> Result<bool, ProjectionError> {
        let stream_id = StreamId::new(aggregate, key);
        let first = self.store.read_stream(&stream_id, history::FIRST, 1).await?;
        Ok(!first.is_empty())
    }

    /// Whose an object is or was, as its first event says.
    ///
    /// # Errors
    /// See [`history::owner_of`].
    pub async fn owner_of(
        &self,
        aggregate: &str,
        key: uuid::Uuid,
    ) -> Result<Option<UserId>, ProjectionError> {
        history::owner_of(&*self.store, &StreamId::new(aggregate, key)).await
    }

    /// Whose an asset is or was, also of one that was deleted for good.
    ///
    /// # Errors
    /// See [`history::owner_of_asset`].
    pub async fn owner_of_asset(
        &self,
        asset_id: AssetId,
    ) -> Result<Option<UserId>, ProjectionError> {
        history::owner_of_asset(&*self.store, asset_id).await
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// What the database said.
    pub async fn ping(&self) -> Result<(), sqlx::Error> {
        sqlx::query("select 1").execute(&self.pool).await.map(drop)
    }
}
