//! Rebuilds by way of the read side's handle.

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::{Rebuild, Rebuilder, Rebuilt, Status, Wish};
use crate::error::ProjectionError;
use crate::query::Queries;

impl Queries {
    /// How every projection stands.
    ///
    /// # Errors
    /// What the database said.
    pub async fn projections(&self) -> Result<Vec<Status>, ProjectionError> {
        super::list(&self.pool, self.store()).await
    }

    /// Builds a projection anew and switches to it.
    ///
    /// # Errors
    /// See [`super::rebuild`].
    pub async fn rebuild(&self, name: &str) -> Result<Rebuilt, ProjectionError> {
        super::rebuild(&self.pool, &self.shared_store(), name).await
    }

    /// The last rebuild of a projection; none where there was none.
    ///
    /// # Errors
    /// See [`super::rebuild_of`].
    pub async fn rebuild_of(&self, name: &str) -> Result<Option<Rebuild>, ProjectionError> {
        super::rebuild_of(&self.pool, self.store(), name).await
    }

    /// Begins a rebuild, a diff or a rollback, which whoever works on them takes up.
    ///
    /// # Errors
    /// See [`super::start`].
    pub async fn start_rebuild(
        &self,
        name: &str,
        wish: Wish,
        events_per_second_max: Option<u32>,
    ) -> Result<(), ProjectionError> {
        super::start(&self.pool, name, wish, events_per_second_max).await?;
        self.rebuild_bell.notify_one();
        Ok(())
    }

    /// Pauses or resumes a rebuild, or says how fast it may be.
    ///
    /// # Errors
    /// See [`super::change`].
    pub async fn change_rebuild(
        &self,
        name: &str,
        is_paused: Option<bool>,
        events_per_second_max: Option<Option<u32>>,
    ) -> Result<(), ProjectionError> {
        super::change(&self.pool, name, is_paused, events_per_second_max).await?;
        self.rebuild_bell.notify_one();
        Ok(())
    }

    /// Gives up what is under way, or else the generation that was live before.
    ///
    /// # Errors
    /// See [`super::discard`].
    pub async fn discard_rebuild(&self, name: &str) -> Result<(), ProjectionError> {
        super::discard(&self.pool, name).await
    }

    /// Works on rebuilds.
    #[must_use]
    pub fn rebuilder(&self) -> Rebuilder {
        Rebuilder::new(self.pool.clone(), self.shared_store())
            .with_bell(std::sync::Arc::clone(&self.rebuild_bell))
    }

    /// Works on rebuilds whenever there are some, until cancelled.
    pub async fn keep_rebuilding(self, cancel: CancellationToken) {
        self.rebuilder().run(cancel).await;
    }

    /// The same over connections that nobody else uses, of which it takes [`super::CONNECTIONS_MAX`] at most.
    pub async fn keep_rebuilding_over(self, pool: PgPool, cancel: CancellationToken) {
        self.rebuilder().over(pool).run(cancel).await;
    }
}
