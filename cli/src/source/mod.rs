//! What folders and archives mean: each program that exports photos lays them out in its own way.

mod apple;
mod folders;
mod photoprism;
mod takeout;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::args::{ImportArgs, Layout};
use crate::scan::Scan;
use crate::walk::Found;

/// Files that are looked into to tell whose export a folder is.
const LOOKED_INTO_MAX: usize = 50;
/// The largest file in which something is said of photos, in bytes.
const NOTES_BYTES_MAX: usize = 8 << 20;

/// Makes entries of what was found; says which layouts were seen.
pub(crate) fn understand(found: Vec<Found>, args: &ImportArgs, scan: &mut Scan) -> Vec<Layout> {
    let mut roots: BTreeMap<Arc<Path>, Vec<Found>> = BTreeMap::new();
    for one in found {
        roots.entry(Arc::clone(&one.root)).or_default().push(one);
    }
    // Parts of one export are understood together.
    let mut layouts: BTreeMap<Layout, Vec<Found>> = BTreeMap::new();
    for found in roots.into_values() {
        let layout = match args.source {
            Layout::Auto => layout_of(&found),
            layout => layout,
        };
        layouts.entry(layout).or_default().extend(found);
    }
    let seen = layouts.keys().copied().collect();
    for (layout, found) in layouts {
        match layout {
            Layout::Auto | Layout::Folders => folders::entries(found, args, scan),
            Layout::Takeout => takeout::entries(found, args, scan),
            Layout::Apple => apple::entries(found, args, scan),
            Layout::Photoprism => photoprism::entries(found, args, scan),
        }
    }
    seen
}

fn layout_of(found: &[Found]) -> Layout {
    let notes = |endings: &'static [&'static str]| {
        let found = found.iter().filter(|it| endings.contains(&it.ending().as_str()));
        found.take(LOOKED_INTO_MAX)
    };
    if found.iter().any(takeout::is_inside) || notes(&["json"]).any(takeout::is_one) {
        return Layout::Takeout;
    }
    if notes(&["yml", "yaml"]).any(photoprism::is_one) {
        return Layout::Photoprism;
    }
    if notes(&["aae"]).next().is_some() {
        return Layout::Apple;
    }
    Layout::Folders
}
