//! The tree's arithmetic against the definitions and known vectors of RFC 6962.

use std::ops::Range;

use calotype_eventstore::proof::{
    Frontier, Hash, consistency, inclusion, is_consistent, leaf_hash, node_hash, root_of_inclusion,
    subtrees,
};

/// Sizes and places are tried up to this.
const SIZE_MAX: u64 = 300;

fn hex(hash: Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect()
}

/// As RFC 6962 (2.1) defines it, without any of ours.
fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Frontier::default().root(),
        [leaf] => *leaf,
        _ => {
            let middle = leaves.len().next_power_of_two() / 2;
            node_hash(&root(&leaves[..middle]), &root(&leaves[middle..]))
        }
    }
}

fn path(leaves: &[Hash], parts: &[Range<u64>]) -> Vec<Hash> {
    let place = |number: u64| usize::try_from(number).expect("a small number");
    parts.iter().map(|part| root(&leaves[place(part.start)..place(part.end)])).collect()
}

#[test]
fn roots_are_those_of_the_known_vectors() {
    // Of the reference implementation of RFC 6962, certificate-transparency's merkle_tree_test.
    let data: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut frontier = Frontier::default();
    assert_eq!(
        hex(frontier.root()),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    for (data, root) in data.into_iter().zip(roots) {
        frontier.push(leaf_hash(data));
        assert_eq!(hex(frontier.root()), root, "{}", frontier.size());
    }
}

#[test]
fn paths_of_the_example_in_the_standard_are_found() {
    // RFC 6962 (2.1.3): seven leaves.
    assert_eq!(inclusion(0, 7), [1..2, 2..4, 4..7]);
    assert_eq!(inclusion(3, 7), [2..3, 0..2, 4..7]);
    assert_eq!(inclusion(4, 7), [5..6, 6..7, 0..4]);
    assert_eq!(inclusion(6, 7), [4..6, 0..4]);
    assert_eq!(consistency(3, 7), [2..3, 3..4, 0..2, 4..7]);
    assert_eq!(consistency(4, 7), std::slice::from_ref(&(4..7)));
    assert_eq!(consistency(6, 7), [4..6, 6..7, 0..4]);
}

#[test]
fn every_leaf_of_every_size_is_proven_and_no_other() {
    let leaves = leaves(SIZE_MAX);
    let mut frontier = Frontier::default();
    for size in 1..=SIZE_MAX {
        let part = &leaves[..usize::try_from(size).expect("a small number")];
        frontier.push(part[part.len() - 1]);
        let root = root(part);
        assert_eq!(frontier.root(), root, "{size}");
        for (index, leaf) in (0..).zip(part) {
            let path = path(part, &inclusion(index, size));
            assert_eq!(root_of_inclusion(leaf, index, size, &path), Some(root));
            let other = leaf_hash(b"other");
            assert_ne!(root_of_inclusion(&other, index, size, &path), Some(root));
            let elsewhere = root_of_inclusion(leaf, (index + 1) % size, size, &path);
            assert!(size == 1 || elsewhere != Some(root), "{index} of {size}");
        }
    }
}

#[test]
fn every_size_is_the_beginning_of_every_larger_one() {
    let leaves = leaves(SIZE_MAX);
    let roots: Vec<Hash> = (0..=leaves.len()).map(|size| root(&leaves[..size])).collect();
    let place = |number: u64| usize::try_from(number).expect("a small number");
    for new in 1..=SIZE_MAX {
        for old in 1..=new {
            let path = path(&leaves, &consistency(old, new));
            let (before, after) = ((old, &roots[place(old)]), (new, &roots[place(new)]));
            assert!(is_consistent(before, after, &path), "{old} of {new}");
            let other = leaf_hash(b"other");
            assert!(!is_consistent((old, &other), after, &path), "{old} of {new}");
            assert!(!is_consistent(before, (new, &other), &path), "{old} of {new}");
        }
    }
}

#[test]
fn complete_subtrees_cover_a_part_without_gaps() {
    for size in 0..=SIZE_MAX {
        let mut next = 0;
        for subtree in subtrees(0..size) {
            assert_eq!(subtree.index << subtree.level, next);
            next += 1 << subtree.level;
        }
        assert_eq!(next, size);
    }
}

#[test]
fn whole_subtrees_come_to_the_same_root_as_their_leaves() {
    let leaves = leaves(300);
    let mut frontier = Frontier::default();
    frontier.push_subtree(8, root(&leaves[..256]));
    leaves[256..].iter().for_each(|leaf| frontier.push(*leaf));
    assert_eq!(frontier.root(), root(&leaves));
    assert_eq!(frontier.size(), 300);
}
