//! The `ack` of a line: opaque to phones, `<type>|<id>[|<more>]` as Immich writes it.
//!
//! An id looks like a UUID of version 7. Its time is when the line was sent, its twelve bits after the
//! version are the version of the change log, its last 62 bits the number of the change.

use calotype_projections::sync::VERSION;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::words::Entity;

/// The bits of an id that hold the number.
const NUMBER_BITS: u32 = 62;
/// The bits of an id that hold the version of the change log.
const VERSION_MASK: u16 = 0xfff;
/// Closes a backfill.
const COMPLETE: &str = "complete";
/// The end of the ack that a reset is acknowledged with.
const RESET: &str = "reset";

/// A change as acks name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id {
    /// When the line was sent, in milliseconds since 1970.
    sent_ms: u64,
    /// The version of the change log.
    version: u16,
    /// The number of the change.
    pub(super) change: i64,
}

impl Id {
    /// Of a change of today's change log.
    pub(super) fn new(now: DateTime<Utc>, change: i64) -> Self {
        let sent_ms = u64::try_from(now.timestamp_millis()).unwrap_or_default();
        Self { sent_ms, version: VERSION & VERSION_MASK, change }
    }

    /// When the line was sent.
    pub(super) fn sent_at(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(i64::try_from(self.sent_ms).ok()?)
    }

    /// Whether it names a change of today's change log.
    pub(super) const fn is_of_today(self) -> bool {
        self.version == VERSION & VERSION_MASK
    }

    /// As a UUID.
    pub(super) fn uuid(self) -> Uuid {
        let number = u128::from(self.change.unsigned_abs()) & ((1 << NUMBER_BITS) - 1);
        Uuid::from_u128(
            u128::from(self.sent_ms) << 80
                | 0x7 << 76
                | u128::from(self.version & VERSION_MASK) << 64
                | 0b10 << NUMBER_BITS
                | number,
        )
    }

    fn parse(text: &str) -> Option<Self> {
        let uuid = Uuid::try_parse(text).ok().filter(|uuid| uuid.get_version_num() == 7)?;
        let bits = uuid.as_u128();
        let version = u16::try_from((bits >> 64) & u128::from(VERSION_MASK)).ok()?;
        let change = i64::try_from(bits & ((1 << NUMBER_BITS) - 1)).ok()?;
        Some(Self { sent_ms: u64::try_from(bits >> 80).ok()?, version, change })
    }
}

/// What an ack says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Everything up to a change.
    UpTo(Id),
    /// Of the backfill of what is shared since `since`: everything up to `change`.
    Backfill { since: Id, change: Id },
    /// The backfill of what is shared since then, and of all that is shared longer.
    Complete { since: Id },
    /// That it starts anew.
    Reset,
}

impl Said {
    /// The newest id in it.
    pub(super) const fn id(self) -> Option<Id> {
        match self {
            Self::UpTo(id) | Self::Backfill { since: id, .. } | Self::Complete { since: id } => {
                Some(id)
            }
            Self::Reset => None,
        }
    }
}

/// Why an ack cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BadAck {
    /// No line has this type.
    Type(String),
    /// The rest was never sent.
    Rest,
}

/// Reads an ack.
pub(super) fn parse(ack: &str) -> Result<(Entity, Said), BadAck> {
    let mut parts = ack.split('|');
    let word = parts.next().unwrap_or_default();
    let entity = Entity::parse(word).ok_or_else(|| BadAck::Type(word.to_owned()))?;
    let (first, second) = (parts.next(), parts.next());
    let said = match (first, second) {
        (Some(RESET), None) if entity == Entity::SyncResetV1 => Some(Said::Reset),
        (Some(id), None) => Id::parse(id).map(Said::UpTo),
        (Some(since), Some(COMPLETE)) => Id::parse(since).map(|since| Said::Complete { since }),
        (Some(since), Some(change)) => Id::parse(since)
            .zip(Id::parse(change))
            .map(|(since, change)| Said::Backfill { since, change }),
        (None, _) => None,
    };
    match said {
        Some(said) if parts.next().is_none() => Ok((entity, said)),
        _ => Err(BadAck::Rest),
    }
}

/// Writes an ack.
pub(super) fn write(entity: Entity, said: Said) -> String {
    let word = entity.word();
    match said {
        Said::UpTo(id) => format!("{word}|{}", id.uuid()),
        Said::Backfill { since, change } => format!("{word}|{}|{}", since.uuid(), change.uuid()),
        Said::Complete { since } => format!("{word}|{}|{COMPLETE}", since.uuid()),
        Said::Reset => format!("{word}|{RESET}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(change: i64) -> Id {
        Id::new("2026-11-22T08:24:13.688Z".parse().unwrap(), change)
    }

    #[test]
    fn acks_are_read_as_they_are_written() {
        let all = [
            Said::UpTo(id(1)),
            Said::UpTo(id((1 << 62) - 1)),
            Said::Backfill { since: id(7), change: id(9) },
            Said::Complete { since: id(7) },
        ];
        for said in all {
            let ack = write(Entity::AssetV2, said);
            assert_eq!(parse(&ack), Ok((Entity::AssetV2, said)), "{ack}");
        }
        assert_eq!(parse("SyncResetV1|reset"), Ok((Entity::SyncResetV1, Said::Reset)));
    }

    #[test]
    fn id_is_a_uuid_of_version_7_with_its_time() {
        let uuid = id(123).uuid();
        assert_eq!(uuid.get_version_num(), 7);
        assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
        assert_eq!(id(123).sent_at().unwrap().to_rfc3339(), "2026-11-22T08:24:13.688+00:00");
    }

    #[test]
    fn what_was_never_sent_is_refused() {
        assert_eq!(parse("Castle|1"), Err(BadAck::Type("Castle".into())));
        assert_eq!(parse(""), Err(BadAck::Type(String::new())));
        for ack in ["AssetV2", "AssetV2|x", "AssetV2|reset", "SyncResetV1|x", "AssetV2|x|complete"]
        {
            assert_eq!(parse(ack), Err(BadAck::Rest), "{ack}");
        }
    }
}
