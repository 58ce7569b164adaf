//! What looking at the whole log found.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// What was looked at, and what is not as it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Which log.
    pub log_id: Uuid,
    /// Leaves of the tree: positions 1 to this were compared.
    pub size: u64,
    /// Positions that have an event, also of those that wait.
    pub events: u64,
    /// Positions that have none: those that a reset of test data left, and those whose event was removed.
    pub gaps: u64,
    /// Events with a position that the tree has not taken in yet.
    pub waiting: u64,
    /// Leaves behind the last head that holds: only the tiles tell of a change there.
    pub unsigned: u64,
    /// Every head that was looked at, by size.
    pub heads: Vec<HeadVerdict>,
    /// Texts among the heads that were given which are no heads.
    pub unreadable_heads: usize,
    /// What is wrong; at most a thousand, `findings_total` has the number.
    pub findings: Vec<Finding>,
    /// How much is wrong.
    pub findings_total: u64,
    /// Events that an operator told every reader to ignore; at most a thousand.
    pub skipped: Vec<SkippedEvent>,
    /// When the tiles were last made anew from the log.
    pub rebuilt: Option<Rebuilt>,
}

impl Report {
    /// Whether the log is what was signed, as far as anything was.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.findings_total == 0
    }
}

/// One thing that is not as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What kind of thing.
    pub kind: FindingKind,
    /// Where in the log.
    pub position: Option<i64>,
    /// Which event.
    pub event_id: Option<Uuid>,
    /// Its stream.
    pub stream_id: Option<String>,
    /// Its place in the stream.
    pub revision: Option<i64>,
    /// Its name.
    pub event_type: Option<String>,
    /// What differs, in words.
    pub what: String,
}

/// What is not as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FindingKind {
    /// An event's row differs from what was recorded.
    Changed,
    /// An event's row or position is gone.
    Removed,
    /// An event is there that was never recorded.
    Inserted,
    /// An event stands at another event's place.
    Moved,
    /// A head does not fit the log, another head or the key.
    Head,
    /// A hash of the tree differs, and the event does not.
    Tile,
}

impl FindingKind {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Inserted => "inserted",
            Self::Moved => "moved",
            Self::Head => "head",
            Self::Tile => "tile",
        }
    }
}

/// What became of one head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadVerdict {
    /// Leaves that it covers.
    pub size: u64,
    /// When it was signed, as it says.
    pub signed_at: DateTime<Utc>,
    /// Whether a key that is trusted signed it.
    pub is_signed: bool,
    /// Whether the events of the log come to its hash.
    pub fits_log: bool,
    /// Whether the stored hashes of the tree come to its hash.
    pub fits_tiles: bool,
}

/// An event that every reader ignores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedEvent {
    /// Which.
    pub event_id: Uuid,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub skipped_by: String,
    /// When.
    pub skipped_at: DateTime<Utc>,
}

/// Tiles that were made anew: what the former ones told is gone, and only heads bind what was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// When.
    pub at: DateTime<Utc>,
    /// Leaves that the former tree had.
    pub former_size: u64,
}
