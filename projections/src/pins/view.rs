//! A row of `pins_v1`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The PIN of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub(crate) struct PinRow {
    pub(crate) user_id: Uuid,
    /// The last revision applied.
    pub(crate) revision: i64,
    /// argon2id hash in PHC form; nothing while there is no PIN, or when it is forgotten.
    pub(crate) pin_hash: Option<String>,
}
