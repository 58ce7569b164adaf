//! The events of a stack.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::id::{AssetId, UserId};

/// Assets were stacked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StackCreated {
    /// Whose they are.
    pub owner_id: UserId,
    /// Its assets in order, each once; the first is the primary one.
    pub asset_ids: Vec<AssetId>,
}

/// Another asset stands for the stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StackPrimaryChanged {
    /// Which.
    pub primary_asset_id: AssetId,
}

/// An asset came to it, at its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StackAssetAdded {
    /// Which.
    pub asset_id: AssetId,
}

/// An asset left it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StackAssetRemoved {
    /// Which.
    pub asset_id: AssetId,
}

/// It is no more; its assets show by themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StackDissolved {}

/// It is again what it was before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StackRestored {
    /// Its assets in order.
    pub asset_ids: Vec<AssetId>,
    /// The one that stands for them.
    pub primary_asset_id: AssetId,
}

events! {
    /// Everything that can have happened to a stack.
    StackEvent for "stack" {
        AssetAdded(StackAssetAdded) 1,
        AssetRemoved(StackAssetRemoved) 1,
        Created(StackCreated) 1,
        Dissolved(StackDissolved) 1,
        PrimaryChanged(StackPrimaryChanged) 1,
        Restored(StackRestored) 1,
    }
}
