//! The events of a tag.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::id::{TagId, UserId};
use crate::sealed::Sealed;

/// A tag was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TagCreated {
    /// Whose it is.
    pub owner_id: UserId,
    /// The tag it stands under.
    pub parent_id: Option<TagId>,
    /// Its whole path, parts divided by `/`.
    pub value: Sealed<String>,
    /// Its colour, `#rrggbb` or shorter.
    pub color: Option<String>,
}

/// It shows in another colour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TagColorChanged {
    /// The colour now; none for the usual one.
    pub color: Option<String>,
}

/// It is gone; assets that carried it carry it no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TagDeleted {}

/// Its deletion was taken back: assets that carried it carry it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TagRestored {}

events! {
    /// Everything that can have happened to a tag.
    TagEvent for "tag" {
        ColorChanged(TagColorChanged) 1,
        Created(TagCreated) 1,
        Deleted(TagDeleted) 1,
        Restored(TagRestored) 1,
    }
}
