//! Files that changed places among each other: swapped names, rows that were renumbered. Each asset goes with
//! what its file held, so a path that holds something else is not another version of what lay there before.
//!
//! This can only be told once all files were read, because where one went may be read last: until then
//! such files wait ([`Waiting`]).

use std::collections::{BTreeMap, HashMap, HashSet};

use calotype_commands::libraries::{FileMove, MOVES_MAX};
use calotype_domain::AssetId;
use calotype_media::external::{Digest, FoundFile};
use calotype_projections::libraries::LibraryFile;
use uuid::Uuid;

/// Files that wait until the others were read; with more, it is told of these alone.
pub(super) const WAITING_MAX: usize = 5_000;

/// A file that was read, and holds what another one held, perhaps.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) file: FoundFile,
    pub(super) digest: Digest,
    /// The asset that is known at its path, which held something else.
    pub(super) before: Option<LibraryFile>,
}

/// What becomes of files that waited.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Assets that go along, in parts to be written one after the other; by the place of the file that each is
    /// now.
    pub(super) parts: Vec<Vec<(usize, FileMove)>>,
}

/// Finds for each file the asset that it is. `free` are assets whose files hold something else now, or are gone.
///
/// An asset goes to a path that is another asset's only if that one goes elsewhere, too: what is put in the
/// place of a file whose content is nowhere any more is another version of it.
pub(super) fn settle(waiting: &[Waiting], free: Vec<LibraryFile>) -> Settled {
    let mut by_content: HashMap<String, Vec<LibraryFile>> = HashMap::new();
    let mut paths = HashSet::new();
    for asset in free.into_iter().rev() {
        // Two assets of one path cannot be told apart.
        if paths.insert(asset.path.clone()) {
            by_content.entry(asset.blake3.clone()).or_default().push(asset);
        }
    }
    let mut takes: Vec<Option<LibraryFile>> = waiting
        .iter()
        .map(|one| by_content.get_mut(&one.digest.blake3).and_then(Vec::pop))
        .collect();
    keep_whole(waiting, &mut takes);
    let by_path: HashMap<&str, usize> =
        waiting.iter().enumerate().map(|(place, one)| (one.file.path.as_str(), place)).collect();
    let mut moves: BTreeMap<usize, FileMove> = BTreeMap::new();
    for (place, (one, asset)) in waiting.iter().zip(takes).enumerate() {
        if let Some(asset) = asset {
            let went = FileMove {
                asset_id: AssetId::new(asset.asset_id),
                from: asset.path,
                to: one.file.path.clone(),
                modified_at: one.digest.seen.modified_at,
            };
            moves.insert(place, went);
        }
    }
    in_parts(moves, &by_path)
}

/// Takes back what goes to the path of an asset that stays, and then what goes to the path of that, and so on.
fn keep_whole(waiting: &[Waiting], takes: &mut [Option<LibraryFile>]) {
    let mut goes: HashSet<Uuid> = takes.iter().flatten().map(|asset| asset.asset_id).collect();
    let displaces: HashMap<Uuid, usize> = waiting
        .iter()
        .enumerate()
        .filter_map(|(place, one)| Some((one.before.as_ref()?.asset_id, place)))
        .collect();
    let stays = |one: &Waiting, goes: &HashSet<Uuid>| {
        one.before.as_ref().is_some_and(|before| !goes.contains(&before.asset_id))
    };
    let mut refused: Vec<usize> =
        (0..waiting.len()).filter(|place| stays(&waiting[*place], &goes)).collect();
    while let Some(place) = refused.pop() {
        if let Some(asset) = takes[place].take() {
            goes.remove(&asset.asset_id);
            refused.extend(displaces.get(&asset.asset_id));
        }
    }
}

/// Orders what goes so that each path is free when it is taken: rows from their end, rings as a whole. A ring
/// that is too long for one transaction stays.
fn in_parts(mut moves: BTreeMap<usize, FileMove>, by_path: &HashMap<&str, usize>) -> Settled {
    let beginnings: HashSet<String> = moves.values().map(|went| went.from.clone()).collect();
    let ends: Vec<usize> = moves
        .iter()
        .filter(|(_, went)| !beginnings.contains(&went.to))
        .map(|(place, _)| *place)
        .collect();
    let mut rows = Vec::new();
    for end in ends {
        rows.extend(taken_out(&mut moves, by_path, end));
    }
    let mut parts: Vec<Vec<_>> = rows.chunks(MOVES_MAX).map(<[_]>::to_vec).collect();
    while let Some(place) = moves.keys().next().copied() {
        let ring = taken_out(&mut moves, by_path, place);
        if ring.len() <= MOVES_MAX {
            parts.push(ring);
        }
    }
    Settled { parts }
}

/// A move, then that which goes to where it began, and so on.
fn taken_out(
    moves: &mut BTreeMap<usize, FileMove>,
    by_path: &HashMap<&str, usize>,
    first: usize,
) -> Vec<(usize, FileMove)> {
    let mut out = Vec::new();
    let mut next = Some(first);
    while let Some((place, went)) = next.and_then(|place| Some((place, moves.remove(&place)?))) {
        next = by_path.get(went.from.as_str()).copied();
        out.push((place, went));
    }
    out
}

#[cfg(test)]
mod tests {
    use calotype_media::external::Seen;
    use chrono::DateTime;

    use super::*;

    fn asset(number: u128, path: &str, holds: &str) -> LibraryFile {
        LibraryFile {
            asset_id: Uuid::from_u128(number),
            path: path.to_owned(),
            blake3: holds.to_owned(),
            ..LibraryFile::default()
        }
    }

    fn file(path: &str, holds: &str, before: Option<LibraryFile>) -> Waiting {
        let seen = Seen { size_bytes: 1, modified_at: DateTime::UNIX_EPOCH };
        Waiting {
            file: FoundFile { path: path.to_owned(), seen },
            digest: Digest { seen, blake3: holds.to_owned() },
            before,
        }
    }

    fn went(waiting: &[Waiting], free: Vec<LibraryFile>) -> Vec<Vec<(u128, String)>> {
        let word = |went: &FileMove| {
            (went.asset_id.uuid().as_u128(), format!("{}>{}", went.from, went.to))
        };
        let parts = settle(waiting, free).parts;
        parts.iter().map(|part| part.iter().map(|(_, went)| word(went)).collect()).collect()
    }

    fn words(pairs: &[(u128, &str)]) -> Vec<(u128, String)> {
        pairs.iter().map(|(asset, word)| (*asset, (*word).to_owned())).collect()
    }

    #[test]
    fn assets_swap_with_their_files() {
        let (a, b) = (asset(1, "a", "A"), asset(2, "b", "B"));
        let waiting = [file("a", "B", Some(a.clone())), file("b", "A", Some(b.clone()))];
        assert_eq!(went(&waiting, vec![a, b]), [words(&[(2, "b>a"), (1, "a>b")])]);
    }

    #[test]
    fn row_is_renumbered_from_its_end() {
        let (a, b, c) = (asset(1, "1", "A"), asset(2, "2", "B"), asset(3, "3", "C"));
        let waiting = [
            file("2", "A", Some(b.clone())),
            file("3", "B", Some(c.clone())),
            file("4", "C", None),
        ];
        let expected = words(&[(3, "3>4"), (2, "2>3"), (1, "1>2")]);
        assert_eq!(went(&waiting, vec![a, b, c]), [expected]);
    }

    #[test]
    fn file_in_the_place_of_one_that_is_nowhere_is_another_version_of_it() {
        // `a` was removed and `b` got its name.
        let (a, b) = (asset(1, "a", "A"), asset(2, "b", "B"));
        let waiting = [file("a", "B", Some(a.clone()))];
        assert!(went(&waiting, vec![a.clone(), b.clone()]).is_empty());
        // And so it is with what took the place of that.
        let c = asset(3, "c", "C");
        let waiting = [file("a", "B", Some(a.clone())), file("b", "C", Some(b.clone()))];
        assert!(went(&waiting, vec![a, b, c]).is_empty());
    }

    #[test]
    fn rings_and_rows_are_told_apart() {
        let (a, b, c) = (asset(1, "a", "A"), asset(2, "b", "B"), asset(3, "c", "C"));
        let waiting = [
            file("new", "C", None),
            file("a", "B", Some(a.clone())),
            file("b", "A", Some(b.clone())),
        ];
        let expected = [words(&[(3, "c>new")]), words(&[(2, "b>a"), (1, "a>b")])];
        assert_eq!(went(&waiting, vec![a, b, c]), expected);
    }
}
