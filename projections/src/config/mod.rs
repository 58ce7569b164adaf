//! The server's configuration: one row, and what is kept of it in memory.

mod apply;
mod live;
mod view;

pub use apply::ConfigProjection;
pub use live::LiveSettings;
pub use view::{EnteredLicense, Settings};
