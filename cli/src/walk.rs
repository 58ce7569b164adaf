//! Finds the files of folders and archives, whatever they mean.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use calotype_media::kind::{Family, FileType, by_name};
use chrono::{DateTime, Utc};
use walkdir::{DirEntry, WalkDir};

use crate::archive::{self, Member};
use crate::content::{Content, Here};
use crate::digest::Packed;
use crate::entry::File;

/// Folders inside one another that are looked into.
const DEPTH_MAX: usize = 256;
/// Folders that programs keep for themselves.
const FOLDERS_LEFT_OUT: [&str; 4] = ["@eaDir", "#recycle", "#snapshot", "__MACOSX"];
/// Files in which programs say something of photos.
const NOTES: [&str; 4] = ["aae", "json", "yaml", "yml"];

/// A file that is not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PassedOver {
    pub(crate) path: PathBuf,
    pub(crate) why: String,
    /// Whether it might have been a photo: then the import is not whole.
    pub(crate) is_failure: bool,
}

/// A file that may be a photo, or say something of one.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Where it lies, as it is told.
    pub(crate) path: Arc<Path>,
    /// The folder or archive of the command line in which it was found.
    pub(crate) root: Arc<Path>,
    pub(crate) here: Here,
    pub(crate) size_bytes: u64,
    pub(crate) modified: DateTime<Utc>,
    pub(crate) digests: Option<Box<Packed>>,
    /// None for one in which a program says something of photos.
    pub(crate) file_type: Option<&'static FileType>,
}

impl Found {
    /// Folders and name inside its root.
    pub(crate) fn inner(&self) -> &Path {
        let inner = self.path.strip_prefix(&self.root).unwrap_or(&self.path);
        if inner.as_os_str().is_empty() {
            return self.path.file_name().map_or(inner, Path::new);
        }
        inner
    }

    /// Its name; bytes that are no UTF-8 are replaced.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Its ending in lower case.
    pub(crate) fn ending(&self) -> String {
        ending(&self.path)
    }

    /// Whether it is a photo or film.
    pub(crate) fn is_media(&self) -> bool {
        self.file_type.is_some_and(|it| it.family != Family::Sidecar)
    }

    /// Whether it is an XMP file.
    pub(crate) fn is_sidecar(&self) -> bool {
        self.file_type.is_some_and(|it| it.family == Family::Sidecar)
    }

    /// Whether it is a film.
    pub(crate) fn is_film(&self) -> bool {
        self.file_type.is_some_and(|it| it.family == Family::Video)
    }

    /// The same as a file that is to be imported.
    pub(crate) fn file(&self) -> File {
        File {
            path: Arc::clone(&self.path),
            title: None,
            content: Content::Here(self.here.clone()),
            size_bytes: Some(self.size_bytes),
            modified: self.modified,
            extension: self.file_type.map_or("", |it| it.extension),
            digests: self.digests.clone(),
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    pub(crate) found: Vec<Found>,
    pub(crate) passed_over: Vec<PassedOver>,
}

/// Walks over folders and files in the order of their names, and through archives that are named.
pub(crate) fn walk(roots: &[PathBuf]) -> Walk {
    let mut walk = Walk::default();
    for root in roots {
        if archive::is_archive(root) && root.is_file() {
            walk.archive(root);
        } else {
            walk.folder(root);
        }
    }
    walk
}

impl Walk {
    fn folder(&mut self, path: &Path) {
        // Files of one folder belong together, also when each of them is named.
        let parent = path.parent().filter(|_| path.is_file());
        let root: Arc<Path> = parent.unwrap_or(path).into();
        let found = WalkDir::new(path)
            .follow_links(true)
            .max_depth(DEPTH_MAX)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|found| found.depth() == 0 || !is_left_out(found));
        for found in found {
            match found {
                Ok(found) if found.file_type().is_file() => self.file(&found, &root),
                Ok(_) => {}
                Err(error) => {
                    let is_loop = error.loop_ancestor().is_some();
                    let why = if is_loop {
                        "a link leads back to a folder that it is in".to_owned()
                    } else {
                        error.io_error().map_or_else(|| error.to_string(), ToString::to_string)
                    };
                    self.pass_over(error.path().unwrap_or(path), &why, !is_loop);
                }
            }
        }
    }

    fn file(&mut self, found: &DirEntry, root: &Arc<Path>) {
        let path = found.path();
        let Some(file_type) = meaning(path) else {
            let why = if archive::is_archive(path) {
                "an archive: name it on the command line, and what is in it is imported"
            } else {
                "not a photo or film"
            };
            return self.pass_over(path, why, false);
        };
        match found.metadata() {
            Ok(metadata) => {
                let path: Arc<Path> = path.into();
                self.keep(Found {
                    root: Arc::clone(root),
                    here: Here::Disk(Arc::clone(&path)),
                    size_bytes: metadata.len(),
                    modified: metadata.modified().map_or(DateTime::UNIX_EPOCH, Into::into),
                    digests: None,
                    file_type,
                    path,
                });
            }
            Err(error) => self.pass_over(path, &error.to_string(), true),
        }
    }

    fn archive(&mut self, path: &Path) {
        let (archive, listing) = match archive::open(path) {
            Ok(opened) => opened,
            Err(error) => return self.pass_over(path, &format!("{error:#}"), true),
        };
        let root: Arc<Path> = path.into();
        for it in listing.unreadable {
            let inner = it.name.unwrap_or_default();
            let is_noise = inner.components().any(|part| is_left_out_name(part.as_os_str()));
            if !is_noise {
                self.pass_over(&path.join(inner), &it.why, it.is_failure);
            }
        }
        for Member { place, name, size_bytes, modified, digests } in listing.members {
            if name.components().any(|part| is_left_out_name(part.as_os_str())) {
                continue;
            }
            let path = path.join(&name);
            let Some(file_type) = meaning(&path) else {
                self.pass_over(&path, "not a photo or film", false);
                continue;
            };
            let here = Here::Archived(Arc::clone(&archive), place);
            let (path, root) = (path.into(), Arc::clone(&root));
            let digests = digests.as_ref().and_then(Packed::of).map(Box::new);
            self.keep(Found { path, root, here, size_bytes, modified, digests, file_type });
        }
    }

    fn keep(&mut self, found: Found) {
        if found.is_media() && found.size_bytes == 0 {
            return self.pass_over(&found.path, "empty", false);
        }
        self.found.push(found);
    }

    fn pass_over(&mut self, path: &Path, why: &str, is_failure: bool) {
        let (path, why) = (path.to_owned(), why.to_owned());
        self.passed_over.push(PassedOver { path, why, is_failure });
    }
}

/// The ending of a name in lower case.
pub(crate) fn ending(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase()
}

/// What a file is by its name; `None` for one that means nothing here.
fn meaning(path: &Path) -> Option<Option<&'static FileType>> {
    let name = path.file_name()?.to_string_lossy();
    let has_stem = name.rsplit_once('.').is_some_and(|(stem, _)| !stem.is_empty());
    match by_name(&name).filter(|_| has_stem) {
        Some(file_type) => Some(Some(file_type)),
        None => NOTES.contains(&ending(path).as_str()).then_some(None),
    }
}

/// Whether it is hidden, or kept by a program for itself.
fn is_left_out(found: &DirEntry) -> bool {
    is_left_out_name(found.file_name())
}

fn is_left_out_name(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') || FOLDERS_LEFT_OUT.contains(&name.as_ref())
}
