//! A row of `users_v1`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// One account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow)]
pub struct UserRow {
    /// Its id.
    pub user_id: Uuid,
    /// The last revision applied.
    pub revision: i64,
    /// The address it logs in with; empty when forgotten.
    pub email: String,
    /// The name others see; empty when forgotten.
    pub name: String,
    /// argon2id hash in PHC form.
    pub password_hash: Option<String>,
    /// Whether it may administer.
    pub is_admin: bool,
    /// Whether a new password must be chosen.
    pub should_change_password: bool,
    /// Immich's word for the avatar's colour.
    pub avatar_color: String,
    /// Folder name of the storage template.
    pub storage_label: Option<String>,
    /// How much it may store, in bytes.
    pub quota_size_bytes: Option<i64>,
    /// What differs from the default preferences.
    pub preferences: Value,
    /// Key of the profile picture's blob.
    pub profile_image_key: Option<String>,
    /// When the profile picture last changed.
    pub profile_changed_at: DateTime<Utc>,
    /// Whether the first steps are done.
    pub is_onboarded: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was marked for deletion.
    pub deleted_at: Option<DateTime<Utc>>,
    /// Whether it is to be purged without waiting.
    pub delete_forced: bool,
}
