//! Where time and ids come from. Implemented by the server for real and by tests with a seed;
//! nothing in this room calls them, they stand here because every other room may name them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The instant now.
    fn now(&self) -> DateTime<Utc>;
}

/// Makes ids.
pub trait IdGen: Send + Sync {
    /// A random UUID of version 4, for ids that clients see.
    fn v4(&self) -> Uuid;

    /// A time-ordered UUID of version 7, for commands.
    fn v7(&self) -> Uuid;
}
