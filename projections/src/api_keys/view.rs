//! A row of `api_keys_v1`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct ApiKeyRow {
    /// Its id.
    pub api_key_id: Uuid,
    /// The last revision applied.
    pub revision: i64,
    /// For whom it acts.
    pub user_id: Uuid,
    /// SHA-256 of the secret, lower-case hex.
    pub secret_sha256: String,
    /// What the person calls it.
    pub name: String,
    /// What it may do, in Immich's words.
    pub permissions: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}
