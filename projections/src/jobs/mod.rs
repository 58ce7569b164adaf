//! What processing each asset still waits for: the counts that clients poll, exact because they are folded
//! from the log, and the lists that reconciling and re-runs work from.

mod apply;
mod query;
mod row;
mod standing;

pub use apply::JobsProjection;
pub use query::{Job, QueueCounts, StepsLeft};
pub use row::State as StageState;
pub use standing::QueueStanding;
