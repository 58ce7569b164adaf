//! Accounts as clients see them.

mod apply;
mod query;
mod view;

pub use apply::UsersProjection;
pub use view::UserRow;
