//! What faces look like, as vectors of models: the rows, and those of a library in memory, to be compared with one
//! another. Whose faces they are stands in [`crate::people`].

mod apply;
mod gallery;
mod kept;
mod query;

pub use apply::FaceVectorsProjection;
pub use gallery::{Gallery, Neighbour, Pair};
pub use kept::Galleries;
pub use query::FaceStanding;
