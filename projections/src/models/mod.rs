//! Models: which said something, which are tried, and which was switched to; and what a switch would change.

mod apply;
mod faces;
mod proposals;
mod query;
mod searches;
mod texts;
mod view;

pub use apply::ModelsProjection;
pub use faces::{FacesDiff, PersonDiff, ProposedFace};
pub use proposals::FaceProposal;
pub use query::TrialScope;
pub use searches::SearchDiff;
pub use texts::TextsDiff;
pub use view::{KnownModel, ModelSwitch, ModelTrialView, TrialProgress};
