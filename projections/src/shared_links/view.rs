//! Rows of `shared_links_v1`, and of a link with one of its assets.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::assets::AssetRow;

/// One link that is not revoked. It may be over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct SharedLinkRow {
    /// Its id.
    pub shared_link_id: Uuid,
    /// The last revision applied.
    pub revision: i64,
    /// Who shares.
    pub owner_id: Uuid,
    /// The album that it shows; nothing for a link to assets one by one.
    pub album_id: Option<Uuid>,
    /// Its key, base64url; nothing when it is forgotten, and then it opens nothing.
    pub key: Option<String>,
    /// SHA-256 of the key's text, lower-case hex: what it is looked up by.
    pub key_sha256: Option<String>,
    /// A name that stands for the key.
    pub slug: Option<String>,
    /// argon2id hash in PHC form.
    pub password_hash: Option<String>,
    /// Whether it asks for a password; one that is forgotten fits nobody.
    pub has_password: bool,
    /// What the owner says about it.
    pub description: Option<String>,
    /// Whether files may be added.
    pub allow_upload: bool,
    /// Whether originals may be downloaded.
    pub allow_download: bool,
    /// Whether what files say about themselves is shown.
    pub show_metadata: bool,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// An asset that a link shows.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct LinkedAsset {
    /// Which link.
    pub shared_link_id: Uuid,
    /// The asset.
    #[sqlx(flatten)]
    pub asset: AssetRow,
}
