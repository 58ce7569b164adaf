//! A word of a person's hierarchy of tags. Its path, `animals/birds/owl`, is unique for the person.
//!
//! Which assets carry it is said by the assets' own events.

mod aggregate;
mod event;

pub(crate) use aggregate::WAYS;
pub use aggregate::{Tag, TagCommand, TagError, segments};
pub use event::{TagColorChanged, TagCreated, TagDeleted, TagEvent, TagRestored};
