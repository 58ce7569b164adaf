//! Rows of the log byte for byte, as `copy` sends them: what of an event is hashed.
//!
//! Skipped events are read like any other: they happened.

use bytes::Bytes;
use futures::TryStreamExt as _;
use futures::stream::BoxStream;
use sqlx::postgres::{PgConnection, PgPool, PgPoolCopyExt as _};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::error::StoreError;
use crate::proof::{Hash, Leaf, gap, leaf_hash};

/// What a binary copy begins with; after it flags, and the length of what may follow them.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// PostgreSQL counts microseconds from 2000.
const EPOCH_US: i64 = 946_684_800_000_000;
const COLUMNS: i16 = 16;

/// One position of the log.
pub(super) struct Row<'a> {
    pub(super) position: i64,
    /// What stands at the position.
    pub(super) event_id: Uuid,
    /// Its row; none where it is gone.
    pub(super) leaf: Option<Leaf<'a>>,
}

/// The leaves of a range of positions.
pub(super) struct Leaves {
    /// One for each position, in order.
    pub(super) hashes: Vec<Hash>,
    /// How many of them have an event.
    pub(super) events: u64,
}

/// Reads the leaves of the positions behind `after` to `to`.
pub(super) async fn leaves(
    connection: &mut PgConnection,
    after: i64,
    to: i64,
) -> Result<Leaves, StoreError> {
    let failed = StoreError::database("read the log to hash it");
    let rows = connection.copy_out_raw(&select(after, to)).await.map_err(failed)?;
    hash(rows, after, to).await
}

/// As [`leaves`], over a connection of the pool.
pub(super) async fn leaves_of(pool: &PgPool, after: i64, to: i64) -> Result<Leaves, StoreError> {
    let failed = StoreError::database("read the log to hash it");
    let statement = select(after, to);
    let rows = pool.copy_out_raw(&statement).await.map_err(failed)?;
    hash(rows, after, to).await
}

/// Shows the row at a position to `look`; nothing where the position is not there.
pub(super) async fn at<T>(
    pool: &PgPool,
    position: i64,
    look: impl Fn(Row<'_>) -> T,
) -> Result<Option<T>, StoreError> {
    let pool = pool.clone();
    let reading = to_the_end(async move {
        let failed = || StoreError::database("read an event as it is stored");
        let statement = select(position - 1, position);
        let rows = pool.copy_out_raw(&statement).await.map_err(failed())?;
        rows.try_collect::<Vec<Bytes>>().await.map_err(failed())
    });
    let (mut reader, mut found) = (Reader::default(), None);
    for bytes in reading.await? {
        if let Some(row) = reader.read(&bytes)? {
            found = Some(look(row));
        }
    }
    Ok(found)
}

/// Does the work also when nobody waits for it any more: a copy that is not read to its end spoils its connection.
pub(super) async fn to_the_end<T: Send + 'static, E: From<StoreError> + Send + 'static>(
    work: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, E> {
    let done = TaskTracker::new().spawn(work).await;
    done.unwrap_or_else(|_| {
        Err(StoreError::database("read the log to its end")(sqlx::Error::WorkerCrashed).into())
    })
}

async fn hash(
    mut rows: BoxStream<'_, Result<Bytes, sqlx::Error>>,
    after: i64,
    to: i64,
) -> Result<Leaves, StoreError> {
    let failed = || StoreError::database("read the log to hash it");
    let count = usize::try_from(to - after).unwrap_or_default();
    let mut leaves = Leaves { hashes: Vec::with_capacity(count), events: 0 };
    let mut next = after + 1;
    let (mut reader, mut buffer) = (Reader::default(), Vec::new());
    while let Some(bytes) = rows.try_next().await.map_err(failed())? {
        let Some(row) = reader.read(&bytes)? else { continue };
        gaps(&mut leaves, &mut next, row.position);
        let Some(leaf) = row.leaf else { continue };
        leaves.hashes.push(leaf.hash_in(&mut buffer));
        leaves.events += 1;
        next = row.position + 1;
    }
    gaps(&mut leaves, &mut next, to + 1);
    Ok(leaves)
}

/// Writes the leaves of positions without an event, from `next` to before `until`.
fn gaps(leaves: &mut Leaves, next: &mut i64, until: i64) {
    while *next < until {
        leaves.hashes.push(leaf_hash(&gap(*next)));
        *next += 1;
    }
}

/// A copy takes no parameters; these are numbers. The limit keeps the planner from reading all of `log.events` for
/// each range and sorting it on disk.
fn select(after: i64, to: i64) -> String {
    format!(
        "copy (
            select
                p.position, p.event_id, e.event_id, e.stream_id, e.revision, e.type, e.version, e.payload,
                e.subject, e.actor_kind, e.actor_id, e.actor_user_id, e.client, e.correlation_id,
                e.causation_id, e.recorded_at
            from log.positions p
            left join lateral (
                select *
                from log.events
                where event_id = p.event_id
                limit 1
            ) e on true
            where p.position > {after} and p.position <= {to}
            order by p.position
        ) to stdout (format binary)"
    )
}

/// Takes the messages of a binary copy apart: one row each, the first one behind a header.
#[derive(Default)]
struct Reader {
    has_begun: bool,
}

impl Reader {
    /// The row of a message; none in the last one.
    fn read<'a>(&mut self, message: &'a [u8]) -> Result<Option<Row<'a>>, StoreError> {
        let mut cursor = Cursor(message);
        if !self.has_begun {
            cursor.header()?;
            self.has_begun = true;
            if cursor.0.is_empty() {
                return Ok(None);
            }
        }
        match cursor.i16()? {
            -1 => Ok(None),
            COLUMNS => cursor.row().map(Some),
            other => Err(torn(&format!("{other} columns"))),
        }
    }
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn header(&mut self) -> Result<(), StoreError> {
        if self.take(SIGNATURE.len())? != SIGNATURE {
            return Err(torn("another beginning"));
        }
        self.take(4)?;
        let more = self.i32()?;
        self.take(usize::try_from(more).map_err(|_| torn("a header without a length"))?)?;
        Ok(())
    }

    fn row(&mut self) -> Result<Row<'a>, StoreError> {
        let position = self.i64()?;
        let positioned = self.id()?.ok_or_else(|| torn("a position without an id"))?;
        let event_id = self.id()?;
        let Some(event_id) = event_id else {
            return Ok(Row { position, event_id: positioned, leaf: None });
        };
        let leaf = Leaf {
            position,
            event_id,
            stream_id: self.text()?,
            revision: self.i64()?,
            event_type: self.text()?,
            version: i16::from_be_bytes(self.fixed()?),
            payload: self.text()?,
            subject: self.field()?,
            actor_kind: self.text()?,
            actor_id: self.text()?,
            actor_user_id: self.id()?,
            client: self.field()?,
            correlation_id: self.id()?.unwrap_or_default(),
            causation_id: self.id()?,
            recorded_at_us: self.i64()?.wrapping_add(EPOCH_US),
        };
        Ok(Row { position, event_id: positioned, leaf: Some(leaf) })
    }

    /// A column; none where it is null.
    fn field(&mut self) -> Result<Option<&'a [u8]>, StoreError> {
        let length = self.i32()?;
        usize::try_from(length).ok().map(|length| self.take(length)).transpose()
    }

    fn text(&mut self) -> Result<&'a [u8], StoreError> {
        self.field()?.ok_or_else(|| torn("a null where there is none"))
    }

    fn id(&mut self) -> Result<Option<Uuid>, StoreError> {
        let bytes = self.field()?;
        bytes.map(|bytes| Uuid::from_slice(bytes).map_err(|_| torn("an id"))).transpose()
    }

    fn i64(&mut self) -> Result<i64, StoreError> {
        self.fixed().map(i64::from_be_bytes)
    }

    /// A column of this many bytes.
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        self.text()?.try_into().map_err(|_| torn("a number"))
    }

    fn i16(&mut self) -> Result<i16, StoreError> {
        self.bytes().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Result<i32, StoreError> {
        self.bytes().map(i32::from_be_bytes)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        self.take(N)?.try_into().map_err(|_| torn("a number"))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], StoreError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| torn("too short"))?;
        self.0 = rest;
        Ok(taken)
    }
}

fn torn(what: &str) -> StoreError {
    StoreError::database("understand a copy of the log")(sqlx::Error::Protocol(what.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_copy_is_refused() {
        for message in [&b""[..], b"PGCOPY", b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x03"] {
            assert!(Reader::default().read(message).is_err(), "{message:?}");
        }
        let mut reader = Reader::default();
        let header = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
        assert!(reader.read(header).unwrap().is_none());
        assert!(reader.read(b"\xff\xff").unwrap().is_none());
    }
}
