//! Finds what is to be imported: photos and films with their sidecars, and what is passed over and why.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use calotype_media::kind::{Family, by_name};
use chrono::{DateTime, Utc};
use walkdir::{DirEntry, WalkDir};

use crate::args::ImportArgs;
use crate::content::Content;
use crate::entry::{Album, Entry, File};

/// Folders inside one another that are looked into.
const DEPTH_MAX: usize = 256;
/// Folders that programs keep for themselves.
const FOLDERS_LEFT_OUT: [&str; 4] = ["@eaDir", "#recycle", "#snapshot", "__MACOSX"];

/// A file that is not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PassedOver {
    pub(crate) path: PathBuf,
    pub(crate) why: String,
    /// Whether it might have been a photo: then the import is not whole.
    pub(crate) is_failure: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) entries: Vec<Entry>,
    pub(crate) passed_over: Vec<PassedOver>,
}

/// Walks over the given folders and files, in the order of their names.
pub(crate) fn scan(args: &ImportArgs) -> Scan {
    let mut scan = Scan::default();
    let (mut files, mut sidecars) = (Vec::new(), BTreeSet::new());
    for root in &args.paths {
        let walk = WalkDir::new(root)
            .follow_links(true)
            .max_depth(DEPTH_MAX)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|found| found.depth() == 0 || !is_left_out(found));
        for found in walk {
            match found {
                Ok(found) if found.file_type().is_file() => {
                    scan.look(&found, &mut files, &mut sidecars);
                }
                Ok(_) => {}
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_owned();
                    let is_loop = error.loop_ancestor().is_some();
                    let why = if is_loop {
                        "a link leads back to a folder that it is in".to_owned()
                    } else {
                        error.io_error().map_or_else(|| error.to_string(), ToString::to_string)
                    };
                    scan.passed_over.push(PassedOver { path, why, is_failure: !is_loop });
                }
            }
        }
    }
    let mut used = BTreeSet::new();
    let films = if args.live_by_name { films_of(&files) } else { BTreeMap::new() };
    let taken: BTreeSet<PathBuf> = films.values().map(|film| film.path.to_path_buf()).collect();
    for file in files {
        if taken.contains(&*file.path) {
            continue;
        }
        let sidecar = sidecar_of(&file.path, &sidecars);
        used.extend(sidecar.clone());
        let (film, albums) = (films.get(&*file.path).cloned(), albums_of(&file.path, args));
        let albums = albums.into_iter().map(|name| Arc::new(Album { name, description: None }));
        let sidecar = sidecar.map(Content::disk);
        scan.entries.push(Entry { sidecar, film, albums: albums.collect(), ..Entry::new(file) });
    }
    scan.passed_over.extend(sidecars.difference(&used).map(|path| PassedOver {
        path: path.clone(),
        why: "a sidecar without a photo".into(),
        is_failure: false,
    }));
    scan
}

impl Scan {
    fn look(&mut self, found: &DirEntry, files: &mut Vec<File>, sidecars: &mut BTreeSet<PathBuf>) {
        let path = found.path();
        let name = found.file_name().to_string_lossy();
        let has_stem = name.rsplit_once('.').is_some_and(|(stem, _)| !stem.is_empty());
        let Some(file_type) = by_name(&name).filter(|_| has_stem) else {
            return self.pass_over(path, "not a photo or film", false);
        };
        if file_type.family == Family::Sidecar {
            sidecars.insert(path.to_owned());
            return;
        }
        match found.metadata() {
            Ok(metadata) if metadata.len() == 0 => self.pass_over(path, "empty", false),
            Ok(metadata) => files.push(File {
                path: path.into(),
                title: None,
                content: Content::disk(path),
                size_bytes: Some(metadata.len()),
                modified: metadata.modified().map_or(DateTime::UNIX_EPOCH, DateTime::<Utc>::from),
                extension: file_type.extension,
                digests: None,
            }),
            Err(error) => self.pass_over(path, &error.to_string(), true),
        }
    }

    fn pass_over(&mut self, path: &Path, why: &str, is_failure: bool) {
        self.passed_over.push(PassedOver { path: path.to_owned(), why: why.into(), is_failure });
    }
}

/// Whether it is hidden, or kept by a program for itself.
fn is_left_out(found: &DirEntry) -> bool {
    let name = found.file_name().to_string_lossy();
    name.starts_with('.') || FOLDERS_LEFT_OUT.contains(&name.as_ref())
}

/// `photo.jpg.xmp` before `photo.xmp`.
fn sidecar_of(path: &Path, sidecars: &BTreeSet<PathBuf>) -> Option<PathBuf> {
    let behind = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let candidates =
        [behind(".xmp"), behind(".XMP"), path.with_extension("xmp"), path.with_extension("XMP")];
    candidates.into_iter().find(|candidate| sidecars.contains(candidate))
}

/// Films that are called like a photo of the same folder, by that photo's path.
fn films_of(files: &[File]) -> BTreeMap<PathBuf, File> {
    let is_film = |file: &File| {
        by_name(&format!("x.{}", file.extension)).is_some_and(|it| it.family == Family::Video)
    };
    let mut films: BTreeMap<PathBuf, &File> = BTreeMap::new();
    for file in files.iter().filter(|file| is_film(file)) {
        films.insert(file.path.with_extension(""), file);
    }
    let mut pairs = BTreeMap::new();
    for file in files.iter().filter(|file| !is_film(file)) {
        // Each film once: of several photos of a name the first has it.
        if let Some(film) = films.remove(&file.path.with_extension("")) {
            pairs.insert(file.path.to_path_buf(), film.clone());
        }
    }
    pairs
}

fn albums_of(path: &Path, args: &ImportArgs) -> Vec<String> {
    let folder = path.parent().and_then(|folder| {
        // A path such as `.` has a name only when it is spelled out.
        let folder = folder
            .file_name()
            .is_none()
            .then(|| folder.canonicalize().ok())
            .flatten()
            .unwrap_or_else(|| folder.to_owned());
        Some(folder.file_name()?.to_string_lossy().into_owned())
    });
    let mut albums: Vec<String> = args.album.iter().cloned().collect();
    albums.extend(folder.filter(|name| args.album_from_folder && !albums.contains(name)));
    albums
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: ImportArgs,
    }

    fn args(folder: &Path, more: &[&str]) -> ImportArgs {
        let path = folder.to_str().unwrap();
        let words = ["import", path, "--server", "http://localhost", "--api-key", "k"];
        Line::parse_from(words.iter().chain(more)).args
    }

    fn names(scan: &Scan) -> Vec<String> {
        scan.entries.iter().map(|entry| entry.file.name()).collect()
    }

    #[test]
    fn sidecars_hidden_files_and_what_is_no_photo_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        for name in
            ["b.jpg", "a.heic", "a.xmp", "b.jpg.xmp", "alone.xmp", "notes.txt", ".hidden.jpg"]
        {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        std::fs::write(folder.path().join("empty.jpg"), "").unwrap();
        let scan = scan(&args(folder.path(), &[]));
        assert_eq!(names(&scan), ["a.heic", "b.jpg"]);
        let sidecars: Vec<_> =
            scan.entries.iter().map(|it| it.sidecar.as_ref().unwrap().identity()).collect();
        let path = |name| folder.path().join(name).into_os_string().into_encoded_bytes();
        assert_eq!(sidecars, [path("a.xmp"), path("b.jpg.xmp")]);
        assert_eq!(scan.passed_over.len(), 3);
        assert!(scan.passed_over.iter().all(|it| !it.is_failure));
    }

    #[cfg(unix)]
    #[test]
    fn link_that_leads_back_ends_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        std::fs::write(inner.join("a.jpg"), "a").unwrap();
        std::os::unix::fs::symlink(folder.path(), inner.join("back")).unwrap();
        std::os::unix::fs::symlink("nowhere", inner.join("broken.jpg")).unwrap();
        let scan = scan(&args(folder.path(), &[]));
        assert_eq!(names(&scan), ["a.jpg"]);
        let failures: Vec<bool> = scan.passed_over.iter().map(|it| it.is_failure).collect();
        assert_eq!(failures, [false, true]);
    }

    #[test]
    fn films_belong_to_photos_of_their_name_only_where_that_is_wished_for() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.heic", "a.mov", "b.mov"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        assert_eq!(names(&scan(&args(folder.path(), &[]))), ["a.heic", "a.mov", "b.mov"]);
        let paired = scan(&args(folder.path(), &["--live-by-name"]));
        assert_eq!(names(&paired), ["a.heic", "b.mov"]);
        assert_eq!(paired.entries[0].film.as_ref().unwrap().name(), "a.mov");
    }

    #[test]
    fn albums_are_called_like_folders() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("Rhône 2020");
        std::fs::create_dir(&inner).unwrap();
        std::fs::write(inner.join("a.jpg"), "a").unwrap();
        let scan = scan(&args(folder.path(), &["--album-from-folder", "--album", "All"]));
        let albums: Vec<_> = scan.entries[0].albums.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(albums, ["All", "Rhône 2020"]);
    }
}
