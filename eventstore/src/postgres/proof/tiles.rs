//! Reads and writes tiles: the only module that does.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use sqlx::PgExecutor;
use sqlx::postgres::PgConnection;

use crate::error::StoreError;
use crate::proof::{
    HASH_BYTES, Hash, ProofError, Subtree, TILE_HASHES, TileId, fold, subtrees, tile,
};

/// Bytes of a complete tile.
pub(super) const TILE_BYTES: usize = 256 * HASH_BYTES;

const SELECT: &str = "
    select t.level, t.tile, t.hashes
    from proof.tiles t
    join unnest($1::smallint[], $2::bigint[]) wanted (level, tile) using (level, tile)";

const SELECT_RANGE: &str = "select tile, hashes from proof.tiles where level = $1 and tile >= $2 and tile < $3 order by tile";

const WRITE: &str = "
    insert into proof.tiles as t (level, tile, hashes)
    select level, tile, hashes
    from unnest($1::smallint[], $2::bigint[], $3::bytea[]) as new (level, tile, hashes)
    on conflict (level, tile) do update set hashes = excluded.hashes";

/// Tiles by which they are.
pub(super) type Tiles = BTreeMap<TileId, Vec<u8>>;

/// Reads these tiles; those that are not there are not in the answer.
pub(super) async fn read(
    db: impl PgExecutor<'_>,
    wanted: &BTreeSet<TileId>,
) -> Result<Tiles, StoreError> {
    let levels: Vec<i16> = wanted.iter().map(|it| i16::from(it.level)).collect();
    let places: Vec<i64> = wanted.iter().map(|it| signed(it.index)).collect();
    let rows: Vec<(i16, i64, Vec<u8>)> = sqlx::query_as(SELECT)
        .bind(levels)
        .bind(places)
        .fetch_all(db)
        .await
        .map_err(StoreError::database("read tiles"))?;
    let named = rows.into_iter().map(|(level, place, hashes)| (id(level, place), hashes));
    Ok(named.collect())
}

/// Reads the tiles of a level in order, from one to before another.
pub(super) async fn read_range(
    db: impl PgExecutor<'_>,
    level: u8,
    places: Range<u64>,
) -> Result<BTreeMap<u64, Vec<u8>>, StoreError> {
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(SELECT_RANGE)
        .bind(i16::from(level))
        .bind(signed(places.start))
        .bind(signed(places.end))
        .fetch_all(db)
        .await
        .map_err(StoreError::database("read tiles"))?;
    Ok(rows.into_iter().map(|(place, hashes)| (unsigned(place), hashes)).collect())
}

/// Writes tiles that are new or that have grown.
pub(super) async fn write_in_tx(tx: &mut PgConnection, tiles: &Tiles) -> Result<(), StoreError> {
    let levels: Vec<i16> = tiles.keys().map(|it| i16::from(it.level)).collect();
    let places: Vec<i64> = tiles.keys().map(|it| signed(it.index)).collect();
    let hashes: Vec<&[u8]> = tiles.values().map(Vec::as_slice).collect();
    sqlx::query(WRITE)
        .bind(levels)
        .bind(places)
        .bind(hashes)
        .execute(tx)
        .await
        .map_err(StoreError::database("write tiles"))?;
    Ok(())
}

/// The hashes of parts of the tree, in their order.
pub(super) async fn hashes(
    db: impl PgExecutor<'_>,
    size: u64,
    parts: &[Range<u64>],
) -> Result<Vec<Hash>, ProofError> {
    let covers: Vec<Vec<Subtree>> = parts.iter().map(|part| subtrees(part.clone())).collect();
    let wanted = covers.iter().flatten().map(|it| TileId::of(*it)).collect();
    let tiles = read(db, &wanted).await?;
    let hash = |subtree: &Subtree| {
        let tile = tiles.get(&TileId::of(*subtree))?;
        tile::hash_in(*subtree, tile)
    };
    covers
        .iter()
        .map(|cover| cover.iter().map(hash).collect::<Option<Vec<Hash>>>().map(|it| fold(&it)))
        .collect::<Option<Vec<Hash>>>()
        .ok_or(ProofError::TilesGone { size })
}

/// The root of the tree's first `size` leaves.
pub(super) async fn root(db: impl PgExecutor<'_>, size: u64) -> Result<Hash, ProofError> {
    let hashes = hashes(db, size, std::slice::from_ref(&(0..size))).await?;
    hashes.first().copied().ok_or(ProofError::TilesGone { size })
}

/// The last tiles of a tree that are not complete, one for each level that has one.
pub(super) fn growing(size: u64) -> BTreeMap<TileId, usize> {
    let mut found = BTreeMap::new();
    let (mut level, mut entries) = (0, size);
    while entries > 0 {
        let rest = entries % TILE_HASHES;
        if rest > 0 {
            let hashes = usize::try_from(rest).unwrap_or_default();
            found.insert(TileId { level, index: entries / TILE_HASHES }, hashes);
        }
        level += 1;
        entries /= TILE_HASHES;
    }
    found
}

fn id(level: i16, place: i64) -> TileId {
    TileId { level: u8::try_from(level).unwrap_or_default(), index: unsigned(place) }
}

pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_that_grow_are_the_last_ones() {
        let tile = |level, index| TileId { level, index };
        assert!(growing(0).is_empty());
        assert_eq!(growing(65_536), BTreeMap::from([(tile(2, 0), 1)]));
        let found = growing(256 * 3 + 5);
        assert_eq!(found, BTreeMap::from([(tile(0, 3), 5), (tile(1, 0), 3)]));
    }
}
