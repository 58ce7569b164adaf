//! Finding models: folders laid out as Immich's cache, `clip/NAME/visual/model.onnx` and so on.
//!
//! Nothing is loaded here. Files are read whole and with a limit, and their digests are remembered as long as
//! size and time of change stay.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use crate::error::MlError;
use crate::model::{Installed, ModelKind, ModelRef, hex};

/// The largest model file that is read, in bytes; larger ones keep their weights in files beside them, which
/// are not read.
pub(crate) const MODEL_BYTES_MAX: u64 = 2 << 30;
/// The largest file beside a model, in bytes: vocabularies and settings.
pub(crate) const BESIDE_BYTES_MAX: u64 = 64 << 20;
/// The longest name of a model.
const NAME_CHARS_MAX: usize = 128;
/// Models of one kind that are listed.
const LISTED_MAX: usize = 1_000;
/// The version of the steps before and after the models in this crate. It goes up when they give other numbers.
const REVISION: &str = "1";

/// Folders with models. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Folders {
    folders: Arc<[PathBuf]>,
    digests: Arc<Mutex<Digests>>,
}

/// SHA-256 of files, as they were when they were read.
type Digests = HashMap<PathBuf, (Stamp, [u8; 32])>;

/// What tells one state of a file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Stamp {
    /// Size in bytes.
    pub(crate) bytes: u64,
    changed: Option<SystemTime>,
}

/// A file of a model, as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ModelFile {
    pub(crate) path: PathBuf,
    pub(crate) stamp: Stamp,
}

impl Folders {
    /// Folders, the first of which counts most. They may be missing.
    #[must_use]
    pub fn new(folders: Vec<PathBuf>) -> Self {
        Self { folders: folders.into(), digests: Arc::default() }
    }

    /// The folder of a model.
    ///
    /// # Errors
    /// `BadName`: it could lead elsewhere. `NotInstalled`: no folder has all files of that model.
    pub fn find(&self, kind: ModelKind, name: &str) -> Result<PathBuf, MlError> {
        check_name(name)?;
        self.folders
            .iter()
            .map(|root| root.join(kind.folder()).join(name))
            .find(|folder| kind.files().iter().all(|file| folder.join(file).is_file()))
            .ok_or_else(|| MlError::NotInstalled {
                kind,
                name: name.to_owned(),
                looked_in: list(&self.folders),
            })
    }

    /// Every model that is there, sorted by kind and name. Of two with one name the one that counts.
    #[must_use]
    pub fn installed(&self) -> Vec<Installed> {
        let mut found: Vec<Installed> = Vec::new();
        for kind in ModelKind::ALL {
            for root in self.folders.iter() {
                for name in names_in(&root.join(kind.folder())) {
                    let known = found.iter().any(|it| it.kind == kind && it.name == name);
                    let Ok(folder) = self.find(kind, &name) else { continue };
                    if !known {
                        let bytes = kind.files().iter().map(|file| size(&folder.join(file))).sum();
                        found.push(Installed { kind, name, folder, bytes });
                    }
                }
            }
        }
        found.sort();
        found
    }

    /// The identity of a model. Reads its files when they are new, which takes a second for each gigabyte.
    ///
    /// # Errors
    /// As [`Self::find`]; `Unreadable` and `BadModel` of its files.
    pub fn model_ref(&self, kind: ModelKind, name: &str) -> Result<ModelRef, MlError> {
        let folder = self.find(kind, name)?;
        let sha256 = match kind.files() {
            [only] => self.digest(&folder.join(only))?,
            several => {
                let mut list = Sha256::new();
                for file in several {
                    let digest = self.digest(&folder.join(file))?;
                    list.update(format!("{}  {file}\n", hex(&digest)));
                }
                list.finalize().into()
            }
        };
        Ok(ModelRef { name: name.to_owned(), revision: REVISION.to_owned(), sha256 })
    }

    /// A file of a model and its state.
    pub(crate) fn file(
        &self,
        kind: ModelKind,
        name: &str,
        file: &str,
    ) -> Result<ModelFile, MlError> {
        let path = self.find(kind, name)?.join(file);
        let stamp = stamp(&path)?;
        Ok(ModelFile { path, stamp })
    }

    /// Remembers the digest of bytes that were read anyway.
    pub(crate) fn learn(&self, file: &ModelFile, bytes: &[u8]) {
        let digest = Sha256::digest(bytes).into();
        self.lock().insert(file.path.clone(), (file.stamp, digest));
    }

    fn digest(&self, path: &Path) -> Result<[u8; 32], MlError> {
        let stamp = stamp(path)?;
        let known = self.lock().get(path).filter(|(known, _)| *known == stamp).map(|it| it.1);
        if let Some(digest) = known {
            return Ok(digest);
        }
        let digest = digest_of(path)?;
        self.lock().insert(path.to_owned(), (stamp, digest));
        Ok(digest)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, (Stamp, [u8; 32])>> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses names that could lead out of the folders.
pub(crate) fn check_name(name: &str) -> Result<(), MlError> {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.');
    let is_good = !name.is_empty()
        && name.len() <= NAME_CHARS_MAX
        && !name.starts_with('.')
        && name.chars().all(is_plain);
    if is_good { Ok(()) } else { Err(MlError::BadName { name: name.to_owned() }) }
}

/// Reads a file whole, if it is no longer than allowed.
pub(crate) fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, MlError> {
    let unreadable = |source| MlError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let expected = file.metadata().map_err(unreadable)?.len();
    let mut bytes = Vec::new();
    if expected <= bytes_max {
        bytes.reserve_exact(usize::try_from(expected).unwrap_or(0));
        // One more than may be, so that more is noticed.
        file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    if expected > bytes_max || u64::try_from(bytes.len()).is_ok_and(|it| it > bytes_max) {
        let reason = format!("it is longer than {bytes_max} bytes");
        return Err(MlError::BadModel { path: path.to_owned(), reason });
    }
    Ok(bytes)
}

/// SHA-256 of a file, read in pieces.
pub(crate) fn digest_of(path: &Path) -> Result<[u8; 32], MlError> {
    let unreadable = |source| MlError::Unreadable { path: path.to_owned(), source };
    let mut hasher = Sha256::new();
    let file = File::open(path).map_err(unreadable)?;
    let read = std::io::copy(&mut file.take(MODEL_BYTES_MAX + 1), &mut hasher);
    if read.map_err(unreadable)? > MODEL_BYTES_MAX {
        let reason = format!("it is longer than {MODEL_BYTES_MAX} bytes");
        return Err(MlError::BadModel { path: path.to_owned(), reason });
    }
    Ok(hasher.finalize().into())
}

/// Size of a file in bytes; 0 where there is none.
pub(crate) fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |it| it.len())
}

fn stamp(path: &Path) -> Result<Stamp, MlError> {
    let found = std::fs::metadata(path)
        .map_err(|source| MlError::Unreadable { path: path.to_owned(), source })?;
    Ok(Stamp { bytes: found.len(), changed: found.modified().ok() })
}

fn names_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let names = entries.filter_map(Result::ok).map(|entry| entry.file_name());
    names.filter_map(|name| name.into_string().ok()).take(LISTED_MAX).collect()
}

pub(crate) fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let folders = Folders::new(vec!["/".into()]);
        for name in ["", ".", "..", "../etc", "a/b", "a\0", ".hidden", "ä", &"a".repeat(129)] {
            let found = folders.find(ModelKind::Ocr, name);
            assert!(matches!(found, Err(MlError::BadName { .. })), "{name:?}");
        }
    }

    #[test]
    fn first_folder_with_all_files_counts() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        put(first.path(), "ocr/a/detection/model.onnx", "only one of two");
        for file in ["detection/model.onnx", "recognition/model.onnx"] {
            put(second.path(), &format!("ocr/a/{file}"), file);
        }
        let folders = Folders::new(vec![first.path().to_owned(), second.path().to_owned()]);

        let found = folders.find(ModelKind::Ocr, "a").unwrap();

        assert_eq!(found, second.path().join("ocr/a"));
        let installed = folders.installed();
        assert_eq!(installed.len(), 1, "{installed:?}");
        assert_eq!((installed[0].name.as_str(), installed[0].bytes), ("a", 42));
    }

    #[test]
    fn identity_changes_with_a_file_and_with_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "ocr/a/detection/model.onnx", "one");
        put(root.path(), "ocr/a/recognition/model.onnx", "two");
        let folders = Folders::new(vec![root.path().to_owned()]);
        let before = folders.model_ref(ModelKind::Ocr, "a").unwrap();
        put(root.path(), "ocr/a/recognition/dict.txt", "not a part of it");
        assert_eq!(folders.model_ref(ModelKind::Ocr, "a").unwrap(), before);

        put(root.path(), "ocr/a/recognition/model.onnx", "three");

        assert_ne!(folders.model_ref(ModelKind::Ocr, "a").unwrap(), before);
    }

    #[test]
    fn file_that_is_too_long_is_refused() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "file", "12345");
        assert_eq!(read(&root.path().join("file"), 5).unwrap(), b"12345");
        let error = read(&root.path().join("file"), 4).unwrap_err();
        assert!(error.to_string().contains("longer than 4 bytes"), "{error}");
    }
}
