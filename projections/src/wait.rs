//! How far the live projections are, and waiting until they have passed an event.

use std::sync::Arc;
use std::time::Duration;

use calotype_eventstore::{EventStore, GlobalPosition};
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

/// How long a request waits for its own write to show: after that it answers with what there is.
pub const READ_OWN_WRITE_MAX: Duration = Duration::from_secs(2);

/// The position up to which every live projection has applied the log.
#[derive(Clone)]
pub struct Progress {
    store: Arc<dyn EventStore>,
    applied: watch::Receiver<GlobalPosition>,
}

impl Progress {
    /// Over the store and the runner's position.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>, applied: watch::Receiver<GlobalPosition>) -> Self {
        Self { store, applied }
    }

    /// The position as it rises.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<GlobalPosition> {
        self.applied.clone()
    }

    /// The position applied by now.
    #[must_use]
    pub fn applied(&self) -> GlobalPosition {
        *self.applied.borrow()
    }

    /// Waits until every live projection has passed the event. `false` when the time was not enough.
    pub async fn seen(&self, event_id: Uuid, timeout: Duration) -> bool {
        self.seen_at(event_id, timeout).await.is_some()
    }

    /// Waits until every live projection has passed the event, and says where it stands. `None` when the time
    /// was not enough.
    pub async fn seen_at(&self, event_id: Uuid, timeout: Duration) -> Option<GlobalPosition> {
        let deadline = Instant::now() + timeout;
        let position = match self.store.wait_sequenced(event_id, timeout).await {
            Ok(Some(position)) => position,
            Ok(None) => return None,
            Err(error) => {
                tracing::warn!(%error, "failed to ask where an event stands");
                return None;
            }
        };
        self.passed(position, deadline).await.then_some(position)
    }

    /// Waits until every live projection has passed what the log holds by now, and says up to where that is.
    /// `None` when the time was not enough.
    pub async fn caught_up(&self, timeout: Duration) -> Option<GlobalPosition> {
        let deadline = Instant::now() + timeout;
        let head = match self.store.head().await {
            Ok(head) => head,
            Err(error) => {
                tracing::warn!(%error, "failed to read the log's head");
                return None;
            }
        };
        self.passed(head, deadline).await.then_some(head)
    }

    /// How many positions of the log the live projections have not passed yet; zero while the log is out of reach.
    pub async fn behind(&self) -> u64 {
        match self.store.head().await {
            Ok(head) => {
                u64::try_from(head.get().saturating_sub(self.applied().get())).unwrap_or_default()
            }
            Err(error) => {
                tracing::warn!(%error, "failed to read the log's head");
                0
            }
        }
    }

    async fn passed(&self, position: GlobalPosition, deadline: Instant) -> bool {
        let mut applied = self.applied.clone();
        tokio::time::timeout_at(deadline, applied.wait_for(|applied| *applied >= position))
            .await
            .is_ok_and(|waited| waited.is_ok())
    }
}
