//! Assets of the same day in an earlier year, shown again for a while and kept when a person saves it.

mod aggregate;
mod event;

pub(crate) use aggregate::WAYS;
pub use aggregate::{MEMORY_ASSETS_MAX, Memory, MemoryChange, MemoryCommand, MemoryError};
pub use event::{
    MemoryAssetsAdded, MemoryAssetsRemoved, MemoryCreated, MemoryDateChanged, MemoryDeleted,
    MemoryEvent, MemoryRestored, MemorySaved, MemorySeen, MemoryUnsaved, OnThisDay,
};
