//! The events of a batch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::events;
use crate::id::{AlbumId, AssetId, TagId, UserId};

/// A batch was opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BatchOpened {
    /// Whose assets its files become.
    pub owner_id: UserId,
}

/// One file that was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BatchEntry {
    /// SHA-1 of its bytes, lower-case hex, 40 characters; it is the entry's key in the batch.
    pub sha1: String,
    /// The asset that it is.
    pub asset_id: AssetId,
    /// Whether the batch made the asset; otherwise the owner had these bytes before.
    pub is_new: bool,
    /// Its length in bytes, where it was sent.
    pub size_bytes: Option<u64>,
    /// The albums that the batch put it into; not those it was in before.
    pub album_ids: Vec<AlbumId>,
    /// The tags that the batch gave it; not those it carried before.
    pub tag_ids: Vec<TagId>,
}

/// An album that the batch made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BatchAlbum {
    /// Its key in the batch, made of what the client called it.
    pub key: Uuid,
    /// The album.
    pub album_id: AlbumId,
}

/// What one request took in; in the same transaction as everything it speaks of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BatchCommitted {
    /// The files.
    pub entries: Vec<BatchEntry>,
    /// The albums that were made for them.
    pub albums: Vec<BatchAlbum>,
    /// The tags that were made for them.
    pub tag_ids: Vec<TagId>,
}

/// Nothing more is taken in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BatchClosed {}

/// A part of what it did was taken back, from the newest on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BatchRolledBack {
    /// Assets that were put into the trash, or deleted for good.
    pub assets: u64,
    /// Assets that stayed because somebody changed them since.
    pub left_alone: u64,
    /// Albums that were deleted.
    pub albums: u64,
    /// Tags that were deleted.
    pub tags: u64,
    /// Whether the assets were deleted for good.
    pub for_good: bool,
    /// Whether this was the last part.
    pub is_done: bool,
}

events! {
    /// Everything that can have happened to a batch.
    BatchEvent for "batch" {
        Closed(BatchClosed) 1,
        Committed(BatchCommitted) 1,
        Opened(BatchOpened) 1,
        RolledBack(BatchRolledBack) 1,
    }
}
