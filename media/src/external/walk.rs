//! Walking through a folder, file by file, in bounded memory. Links are not followed.

use std::ops::ControlFlow;
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use super::{Exclusions, Seen, modified_at};
use crate::kind::{Family, by_name};

/// Folders inside folders that are walked into.
const DEPTH_MAX: usize = 128;
/// Folders that are open at once; the entries of deeper ones are read ahead.
const OPEN_MAX: usize = 16;

/// A photo or film in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFile {
    /// Where it lies, absolute.
    pub path: String,
    /// Length and time.
    pub seen: Seen,
}

/// What a walk comes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WalkItem {
    /// A photo or film.
    File(FoundFile),
    /// Something whose name is no Unicode, or that the server may not look at.
    Unreadable,
}

/// Walks through a folder; blocks. Ends early when `take` says so.
pub fn walk(
    root: &str,
    exclusions: &Exclusions,
    mut take: impl FnMut(WalkItem) -> ControlFlow<()>,
) {
    let is_walked = |entry: &DirEntry| {
        let path = entry.path().to_str();
        !entry.file_type().is_dir() || path.is_none_or(|path| !exclusions.has_folder(path))
    };
    let entries = WalkDir::new(root)
        .follow_links(false)
        .max_depth(DEPTH_MAX)
        .max_open(OPEN_MAX)
        .into_iter()
        .filter_entry(is_walked);
    for entry in entries {
        let item = match entry {
            Ok(entry) if entry.file_type().is_file() => match wanted(&entry, exclusions) {
                Some(item) => item,
                None => continue,
            },
            Ok(_) => continue,
            Err(_) => WalkItem::Unreadable,
        };
        if take(item).is_break() {
            return;
        }
    }
}

fn wanted(entry: &DirEntry, exclusions: &Exclusions) -> Option<WalkItem> {
    let Some(path) = entry.path().to_str() else { return Some(WalkItem::Unreadable) };
    if !is_media(path) || exclusions.has_file(path) {
        return None;
    }
    let Ok(found) = entry.metadata() else { return Some(WalkItem::Unreadable) };
    let seen = Seen { size_bytes: found.len(), modified_at: modified_at(&found) };
    // An empty file holds no photo; more often than not it is one that is about to be written.
    (seen.size_bytes > 0).then(|| WalkItem::File(FoundFile { path: path.to_owned(), seen }))
}

/// Whether a file's name is that of a photo or film. A name that is only an extension is none.
#[must_use]
pub fn is_media(path: &str) -> bool {
    let name = Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let has_stem = name.rsplit_once('.').is_some_and(|(stem, _)| !stem.is_empty());
    has_stem && by_name(name).is_some_and(|kind| kind.family != Family::Sidecar)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn photos_are_found_and_links_are_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("x.jpg"), b"x").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("a/@eaDir")).unwrap();
        for name in ["a/1.jpg", "2.MOV", "3.txt", "4.xmp", ".jpg", "a/@eaDir/5.jpg", "6.jpg"] {
            fs::write(root.join(name), b"x").unwrap();
        }
        fs::write(root.join("empty.jpg"), b"").unwrap();
        std::os::unix::fs::symlink(outside.path(), root.join("link")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("x.jpg"), root.join("link.jpg")).unwrap();
        let exclusions = Exclusions::new(&["**/@eaDir/**", "**/6*"]).unwrap();
        let mut found = Vec::new();
        walk(root.to_str().unwrap(), &exclusions, |item| {
            if let WalkItem::File(file) = item {
                found.push(file.path.replace(root.to_str().unwrap(), ""));
            }
            ControlFlow::Continue(())
        });
        found.sort();
        assert_eq!(found, ["/2.MOV", "/a/1.jpg"]);
    }
}
