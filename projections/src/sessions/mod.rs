//! Open sessions, looked up by the digest of their token on every request.

mod apply;
mod query;
mod view;

pub use apply::SessionsProjection;
pub use view::SessionRow;
