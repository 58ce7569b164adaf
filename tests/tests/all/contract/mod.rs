//! Recorded requests of the reference server, sent to ours: status, headers, keys, JSON types, null
//! against missing, and the exact bodies of errors. What differs must stand in `known_differences.txt`
//! with its reason, and what stands there must differ.

mod compare;
mod replay;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use calotype_tests::media::{fixture, fixture_names};
use calotype_tests::{Options, spec, story};
use replay::{Library, Replayed};

/// Requests that change something or end a session, in the order they were recorded; the rest comes
/// before them.
const LAST: [&str; 28] = [
    "shared_link_remove",
    "shared_link_after_remove",
    "album_create",
    "album_add_assets",
    "album_get",
    "albums_list",
    "albums_shared",
    "albums_statistics",
    "timeline_buckets_album",
    "album_400_other_user",
    "album_patch",
    "album_remove_assets",
    "album_share_user",
    "album_get_as_viewer",
    "albums_list_as_viewer",
    "asset_get_as_album_viewer",
    "album_viewer_edit_400",
    "shared_link_create_album",
    "shared_links_list",
    "asset_update",
    "assets_bulk_update_204",
    "assets_archive",
    "asset_trash_204",
    "asset_get_trashed",
    "asset_restore",
    "trash_empty_count",
    "auth_logout",
    "auth_401_after_logout",
];
/// Fewer replayed requests than this means that the library was not set up.
const REPLAYED_MIN: usize = 120;

#[tokio::test]
async fn recorded_requests_are_answered_alike() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let operations = spec::operations()?;
        let library = Library::set_up(server).await?;
        let mut names = fixture_names()?;
        names.retain(|name| !LAST.contains(&name.as_str()));
        names.extend(LAST.map(str::to_owned));

        let (mut replayed, mut skipped) = (0, BTreeMap::<String, usize>::new());
        let mut differences = BTreeMap::new();
        for name in names {
            let recorded = fixture(&name)?;
            match library.replay(&operations, &name, &recorded).await.context(name.clone())? {
                Replayed::Answered(answer) => {
                    replayed += 1;
                    let found = compare::compare(&name, &recorded, &answer, &library);
                    if !found.is_empty() {
                        differences.insert(name, found);
                    }
                }
                Replayed::Skipped(why) => *skipped.entry(why).or_default() += 1,
            }
        }
        tell(replayed, &skipped, &differences);
        ensure!(replayed >= REPLAYED_MIN, "only {replayed} requests were replayed");
        ensure_known(&differences)
    })
    .await
}

#[expect(clippy::print_stdout, reason = "what differs is the point of this test")]
fn tell(
    replayed: usize,
    skipped: &BTreeMap<String, usize>,
    differences: &BTreeMap<String, Vec<String>>,
) {
    println!("{replayed} recorded requests replayed; not replayed: {skipped:?}");
    for (name, found) in differences {
        println!("{name}:");
        for one in found {
            println!("    {one}");
        }
    }
}

/// Every difference is listed, and nothing is listed that no longer differs.
fn ensure_known(differences: &BTreeMap<String, Vec<String>>) -> anyhow::Result<()> {
    let list = include_str!("../../known_differences.txt");
    let mut listed = BTreeSet::new();
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, reason) = line.split_once(": ").context("a line without a reason")?;
        ensure!(reason.len() > 10, "{name} is listed without a reason");
        listed.insert(name.to_owned());
    }
    let found: BTreeSet<String> = differences.keys().cloned().collect();
    let unlisted: Vec<_> = found.difference(&listed).collect();
    ensure!(unlisted.is_empty(), "these are answered in another way (see above): {unlisted:?}");
    let stale: Vec<_> = listed.difference(&found).collect();
    ensure!(stale.is_empty(), "these no longer differ, remove them from the list: {stale:?}");
    Ok(())
}
