//! What assets show, as vectors of models: the rows, and the index in memory that finds what is near to a vector.
//!
//! Every vector is compared: nothing is left out for speed, so what is found does not depend on how much a
//! filter leaves over ([0017](../../../docs/adr/0017-every-vector-is-compared.md)).

mod apply;
mod codes;
mod index;
mod live;
mod query;
mod reading;
mod same;
mod shelf;
mod sieve;
mod switch;
mod top;

pub use apply::EmbeddingsProjection;
pub use codes::Codes;
pub(crate) use codes::nearness;
pub use index::{Filed, Index, Ranked};
pub use live::Vectors;
pub use query::{Near, NearPage};
pub use sieve::{Facts, Marks, Sieve};
pub(crate) use top::Top;
