//! Partners: who shares their timeline with whom.

mod apply;
mod query;
mod view;

pub(crate) use apply::Partners;
pub use apply::PartnersProjection;
pub use view::PartnerRow;
