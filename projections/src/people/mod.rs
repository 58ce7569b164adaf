//! People and the faces on photos: lists with their order and counts, faces of a photo, names for searching.

mod apply;
mod due;
mod faces;
mod names;
mod persons;
mod query;
mod sums;
mod view;

pub use apply::PeopleProjection;
pub(crate) use persons::People;
pub use query::{PeopleFilter, PeoplePage};
pub use view::{FaceRow, PersonDue, PersonRow};
