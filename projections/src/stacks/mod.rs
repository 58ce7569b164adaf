//! Stacks with their members.

mod apply;
mod query;
mod view;

pub use apply::StacksProjection;
pub use view::StackRow;
