//! What people are told inside the app.

mod apply;
mod query;

pub use apply::{NotificationRow, NotificationsProjection};
pub use query::{NotificationFilter, NotificationView};
