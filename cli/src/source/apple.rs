//! Exports of Apple Photos and copies of an iPhone's folders: `IMG_1234.HEIC` with `IMG_1234.MOV` is a live photo,
//! `IMG_E1234.HEIC` is what its owner made of it, and `IMG_1234.AAE` says how, which only Apple's programs can read.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::folders;
use crate::args::ImportArgs;
use crate::entry::Entry;
use crate::notes::StackPlace;
use crate::scan::Scan;
use crate::walk::Found;

/// Makes entries; edited pictures lie on a stack with what they were made of.
pub(super) fn entries(found: Vec<Found>, args: &ImportArgs, scan: &mut Scan) {
    let (adjustments, rest): (Vec<Found>, Vec<Found>) =
        found.into_iter().partition(|one| one.ending() == "aae");
    for one in adjustments {
        scan.pass_over(&one.path, "adjustments that only Apple's programs can read");
    }
    let mut entries = folders::paired(rest, true, args, scan);
    let mut originals: HashMap<PathBuf, usize> = HashMap::new();
    for (place, entry) in entries.iter().enumerate() {
        originals.entry(entry.file.path.with_extension("")).or_insert(place);
    }
    let edited: Vec<(usize, usize)> = entries
        .iter()
        .enumerate()
        .filter_map(|(place, entry)| {
            let original = original_of(&entry.file.path)?;
            Some((place, *originals.get(&original)?))
        })
        .collect();
    for (edited, original) in edited {
        let key = entries.get(original).map(|it| it.file.path.to_string_lossy().into_owned());
        let Some(key) = key else { continue };
        stack(&mut entries, original, &key, false);
        stack(&mut entries, edited, &key, true);
    }
    scan.entries.extend(entries);
}

fn stack(entries: &mut [Entry], place: usize, key: &str, is_primary: bool) {
    if let Some(entry) = entries.get_mut(place) {
        let notes = entry.notes.get_or_insert_default();
        notes.stack = Some(StackPlace { key: format!("apple:{key}"), is_primary });
    }
}

/// `IMG_1234` for `IMG_E1234`, without an ending: the edited picture may be of another type.
fn original_of(path: &Path) -> Option<PathBuf> {
    let stem = path.file_stem()?.to_str()?;
    let number = stem.strip_prefix("IMG_E")?;
    let is_number = number.len() >= 4 && number.bytes().all(|it| it.is_ascii_digit());
    is_number.then(|| path.with_file_name(format!("IMG_{number}")))
}

#[cfg(test)]
mod tests {
    use crate::scan::scan;
    use crate::scan::tests::{args, names};

    #[test]
    fn edited_pictures_lie_on_what_they_were_made_of() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "IMG_0001.HEIC",
            "IMG_0001.MOV",
            "IMG_0001.AAE",
            "IMG_E0001.JPG",
            "IMG_O0001.AAE",
            "IMG_E0002.JPG",
            "IMG_0003.JPG",
        ] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        let scan = scan(&args(folder.path(), &[]));
        assert_eq!(
            names(&scan),
            ["IMG_0001.HEIC", "IMG_0003.JPG", "IMG_E0001.JPG", "IMG_E0002.JPG"]
        );
        assert_eq!(scan.entries[0].film.as_ref().unwrap().name(), "IMG_0001.MOV");
        let stack = |place: usize| scan.entries[place].notes.as_ref()?.stack.clone();
        let (original, edited) = (stack(0).unwrap(), stack(2).unwrap());
        assert_eq!(original.key, edited.key);
        assert!(edited.is_primary && !original.is_primary);
        assert_eq!((stack(1), stack(3)), (None, None));
        assert_eq!(scan.passed_over.len(), 2);
        assert!(scan.passed_over.iter().all(|it| it.why.contains("adjustments")));
    }
}
