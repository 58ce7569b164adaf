//! Google Takeout: folders of years and of albums, spread over several archives, with a JSON file for most photos.
//!
//! Parts of one export are put together by the folders inside them, so that a photo and its JSON file may lie in
//! different archives. The layout is nowhere described; what is known of it stands in `docs/importing.md`.

mod folder;
mod json;
mod names;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::folder::Folder;
use super::NOTES_BYTES_MAX;
use crate::args::ImportArgs;
use crate::scan::Scan;
use crate::walk::Found;

/// Makes entries of an export.
pub(super) fn entries(found: Vec<Found>, args: &ImportArgs, scan: &mut Scan) {
    let mut folders: BTreeMap<String, Folder> = BTreeMap::new();
    // In the order of the archives: compressed ones are read from their beginning.
    for one in found {
        let folder = folders.entry(folder_of(&one)).or_default();
        if one.is_media() {
            folder.media.push(one);
        } else if one.is_sidecar() {
            folder.sidecars.push(one);
        } else if one.ending() == "json" {
            match read(&one) {
                Ok(json::Said::Photo(photo)) => folder.add(one, *photo),
                Ok(json::Said::Album(album)) => folder.album = folder.album.take().or(Some(album)),
                Ok(json::Said::Nothing) => scan.pass_over(&one.path, "says nothing of a photo"),
                Err(error) => scan.fail(&one.path, &format!("cannot be read: {error}")),
            }
        } else {
            scan.pass_over(&one.path, "not a photo or film");
        }
    }
    for (path, folder) in folders {
        let name = path.rsplit('/').next().unwrap_or_default();
        folder.entries(name, args, scan);
    }
}

/// Whether it lies in a folder that is called `Takeout` in its archive.
pub(super) fn is_inside(found: &Found) -> bool {
    let mut parts = found.inner().components();
    let first = parts.next().map(|part| part.as_os_str().to_string_lossy().into_owned());
    first.as_deref() == Some("Takeout") && parts.count() >= 2
}

/// Whether it is Google's word on a photo.
pub(super) fn is_one(found: &Found) -> bool {
    matches!(read(found), Ok(json::Said::Photo(_)))
}

fn read(found: &Found) -> std::io::Result<json::Said> {
    Ok(json::read(&found.here.whole(NOTES_BYTES_MAX)?))
}

/// The folder inside the export, the same in each of its parts.
fn folder_of(found: &Found) -> String {
    let folder = found.inner().parent().unwrap_or(found.inner());
    let parts: Vec<_> = folder.components().map(|it| it.as_os_str().to_string_lossy()).collect();
    let begin = parts.iter().position(|part| part == "Takeout").map_or(0, |place| place + 1);
    parts.get(begin..).unwrap_or_default().join("/")
}

/// An album's name and description.
type Album = Arc<crate::entry::Album>;

#[cfg(test)]
mod tests;
