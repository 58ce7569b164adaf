//! What is to be imported: what was found, understood as the export of the program that made it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::args::{ImportArgs, Layout};
use crate::entry::{Album, Entry};
use crate::notes::Taken;
use crate::source;
use crate::walk::{PassedOver, walk};

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) entries: Vec<Entry>,
    pub(crate) passed_over: Vec<PassedOver>,
    /// How it was understood.
    pub(crate) layouts: Vec<Layout>,
}

/// Looks through the folders, files and archives of the command line.
pub(crate) fn scan(args: &ImportArgs) -> Scan {
    let walk = walk(&args.paths);
    let mut scan = Scan { passed_over: walk.passed_over, ..Scan::default() };
    scan.layouts = source::understand(walk.found, args, &mut scan);
    let album = args.album.clone().map(|name| Arc::new(Album { name, description: None }));
    for entry in &mut scan.entries {
        if let Some(album) = &album {
            entry.albums.retain(|it| it.name != album.name);
            entry.albums.insert(0, Arc::clone(album));
        }
        if args.dates_of_source
            && let Some(notes) = &mut entry.notes
            && notes.date_guess.is_none()
            && let Some(Taken::Instant(at)) = notes.taken
        {
            notes.taken = Some(Taken::Stated(at.fixed_offset()));
        }
    }
    scan
}

impl Scan {
    /// Tells of a file that is nothing to import.
    pub(crate) fn pass_over(&mut self, path: &Path, why: &str) {
        let (path, why) = (PathBuf::from(path), why.to_owned());
        self.passed_over.push(PassedOver { path, why, is_failure: false });
    }

    /// Tells of a file that should have been read.
    pub(crate) fn fail(&mut self, path: &Path, why: &str) {
        let (path, why) = (PathBuf::from(path), why.to_owned());
        self.passed_over.push(PassedOver { path, why, is_failure: true });
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: ImportArgs,
    }

    /// The command line of an import of a folder.
    pub(crate) fn args(folder: &Path, more: &[&str]) -> ImportArgs {
        let path = folder.to_str().unwrap();
        let words = ["import", path, "--server", "http://localhost", "--api-key", "k"];
        Line::parse_from(words.iter().chain(more)).args
    }

    /// The names of what is imported.
    pub(crate) fn names(scan: &Scan) -> Vec<String> {
        scan.entries.iter().map(|entry| entry.file.name()).collect()
    }

    /// A path among the test media.
    pub(crate) fn media(name: &str) -> PathBuf {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
        std::env::var_os("CALOTYPE_SHARED").map_or(root, PathBuf::from).join("media").join(name)
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
