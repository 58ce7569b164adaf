//! A row of `sessions_v2`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One open session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct SessionRow {
    /// Its id.
    pub session_id: Uuid,
    /// The last revision applied.
    pub revision: i64,
    /// Whose it is.
    pub user_id: Uuid,
    /// SHA-256 of the token, lower-case hex.
    pub token_sha256: String,
    /// Browser or model.
    pub device_type: String,
    /// Operating system.
    pub device_os: String,
    /// Version of the app.
    pub app_version: Option<String>,
    /// The session it was made from.
    pub parent_id: Option<Uuid>,
    /// Whether the app is to start its sync anew.
    pub is_pending_sync_reset: bool,
    /// Until when what is locked is open to it.
    pub elevated_until: Option<DateTime<Utc>>,
    /// Where in the log it was unlocked: a PIN removed later locks it.
    pub elevated_position: Option<i64>,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
}
