//! What goes along with a request through all layers: its correlation id, and who turned out to send it.

use std::sync::{Arc, OnceLock};

use calotype_domain::UserId;
use uuid::Uuid;

/// A handle on one request's trace; an extension of the request.
#[derive(Clone, Debug)]
pub(crate) struct Trace(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    correlation_id: Uuid,
    user_id: OnceLock<UserId>,
}

impl Trace {
    pub(crate) fn new(correlation_id: Uuid) -> Self {
        Self(Arc::new(Inner { correlation_id, user_id: OnceLock::new() }))
    }

    /// Ties together the request's log lines, its events and what they set off.
    pub(crate) fn correlation_id(&self) -> Uuid {
        self.0.correlation_id
    }

    /// Who sent the request, once known.
    pub(crate) fn user_id(&self) -> Option<UserId> {
        self.0.user_id.get().copied()
    }

    /// Notes who sent the request; the first note stays.
    pub(crate) fn note_user(&self, user_id: UserId) {
        self.0.user_id.get_or_init(|| user_id);
    }
}
