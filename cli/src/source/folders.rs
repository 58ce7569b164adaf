//! Folders as people keep them: sidecars beside photos, and films that belong to photos.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::args::ImportArgs;
use crate::content::Content;
use crate::entry::{Album, Entry};
use crate::scan::Scan;
use crate::walk::Found;

/// Makes entries of photos and films.
pub(super) fn entries(found: Vec<Found>, args: &ImportArgs, scan: &mut Scan) {
    let entries = paired(found, args.live_by_name, args, scan);
    scan.entries.extend(entries);
}

/// Photos and films with their sidecars; and, where that is wished for, films with the photos of their name.
pub(super) fn paired(
    found: Vec<Found>,
    live_by_name: bool,
    args: &ImportArgs,
    scan: &mut Scan,
) -> Vec<Entry> {
    let (mut files, mut sidecars) = (Vec::new(), BTreeMap::new());
    for one in found {
        if one.is_sidecar() {
            sidecars.insert(Arc::clone(&one.path), one.here);
        } else if one.is_media() {
            files.push(one);
        } else {
            scan.pass_over(&one.path, "not a photo or film");
        }
    }
    let films = if live_by_name { films_of(&files) } else { BTreeMap::new() };
    let taken: BTreeSet<&Path> = films.values().map(|film| &*film.path).collect();
    let (mut used, mut albums) = (BTreeSet::new(), Albums::default());
    let mut entries = Vec::with_capacity(files.len());
    for one in files.iter().filter(|one| !taken.contains(&*one.path)) {
        let mut entry = Entry::new(one.file());
        let sidecar = candidates(&one.path)
            .into_iter()
            .find_map(|path| sidecars.get_key_value(path.as_path()));
        if let Some((path, here)) = sidecar {
            used.insert(Arc::clone(path));
            entry.sidecar = Some(Box::new(Content::Here(here.clone())));
        }
        entry.film = films.get(&*one.path).map(|film| Box::new(film.file()));
        if args.album_from_folder {
            entry.albums.extend(albums.of(one));
        }
        entries.push(entry);
    }
    for path in sidecars.keys().filter(|path| !used.contains(*path)) {
        scan.pass_over(path, "a sidecar without a photo");
    }
    entries
}

/// `photo.jpg.xmp` before `photo.xmp`.
fn candidates(path: &Path) -> [PathBuf; 4] {
    let behind = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    [behind(".xmp"), behind(".XMP"), path.with_extension("xmp"), path.with_extension("XMP")]
}

/// Films that are called like a photo of the same folder, by that photo's path.
fn films_of(files: &[Found]) -> BTreeMap<&Path, &Found> {
    let mut films: BTreeMap<PathBuf, &Found> = BTreeMap::new();
    for file in files.iter().filter(|file| file.is_film()) {
        films.insert(file.path.with_extension(""), file);
    }
    let mut pairs = BTreeMap::new();
    for file in files.iter().filter(|file| !file.is_film()) {
        // Each film once: of several photos of a name the first has it.
        if let Some(film) = films.remove(&file.path.with_extension("")) {
            pairs.insert(&*file.path, film);
        }
    }
    pairs
}

/// Albums by folder, each made once.
#[derive(Default)]
struct Albums {
    by_folder: BTreeMap<PathBuf, Option<Arc<Album>>>,
}

impl Albums {
    fn of(&mut self, found: &Found) -> Option<Arc<Album>> {
        let folder = found.path.parent()?;
        if let Some(known) = self.by_folder.get(folder) {
            return known.clone();
        }
        let album = name_of(folder, found).map(|name| Arc::new(Album { name, description: None }));
        self.by_folder.insert(folder.to_owned(), album.clone());
        album
    }
}

fn name_of(folder: &Path, found: &Found) -> Option<String> {
    let is_archive = *folder == *found.root && folder.is_file();
    // A path such as `.` has a name only when it is spelled out.
    let named = match folder.file_name() {
        Some(_) => folder.to_owned(),
        None => folder.canonicalize().ok()?,
    };
    let name = if is_archive { named.file_stem() } else { named.file_name() };
    Some(name?.to_string_lossy().into_owned())
}
