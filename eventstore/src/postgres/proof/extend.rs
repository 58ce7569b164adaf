//! Takes new events into the tree, a bounded number at a time, each time in one transaction.
//!
//! Whoever does so holds the row of `proof.tree`; what a kill leaves is the tree before or after a step.

use std::collections::BTreeMap;

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};
use uuid::Uuid;

use super::stored;
use super::tiles::{self, TILE_BYTES, Tiles, signed, unsigned};
use crate::error::StoreError;
use crate::proof::{HASH_BYTES, Hash, ProofError, TILE_HASHES, TileId, tile};

/// Most events that one step takes in.
pub(super) const STEP_EVENTS_MAX: u64 = 4_096;

const SELECT_TREE: &str = "
    select t.log_id, t.size, (select h.position from log.head h)
    from proof.tree t
    for update of t";

const WRITE_SIZE: &str = "update proof.tree set size = $1";

/// How far the tree is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tree {
    pub(super) log_id: Uuid,
    /// Leaves.
    pub(super) size: u64,
    /// The log's last position.
    pub(super) head: u64,
}

/// Takes at most [`STEP_EVENTS_MAX`] events in, and says how far the tree is then.
pub(super) async fn step(connection: &mut PgConnection) -> Result<Tree, ProofError> {
    let failed = || StoreError::database("extend the tree");
    let mut tx = connection.begin().await.map_err(failed())?;
    let tree = lock_in_tx(&mut tx).await?;
    let to = tree.head.min(tree.size + STEP_EVENTS_MAX);
    if to <= tree.size {
        // Now, and not with the connection's next statement: until then the row would stay locked.
        tx.rollback().await.map_err(failed())?;
        return Ok(tree);
    }
    let leaves = stored::leaves(&mut tx, signed(tree.size), signed(to)).await?;
    let growing = tiles::growing(tree.size);
    let wanted = growing.keys().copied().collect();
    let mut present = tiles::read(&mut *tx, &wanted).await?;
    for (id, hashes) in growing {
        let tile = present.get_mut(&id).filter(|tile| tile.len() >= hashes * HASH_BYTES);
        let tile = tile.ok_or(ProofError::TilesGone { size: tree.size })?;
        tile.truncate(hashes * HASH_BYTES);
    }
    let grown = grow(tree.size, present, leaves.hashes);
    tiles::write_in_tx(&mut tx, &grown).await?;
    sqlx::query(WRITE_SIZE).bind(signed(to)).execute(&mut *tx).await.map_err(failed())?;
    tx.commit().await.map_err(failed())?;
    Ok(Tree { size: to, ..tree })
}

/// Reads how far the tree is, and keeps others from changing it until the transaction's end.
pub(super) async fn lock_in_tx(tx: &mut PgConnection) -> Result<Tree, ProofError> {
    let row = sqlx::query(SELECT_TREE)
        .fetch_optional(tx)
        .await
        .map_err(StoreError::database("lock the tree"))?
        .ok_or(ProofError::TilesGone { size: 0 })?;
    let read = || -> Result<Tree, sqlx::Error> {
        Ok(Tree {
            log_id: row.try_get(0)?,
            size: unsigned(row.try_get(1)?),
            head: unsigned(row.try_get(2)?),
        })
    };
    Ok(read().map_err(StoreError::database("read the tree"))?)
}

/// The tiles that new leaves change, from the growing ones of before.
fn grow(size: u64, growing: Tiles, leaves: Vec<Hash>) -> Tiles {
    let mut changed: Tiles = BTreeMap::new();
    let mut growing = growing;
    let (mut level, mut entries, mut hashes) = (0, size, leaves);
    while !hashes.is_empty() {
        let mut above = Vec::new();
        for hash in hashes {
            let id = TileId { level, index: entries / TILE_HASHES };
            let tile = changed.entry(id).or_insert_with(|| growing.remove(&id).unwrap_or_default());
            tile.extend_from_slice(&hash);
            entries += 1;
            if tile.len() == TILE_BYTES {
                above.push(tile::root(tile.as_chunks::<HASH_BYTES>().0));
            }
        }
        hashes = above;
        level += 1;
        entries = size >> (u32::from(level) * 8);
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::{Frontier, fold, leaf_hash, subtrees};

    #[test]
    fn growing_in_any_steps_makes_the_same_tree() {
        let leaves: Vec<Hash> = (0..70_000_u32).map(|it| leaf_hash(&it.to_be_bytes())).collect();
        let mut whole = grow(0, Tiles::new(), leaves.clone());
        let mut tree = Tiles::new();
        let mut size = 0;
        for step in [1, 254, 2, 300, 65_000, 4_443] {
            let growing = tiles::growing(size).into_keys();
            let present = growing.map(|id| (id, tree.get(&id).cloned().unwrap_or_default()));
            let first = usize::try_from(size).unwrap();
            let new = leaves[first..first + step].to_vec();
            let grown = grow(size, present.collect(), new);
            tree.extend(grown);
            size += u64::try_from(step).unwrap();
        }
        assert_eq!(size, 70_000);
        assert_eq!(tree.len(), whole.len());
        while let Some((id, tile)) = whole.pop_first() {
            assert_eq!(tree.get(&id), Some(&tile), "{id:?}");
        }
        let mut frontier = Frontier::default();
        leaves.iter().for_each(|leaf| frontier.push(*leaf));
        let hashes: Vec<Hash> = subtrees(0..size)
            .into_iter()
            .map(|it| tile::hash_in(it, &tree[&TileId::of(it)]).unwrap())
            .collect();
        assert_eq!(fold(&hashes), frontier.root());
    }
}
