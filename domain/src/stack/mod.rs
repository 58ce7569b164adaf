//! Several assets of one owner that show as one, behind a primary one.
//!
//! An asset is in one stack at most: its own events name the stack, written in one transaction with the
//! stack's. A stack of fewer than two is dissolved.

mod aggregate;
mod event;

pub(crate) use aggregate::WAYS;
pub use aggregate::{STACK_ASSETS_MAX, Stack, StackCommand, StackError};
pub use event::{
    StackAssetAdded, StackAssetRemoved, StackCreated, StackDissolved, StackEvent,
    StackPrimaryChanged, StackRestored,
};
