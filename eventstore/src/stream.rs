//! Names and numbers of the log: which stream, which place in it, which place over all.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Name of one aggregate's stream, `<aggregate>-<key>`, such as `asset-4d1c…`.
///
/// The aggregate's name holds no hyphen, so the first one separates it from the key.
/// Stream ids are never forgotten: no personal text goes in (reservations use a keyed HMAC).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamId(String);

impl StreamId {
    /// Stream of the aggregate `aggregate` with the key `key`.
    #[must_use]
    pub fn new(aggregate: &str, key: impl fmt::Display) -> Self {
        debug_assert!(
            !aggregate.is_empty() && !aggregate.contains('-'),
            "an aggregate's name holds no hyphen"
        );
        Self(format!("{aggregate}-{key}"))
    }

    /// A stream id as it was stored.
    pub(crate) fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The whole id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the first hyphen.
    #[must_use]
    pub fn aggregate(&self) -> &str {
        self.0.split_once('-').map_or(self.0.as_str(), |(aggregate, _)| aggregate)
    }

    /// What stands after the first hyphen; empty where there is none.
    #[must_use]
    pub fn key(&self) -> &str {
        self.0.split_once('-').map_or("", |(_, key)| key)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Place of an event in its stream, from 0, without gaps.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Revision(i64);

impl Revision {
    /// Place of a stream's first event.
    pub const FIRST: Self = Self(0);

    /// The revision with this number, from 0.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number, from 0.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The place after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Place of an event in the order of the whole log, from 1; it only rises, and is stored data.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct GlobalPosition(i64);

impl GlobalPosition {
    /// Before everything.
    pub const START: Self = Self(0);

    /// The position with this number; 0 is before everything.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number; 0 is before everything.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for GlobalPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What an append demands of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpectedRevision {
    /// The stream has no event yet.
    NoStream,
    /// The stream's last event has this revision.
    Exact(Revision),
    /// Nothing is demanded.
    Any,
}

impl ExpectedRevision {
    /// Whether a stream whose last revision is `actual` meets the demand.
    #[must_use]
    pub fn is_met_by(self, actual: Option<Revision>) -> bool {
        match self {
            Self::NoStream => actual.is_none(),
            Self::Exact(revision) => actual == Some(revision),
            Self::Any => true,
        }
    }
}

impl fmt::Display for ExpectedRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStream => f.write_str("no stream"),
            Self::Exact(revision) => write!(f, "revision {revision}"),
            Self::Any => f.write_str("any revision"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_hyphen_separates_aggregate_and_key() {
        let stream_id = StreamId::new("shared_link", "1f2e-3d4c");

        assert_eq!(stream_id.aggregate(), "shared_link");
        assert_eq!(stream_id.key(), "1f2e-3d4c");
        assert_eq!(stream_id.as_str(), "shared_link-1f2e-3d4c");
    }

    #[test]
    fn an_expectation_is_met_by_what_it_names_alone() {
        let second = Some(Revision::new(1));

        assert!(ExpectedRevision::NoStream.is_met_by(None));
        assert!(!ExpectedRevision::NoStream.is_met_by(second));
        assert!(ExpectedRevision::Exact(Revision::new(1)).is_met_by(second));
        assert!(!ExpectedRevision::Exact(Revision::FIRST).is_met_by(second));
        assert!(!ExpectedRevision::Exact(Revision::FIRST).is_met_by(None));
        assert!(ExpectedRevision::Any.is_met_by(None) && ExpectedRevision::Any.is_met_by(second));
    }
}
