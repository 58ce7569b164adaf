//! API keys, looked up by the digest of their secret.

mod apply;
mod query;
mod view;

pub use apply::ApiKeysProjection;
pub use view::ApiKeyRow;
