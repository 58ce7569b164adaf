//! The log in pieces: each written once, from where the last backup ended.

use std::collections::BTreeMap;

use calotype_eventstore::backup::read_log;
use calotype_media::objects::Objects;
use futures::TryStreamExt as _;

use super::manifest::{Manifest, Segment};
use super::part::{Part, PartWriter};
use super::{Digest, Progress, count};
use crate::operator::Live;

/// Events of one piece.
const SEGMENT_EVENTS_MAX: i64 = 10_000;
const FOLDER: &str = "log";
/// What a piece says that it is.
pub(crate) const PART: &str = "log";

/// Writes the pieces that are new since the last backup, and names all of them in the manifest.
pub(super) async fn copy(
    live: &Live,
    manifest: &mut Manifest,
    last: Option<&Manifest>,
    objects: &Objects,
) -> anyhow::Result<()> {
    let keyring = live.keyring()?;
    manifest.segments = last.map(|last| last.segments.clone()).unwrap_or_default();
    let mut after = last.map_or(0, |last| last.position);
    let left = left_over(objects).await?;
    let mut progress = Progress::new();
    while after < manifest.position {
        if let Some(segment) = adopt(&left, after, manifest.position, objects).await?
            && segment.part.name.contains(&format!("-{}-", last_event(live, segment.last).await?))
        {
            after = segment.last;
            manifest.segments.push(segment);
            continue;
        }
        let to = manifest.position.min(after + SEGMENT_EVENTS_MAX);
        let event = last_event(live, to).await?;
        let writer = PartWriter::begin(objects, PART).await?;
        let sent = read_log(&live.core.pool, &keyring, (after, to), &writer.frames).await;
        let name = |digest: Digest| {
            format!("{FOLDER}/{:012}-{to:012}-{event}-{}.gz", after + 1, digest.short())
        };
        let part = writer.finish(sent, objects, name).await?;
        manifest.segments.push(Segment { first: after + 1, last: to, part });
        after = to;
        progress.tell(|| {
            let number = |position| count(u64::try_from(position).unwrap_or_default());
            format!("log: {} of {} positions", number(after), number(manifest.position))
        });
    }
    Ok(())
}

/// The event at a position, for names: a log that was set back has another there.
async fn last_event(live: &Live, position: i64) -> anyhow::Result<String> {
    let mut db = live.core.pool.acquire().await?;
    let event = super::tables::event_at(&mut db, position).await?;
    Ok(event.map(|id| id.simple().to_string()).unwrap_or_default())
}

/// Pieces by their first position; some of them may be of a backup that was cut off.
async fn left_over(objects: &Objects) -> anyhow::Result<BTreeMap<i64, Vec<(i64, String)>>> {
    let mut found: BTreeMap<i64, Vec<(i64, String)>> = BTreeMap::new();
    let mut listed = objects.list(FOLDER);
    while let Some(item) = listed.try_next().await? {
        if let Some((first, last)) = range(&item.name) {
            found.entry(first).or_default().push((last, item.name));
        }
    }
    Ok(found)
}

fn range(name: &str) -> Option<(i64, i64)> {
    let (_, name) = name.split_once('/')?;
    let mut words = name.split('-');
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

/// A piece that is there already, whole, and goes on from a position. It holds what the log holds: events never
/// change, and its attachments are sealed.
async fn adopt(
    left: &BTreeMap<i64, Vec<(i64, String)>>,
    after: i64,
    position: i64,
    objects: &Objects,
) -> anyhow::Result<Option<Segment>> {
    for (last, name) in left.get(&(after + 1)).into_iter().flatten() {
        if *last > position || *last <= after {
            continue;
        }
        let Some(opened) = objects.open(name).await? else { continue };
        let read = tokio::task::spawn_blocking(move || Digest::of_reader(opened)).await?;
        let Ok((blake3, size_bytes)) = read else { continue };
        if name.ends_with(&format!("-{}.gz", blake3.short())) {
            let part = Part { name: name.clone(), blake3, size_bytes };
            return Ok(Some(Segment { first: after + 1, last: *last, part }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whole_pieces_of_a_backup_that_was_cut_off_are_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::in_folder(folder.path().to_owned());
        let name = |first: i64, last: i64, bytes: &[u8]| {
            format!("log/{first:012}-{last:012}-{}.gz", Digest::of(bytes).short())
        };
        for (name, bytes) in [
            (name(1, 10, b"whole"), &b"whole"[..]),
            (name(11, 20, b"as it was"), b"changed"),
            (name(11, 15, b"too"), b"too"),
            (name(21, 30, b"another history"), b"another history"),
        ] {
            objects.put(&name, bytes.into()).await.unwrap();
        }
        let left = left_over(&objects).await.unwrap();
        let last = async |after, position| {
            let adopted = adopt(&left, after, position, &objects).await.unwrap();
            adopted.map(|segment| segment.last)
        };
        assert_eq!(last(0, 100).await, Some(10));
        assert_eq!(last(10, 100).await, Some(15));
        assert_eq!(last(20, 29).await, None);
        assert_eq!(last(5, 100).await, None);
    }
}
