//! Writing XMP sidecars: what people say is put into the file that lies beside an original, and everything
//! else that stands in it stays as it is, whoever wrote it and in whatever namespace.

mod block;
mod merge;

pub(crate) use merge::merge;

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

/// What a sidecar shall say. `None` leaves what it says; an inner `None`, or no tags, takes it out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SidecarWords {
    /// The caption.
    pub description: Option<Option<String>>,
    /// The stars: 1 to 5, or -1 for rejected.
    pub rating: Option<Option<i8>>,
    /// The photographer's wall clock, and minutes east of UTC.
    pub taken: Option<Option<(NaiveDateTime, i32)>>,
    /// Degrees north and degrees east.
    pub position: Option<Option<(f64, f64)>>,
    /// The tags, with `/` between their levels.
    pub tags: Option<Vec<String>>,
}
