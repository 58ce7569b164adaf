//! Looks at the whole log: every event against the tree, the tree against every head.
//!
//! Two connections read ranges of positions and hash them; one loop takes the ranges in order. Memory holds a few
//! ranges, the heads and a bounded number of findings.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chrono::{DateTime, Utc};
use futures::{StreamExt as _, TryStreamExt as _};
use sqlx::PgPool;
use uuid::Uuid;

use super::naming::{self, Difference};
use super::tiles::{signed, unsigned};
use super::{heads, keys, stored, tiles};
use crate::error::StoreError;
use crate::proof::{
    Finding, FindingKind, Frontier, HASH_BYTES, Hash, HeadVerdict, Note, ProofError, PublicKey,
    Rebuilt, Report, Rotation, SkippedEvent, TILE_HASHES, TileId, TrustedKeys, tile,
};

/// Most findings and skipped events that are told one by one.
pub(super) const NAMED_MAX: usize = 1_000;
/// Connections that read at once: while one waits for rows, another hashes.
const READERS: usize = 3;
/// Tiles in one range.
const RANGE_TILES: u64 = 64;
/// Most heads that are compared: more than ten years of one an hour.
const HEADS_MAX: i64 = 100_000;

const SELECT_STATE: &str = "
    select
        t.log_id, t.size, t.rebuilt_at, t.rebuilt_size, h.position,
        (select count(*) from log.events),
        (select count(*) from log.positions),
        (select coalesce(sum(cardinality(o.event_ids)), 0)::bigint from log.outbox o)
    from proof.tree t, log.head h";

const SELECT_HEADS: &str = "
    select note, public_key
    from proof.heads
    where log_id = (select log_id from proof.tree)
    order by size
    limit $1";

const SELECT_SKIPPED: &str = "
    select event_id, reason, skipped_by, skipped_at
    from log.skipped
    order by skipped_at, event_id
    limit $1";

/// How log and tree stand, as of one instant.
pub(super) struct State {
    pub(super) log_id: Uuid,
    pub(super) size: u64,
    pub(super) head: u64,
    /// Rows of `log.events`.
    pub(super) rows: u64,
    /// Rows of `log.positions`.
    pub(super) positions: u64,
    /// Events that wait for a position.
    pub(super) outbox: u64,
    rebuilt: Option<Rebuilt>,
}

/// A head that the log is compared with.
struct Candidate {
    note: Note,
    is_signed: bool,
}

/// A range of positions, hashed.
struct Piece {
    events: u64,
    tiles: Vec<PieceTile>,
}

/// The leaves under one tile, and what the tile says.
struct PieceTile {
    leaves: Vec<Hash>,
    stored: Option<Vec<Hash>>,
    /// The hash over the leaves, and over the stored ones, where the tile is complete.
    roots: Option<(Hash, Option<Hash>)>,
}

/// Compares everything.
pub(super) async fn look(
    pool: &PgPool,
    (told, given): (&str, &str),
    trusted: &[PublicKey],
) -> Result<Report, ProofError> {
    // First, because the tree only grows: a head that is signed from now on is none behind its end.
    let stored = stored_heads(pool).await?;
    let mut rotations = Vec::new();
    for text in keys::texts(pool).await?.iter().map(String::as_str).chain([told, given]) {
        rotations.extend(Rotation::parse_all(text));
    }
    let state = state(pool).await?;
    let mut report = Report {
        log_id: state.log_id,
        size: state.size,
        waiting: state.head.saturating_sub(state.size),
        rebuilt: state.rebuilt.clone(),
        skipped: skipped(pool).await?,
        ..Report::default()
    };
    let mut trusted = trusted.to_vec();
    if trusted.is_empty() {
        // Without a key of ours there is only what the database says of it.
        trusted.extend(stored.first().and_then(|(_, key)| PublicKey::from_bytes(key)));
    }
    let trusted = TrustedKeys::of(&trusted, state.log_id, &rotations);
    let candidates = candidates(stored, &state, (told, given), &trusted, &mut report)?;
    let mut walk = Walk::new(candidates.iter().map(|it| it.note.head.size).collect());
    let end = state.head.max(state.size);
    let ranges = (0..end).step_by(usize::try_from(RANGE_TILES * TILE_HASHES).unwrap_or(usize::MAX));
    let mut pieces = futures::stream::iter(ranges)
        .map(|first| {
            let range = first..end.min(first + RANGE_TILES * TILE_HASHES);
            let (pool, size) = (pool.clone(), state.size);
            stored::to_the_end(async move { read(&pool, range, size).await })
        })
        .buffered(READERS);
    let mut seen_events = 0;
    while let Some(piece) = pieces.try_next().await? {
        seen_events += piece.events;
        for tile in piece.tiles {
            walk.take(pool, state.size, tile).await?;
        }
    }
    walk.finish(pool).await?;
    report.events = seen_events;
    report.gaps = end.saturating_sub(seen_events);
    judge_heads(&candidates, &walk, &mut report);
    let proven = report.heads.iter().filter(|it| it.fits_log && it.is_signed).map(|it| it.size);
    let proven = proven.max().unwrap_or(0);
    report.unsigned = state.size.saturating_sub(proven);
    report.findings_total += walk.differing;
    naming::differences(pool, &walk.differences, proven, &mut report.findings).await?;
    naming::strays(pool, &state, seen_events, &mut report).await?;
    for finding in walk.tile_findings {
        add(&mut report, finding);
    }
    Ok(report)
}

/// Adds a finding, of which only so many are kept.
pub(super) fn add(report: &mut Report, finding: Finding) {
    report.findings_total += 1;
    if report.findings.len() < NAMED_MAX {
        report.findings.push(finding);
    }
}

/// A finding about the tree or a head, not about one event.
pub(super) fn finding(kind: FindingKind, what: String) -> Finding {
    Finding {
        kind,
        position: None,
        event_id: None,
        stream_id: None,
        revision: None,
        event_type: None,
        what,
    }
}

async fn state(pool: &PgPool) -> Result<State, ProofError> {
    type Row = (Uuid, i64, Option<DateTime<Utc>>, Option<i64>, i64, i64, i64, i64);
    // One statement sees one instant.
    let row: Option<Row> = sqlx::query_as(SELECT_STATE)
        .fetch_optional(pool)
        .await
        .map_err(StoreError::database("read how the log stands"))?;
    let Some((log_id, size, rebuilt_at, rebuilt_size, head, rows, positions, outbox)) = row else {
        return Err(ProofError::TilesGone { size: 0 });
    };
    let former_size = unsigned(rebuilt_size.unwrap_or_default());
    Ok(State {
        log_id,
        size: unsigned(size),
        head: unsigned(head),
        rows: unsigned(rows),
        positions: unsigned(positions),
        outbox: unsigned(outbox),
        rebuilt: rebuilt_at.map(|at| Rebuilt { at, former_size }),
    })
}

async fn skipped(pool: &PgPool) -> Result<Vec<SkippedEvent>, StoreError> {
    let rows: Vec<(Uuid, String, String, DateTime<Utc>)> = sqlx::query_as(SELECT_SKIPPED)
        .bind(i64::try_from(NAMED_MAX).unwrap_or(i64::MAX))
        .fetch_all(pool)
        .await
        .map_err(StoreError::database("read what was skipped"))?;
    let named = rows.into_iter().map(|(event_id, reason, skipped_by, skipped_at)| SkippedEvent {
        event_id,
        reason,
        skipped_by,
        skipped_at,
    });
    Ok(named.collect())
}

/// A head as the database has it, and the key that it says to be signed by.
type StoredHead = (String, Vec<u8>);

async fn stored_heads(pool: &PgPool) -> Result<Vec<StoredHead>, StoreError> {
    sqlx::query_as(SELECT_HEADS)
        .bind(HEADS_MAX)
        .fetch_all(pool)
        .await
        .map_err(StoreError::database("read all heads"))
}

/// The heads of the database and those of the text, each once, by size.
fn candidates(
    stored: Vec<StoredHead>,
    state: &State,
    (told, given): (&str, &str),
    trusted: &TrustedKeys,
    report: &mut Report,
) -> Result<Vec<Candidate>, ProofError> {
    let (mut notes, unreadable) = Note::parse_all(given);
    report.unreadable_heads = unreadable;
    if unreadable > 0 {
        let what = format!("{unreadable} texts among the heads that were given are no heads");
        add(report, finding(FindingKind::Head, what));
    }
    // The file of a reset log may have got a line of before.
    let (told, _) = Note::parse_all(told);
    notes.extend(told.into_iter().filter(|note| note.head.log_id == state.log_id));
    for (text, _) in stored {
        notes.push(heads::parse(&text)?);
    }
    notes.sort_by(|a, b| (a.head.size, &a.text).cmp(&(b.head.size, &b.text)));
    notes.dedup_by(|a, b| a.text == b.text);
    let mut candidates = Vec::with_capacity(notes.len());
    for note in notes {
        let size = note.head.size;
        if note.head.log_id != state.log_id {
            let what = format!("the head of size {size} is of another log, {}", note.head.log_id);
            add(report, finding(FindingKind::Head, what));
            continue;
        }
        let is_signed = trusted.have_signed(&note);
        if !is_signed {
            let what = format!("the head of size {size} is not signed by the log's key");
            add(report, finding(FindingKind::Head, what));
        }
        candidates.push(Candidate { note, is_signed });
    }
    Ok(candidates)
}

/// Reads and hashes the leaves of a range of leaves, and reads its tiles.
async fn read(pool: &PgPool, range: Range<u64>, size: u64) -> Result<Piece, ProofError> {
    let leaves = stored::leaves_of(pool, signed(range.start), signed(range.end)).await?;
    let places = range.start / TILE_HASHES..range.end.min(size).div_ceil(TILE_HASHES);
    let mut present = tiles::read_range(pool, 0, places.clone()).await?;
    let treed = usize::try_from(size.saturating_sub(range.start)).unwrap_or(usize::MAX);
    let treed = &leaves.hashes[..leaves.hashes.len().min(treed)];
    let width = usize::try_from(TILE_HASHES).unwrap_or(usize::MAX);
    let tiles = treed.chunks(width).zip(places).map(|(leaves, place)| {
        let stored = present.remove(&place).map(|tile| {
            let hashes = tile.as_chunks::<HASH_BYTES>().0;
            hashes[..hashes.len().min(leaves.len())].to_vec()
        });
        let stored = stored.filter(|stored| stored.len() == leaves.len());
        let roots = (leaves.len() == width).then(|| {
            let root = tile::root(leaves);
            let same = stored.as_deref() == Some(leaves);
            (root, if same { Some(root) } else { stored.as_deref().map(tile::root) })
        });
        PieceTile { leaves: leaves.to_vec(), stored, roots }
    });
    let tiles = tiles.collect();
    Ok(Piece { events: leaves.events, tiles })
}

/// What one pass over all leaves learns.
struct Walk {
    /// Sizes at which there are heads.
    sizes: BTreeSet<u64>,
    from_log: Frontier,
    /// None behind a tile that is not there.
    from_tiles: Option<Frontier>,
    /// Roots of the log and of the tiles, by size.
    roots: BTreeMap<u64, (Hash, Option<Hash>)>,
    differences: Vec<Difference>,
    differing: u64,
    tile_findings: Vec<Finding>,
    /// Hashes of the tiles of each level that is not complete, from level 1 on, and how many were.
    above: Vec<(u64, Vec<Hash>)>,
}

impl Walk {
    fn new(sizes: BTreeSet<u64>) -> Self {
        Self {
            sizes,
            from_log: Frontier::default(),
            from_tiles: Some(Frontier::default()),
            roots: BTreeMap::new(),
            differences: Vec::new(),
            differing: 0,
            tile_findings: Vec::new(),
            above: Vec::new(),
        }
    }

    async fn take(&mut self, pool: &PgPool, size: u64, tile: PieceTile) -> Result<(), ProofError> {
        let first = self.from_log.size();
        let end = first + u64::try_from(tile.leaves.len()).unwrap_or_default();
        match &tile.stored {
            Some(stored) if *stored != tile.leaves => self.compare(first, stored, &tile.leaves),
            Some(_) => {}
            None => {
                self.from_tiles = None;
                let what = format!("the hashes of positions {} to {end} are gone", first + 1);
                self.tell(finding(FindingKind::Tile, what));
            }
        }
        let is_asked_inside = self.sizes.range(first + 1..end).next().is_some();
        match tile.roots {
            Some((log, tiles)) if !is_asked_inside => {
                self.from_log.push_subtree(tile::TILE_LEVELS, log);
                if let (Some(frontier), Some(hash)) = (&mut self.from_tiles, tiles) {
                    frontier.push_subtree(tile::TILE_LEVELS, hash);
                }
                self.note(end);
            }
            _ => {
                let stored = tile.stored.unwrap_or_default();
                for (place, leaf) in tile.leaves.iter().enumerate() {
                    self.from_log.push(*leaf);
                    if let (Some(frontier), Some(hash)) = (&mut self.from_tiles, stored.get(place))
                    {
                        frontier.push(*hash);
                    }
                    self.note(self.from_log.size());
                }
            }
        }
        // Of one that is gone the log says what it was.
        if let Some((log, tiles)) = tile.roots {
            self.raise(pool, tiles.unwrap_or(log)).await?;
        }
        debug_assert!(self.from_log.size() <= size, "the tree has no leaf behind its size");
        Ok(())
    }

    /// Remembers the roots where there is a head.
    fn note(&mut self, size: u64) {
        if self.sizes.contains(&size) {
            let tiles = self.from_tiles.as_ref().map(Frontier::root);
            self.roots.insert(size, (self.from_log.root(), tiles));
        }
    }

    fn compare(&mut self, first: u64, stored: &[Hash], leaves: &[Hash]) {
        for ((index, stored), leaf) in (first..).zip(stored).zip(leaves) {
            if stored != leaf {
                self.differing += 1;
                if self.differences.len() < NAMED_MAX {
                    self.differences
                        .push(Difference { position: signed(index + 1), stored: *stored });
                }
            }
        }
    }

    /// A complete tile's hash belongs into the level above.
    async fn raise(&mut self, pool: &PgPool, hash: Hash) -> Result<(), ProofError> {
        let (mut level, mut hash) = (0, hash);
        loop {
            if self.above.len() == level {
                self.above.push((0, Vec::new()));
            }
            let (done, hashes) = &mut self.above[level];
            hashes.push(hash);
            if hashes.len() < usize::try_from(TILE_HASHES).unwrap_or(usize::MAX) {
                return Ok(());
            }
            let (place, hashes) = (*done, std::mem::take(hashes));
            *done += 1;
            hash = tile::root(&hashes);
            self.compare_tile(pool, level + 1, place, &hashes).await?;
            level += 1;
        }
    }

    async fn finish(&mut self, pool: &PgPool) -> Result<(), ProofError> {
        let growing = std::mem::take(&mut self.above);
        for (level, (place, hashes)) in growing.into_iter().enumerate() {
            if !hashes.is_empty() {
                self.compare_tile(pool, level + 1, place, &hashes).await?;
            }
        }
        Ok(())
    }

    async fn compare_tile(
        &mut self,
        pool: &PgPool,
        level: usize,
        index: u64,
        hashes: &[Hash],
    ) -> Result<(), ProofError> {
        let id = TileId { level: u8::try_from(level).unwrap_or(u8::MAX), index };
        let present = tiles::read(pool, &BTreeSet::from([id])).await?;
        let stored = present.get(&id).map(Vec::as_slice).unwrap_or_default();
        if !stored.starts_with(hashes.as_flattened()) {
            let what = format!("tile {index} of level {level} is not what those below come to");
            self.tell(finding(FindingKind::Tile, what));
        }
        Ok(())
    }

    fn tell(&mut self, finding: Finding) {
        if self.tile_findings.len() < NAMED_MAX {
            self.tile_findings.push(finding);
        }
    }
}

/// Says of every head whether the log and the tree come to it.
fn judge_heads(candidates: &[Candidate], walk: &Walk, report: &mut Report) {
    let (mut held, mut broken): (u64, Option<(u64, u64)>) = (0, None);
    for Candidate { note, is_signed } in candidates {
        let head = &note.head;
        let roots = walk.roots.get(&head.size);
        let verdict = HeadVerdict {
            size: head.size,
            signed_at: head.signed_at,
            is_signed: *is_signed,
            fits_log: roots.is_some_and(|(log, _)| *log == head.root),
            fits_tiles: roots.is_some_and(|(_, tiles)| *tiles == Some(head.root)),
        };
        if verdict.fits_log && broken.is_none() {
            held = head.size;
        } else if !verdict.fits_log {
            broken = Some(broken.map_or((head.size, 1), |(first, count)| (first, count + 1)));
        }
        if verdict.fits_log && !verdict.fits_tiles && report.findings_total == 0 {
            let what = format!("the stored hashes do not come to the head of size {}", head.size);
            add(report, finding(FindingKind::Head, what));
        }
        report.heads.push(verdict);
    }
    if let Some((first, count)) = broken {
        let size = report.size;
        let what = if first > size {
            format!(
                "the tree ends at position {size}, and {count} heads were signed behind it, the first at {first}"
            )
        } else {
            format!(
                "{count} heads do not fit the log, the first of size {first}: what was signed of positions {} to \
                 {first} is not what stands there",
                held + 1
            )
        };
        add(report, finding(FindingKind::Head, what));
    }
}
