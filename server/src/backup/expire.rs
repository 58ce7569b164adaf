//! What expires: keys first, then the files that no other backup names, then the manifest, so that one that was cut
//! off is done again. Pieces of the log stay: what is personal in them is sealed by the keys.

use std::collections::HashSet;

use calotype_domain::Clock as _;
use calotype_media::objects::Objects;

use super::files::{blob_name, entries};
use super::keep::Keep;
use super::manifest::{Manifest, Manifests};
use super::{Digest, remark};
use crate::clock::SystemClock;

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Expired {
    pub(super) backups: u64,
    pub(super) files: u64,
}

/// Removes backups that were kept long enough, by what was said when they were made or by what is said now,
/// whichever is shorter. The newest stays, however old it is.
pub(super) async fn expire(
    objects: &Objects,
    known: &Manifests,
    newest: &Manifest,
    keep: Keep,
) -> anyhow::Result<Expired> {
    let now = SystemClock.now();
    let is_over = |one: &&Manifest| one.keep_until.min(keep.until(one.created_at)) <= now;
    let gone: Vec<&Manifest> = known.all.iter().filter(is_over).collect();
    if gone.is_empty() {
        return Ok(Expired::default());
    }
    for part in gone.iter().flat_map(|one| [&one.secrets, &one.keys, &one.work]).flatten() {
        objects.remove(&part.name).await?;
    }
    let mut expired = Expired::default();
    if known.damaged.is_empty() {
        let kept = known.all.iter().filter(|one| !is_over(one)).chain([newest]);
        for digest in named_by_none(objects, &gone, kept).await? {
            objects.remove(&blob_name(digest)).await?;
            expired.files += 1;
        }
    } else {
        remark("no files are removed, because a damaged manifest may name them");
        return Ok(expired);
    }
    for one in gone {
        if let Some(list) = &one.files {
            objects.remove(&list.name).await?;
        }
        one.remove(objects).await?;
        expired.backups += 1;
    }
    Ok(expired)
}

/// Files that backups which are gone name, and none that is kept.
async fn named_by_none<'a>(
    objects: &Objects,
    gone: &[&Manifest],
    kept: impl Iterator<Item = &'a Manifest>,
) -> anyhow::Result<HashSet<Digest>> {
    let mut files = HashSet::new();
    for list in gone.iter().filter_map(|one| one.files.as_ref()) {
        // Its list went when an earlier run was cut off: then its files went before.
        if objects.open(&list.name).await?.is_some() {
            entries(objects, list, |entry| {
                files.insert(entry.digest);
            })
            .await?;
        }
    }
    for list in kept.filter_map(|one| one.files.as_ref()) {
        entries(objects, list, |entry| {
            files.remove(&entry.digest);
        })
        .await?;
    }
    Ok(files)
}
