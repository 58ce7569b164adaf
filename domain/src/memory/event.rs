//! The events of a memory.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::id::{AssetId, UserId};

/// What an on-this-day memory is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OnThisDay {
    /// The year its assets are from.
    pub year: u16,
}

/// A memory was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryCreated {
    /// Whose it is.
    pub owner_id: UserId,
    /// What it is about.
    pub on_this_day: OnThisDay,
    /// The day it tells of.
    pub memory_at: DateTime<Utc>,
    /// From when it shows; always, where there is none.
    pub show_at: Option<DateTime<Utc>>,
    /// Until when it shows; for ever, where there is none.
    pub hide_at: Option<DateTime<Utc>>,
    /// When it was looked at.
    pub seen_at: Option<DateTime<Utc>>,
    /// Whether it is kept.
    pub is_saved: bool,
    /// Its assets, in order, each once.
    pub asset_ids: Vec<AssetId>,
}

/// It is kept from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemorySaved {}

/// It is no longer kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryUnsaved {}

/// It was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemorySeen {
    /// When.
    pub seen_at: DateTime<Utc>,
}

/// It tells of another day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryDateChanged {
    /// Which.
    pub memory_at: DateTime<Utc>,
}

/// Assets came to it, at its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryAssetsAdded {
    /// Which.
    pub asset_ids: Vec<AssetId>,
}

/// Assets left it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryAssetsRemoved {
    /// Which.
    pub asset_ids: Vec<AssetId>,
}

/// It is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryDeleted {}

/// Its deletion was taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryRestored {}

events! {
    /// Everything that can have happened to a memory.
    MemoryEvent for "memory" {
        AssetsAdded(MemoryAssetsAdded) 1,
        AssetsRemoved(MemoryAssetsRemoved) 1,
        Created(MemoryCreated) 1,
        DateChanged(MemoryDateChanged) 1,
        Deleted(MemoryDeleted) 1,
        Restored(MemoryRestored) 1,
        Saved(MemorySaved) 1,
        Seen(MemorySeen) 1,
        Unsaved(MemoryUnsaved) 1,
    }
}
