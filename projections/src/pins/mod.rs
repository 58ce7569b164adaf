//! PINs of the locked folder, apart from accounts: nothing but giving one asks for them.

mod apply;
mod query;
mod view;

pub use apply::PinsProjection;
