//! Hashes by tiles of 256, as C2SP's tlog-tiles has them: a tile of level 0 holds hashes of leaves, one of level
//! n + 1 the hashes of complete tiles of level n.

use super::hash::{HASH_BYTES, Hash, node_hash};
use super::tree::Subtree;

/// Hashes of a complete tile.
pub const TILE_HASHES: u64 = 256;
/// Levels of the tree in one level of tiles.
pub(crate) const TILE_LEVELS: u8 = 8;

/// Which tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId {
    /// Levels of tiles below it.
    pub level: u8,
    /// Place among the tiles of its level, from 0.
    pub index: u64,
}

impl TileId {
    /// The tile that holds the hashes from which a subtree's is computed.
    #[must_use]
    pub fn of(subtree: Subtree) -> Self {
        let (first, _) = entries(subtree);
        Self { level: subtree.level / TILE_LEVELS, index: first / TILE_HASHES }
    }
}

/// A subtree's hash from the bytes of its tile; none where the tile is too short.
#[must_use]
pub(crate) fn hash_in(subtree: Subtree, tile: &[u8]) -> Option<Hash> {
    let (first, count) = entries(subtree);
    let first = usize::try_from(first % TILE_HASHES).ok()?;
    let hashes = tile.as_chunks::<HASH_BYTES>().0;
    Some(root(hashes.get(first..first + usize::try_from(count).ok()?)?))
}

/// The hash over a power of two of hashes.
pub(crate) fn root(hashes: &[Hash]) -> Hash {
    let mut level = hashes.to_vec();
    while level.len() > 1 {
        level = level.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
    }
    level.first().copied().unwrap_or_default()
}

/// Which entries of its level of tiles a subtree covers: the first, and how many.
fn entries(subtree: Subtree) -> (u64, u64) {
    let above = subtree.level % TILE_LEVELS;
    (subtree.index << above, 1 << above)
}

#[cfg(test)]
mod tests {
    use super::super::frontier::Frontier;
    use super::super::hash::leaf_hash;
    use super::*;

    #[test]
    fn subtrees_are_found_in_their_tiles() {
        let in_tile = |level, index| TileId::of(Subtree { level, index });
        assert_eq!(in_tile(0, 255), TileId { level: 0, index: 0 });
        assert_eq!(in_tile(7, 3), TileId { level: 0, index: 1 });
        assert_eq!(in_tile(8, 255), TileId { level: 1, index: 0 });
        assert_eq!(in_tile(9, 128), TileId { level: 1, index: 1 });
    }

    #[test]
    fn hashes_in_a_tile_are_those_of_the_tree() {
        let leaves: Vec<Hash> = (0..8_u8).map(|number| leaf_hash(&[number])).collect();
        let mut frontier = Frontier::default();
        leaves[4..].iter().for_each(|leaf| frontier.push(*leaf));
        let tile = leaves.concat();
        assert_eq!(hash_in(Subtree { level: 2, index: 1 }, &tile), Some(frontier.root()));
        assert_eq!(hash_in(Subtree { level: 0, index: 7 }, &tile), Some(leaves[7]));
        assert_eq!(hash_in(Subtree { level: 0, index: 8 }, &tile), None);
    }
}
