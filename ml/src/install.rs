//! Putting the models that Calotype brings along into a folder: pinned by size and digest, so that it does not
//! matter where they come from, and taken up again where they were cut off.
//!
//! Other models come in [`crate::others`], or are put there by hand, laid out as Immich's cache;
//! [`crate::Ml::check`] says whether they work.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::RANGE;
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;

use crate::error::MlError;
use crate::folders::{MODEL_BYTES_MAX, digest_of, size};
use crate::model::{digest, hex};

/// What is brought along, made by `ops/models/convert.py`.
const PINNED: &str = include_str!("pinned.json");
/// Behind the name of a file that is not whole yet.
const PART: &str = "part";
/// Keeps two installations out of each other's way.
const LOCK: &str = ".installing";
/// How long a server may say nothing.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A model that is brought along.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Pinned {
    /// Its folder, such as `clip/conse-effnet-lite0-minilm`.
    pub folder: String,
    /// Under which terms it is passed on.
    pub licence: String,
    /// All its files.
    pub files: Vec<PinnedFile>,
}

/// A file of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PinnedFile {
    /// Below the model's folder.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

/// Where files come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A folder laid out like the one they go to.
    Folder(PathBuf),
    /// An address that such a folder is served under.
    Url(Url),
}

impl Source {
    /// An address where the words begin like one, a folder else.
    ///
    /// # Errors
    /// `BadUrl`: the address cannot be used.
    pub fn parse(words: &str) -> Result<Self, MlError> {
        if !words.starts_with("http://") && !words.starts_with("https://") {
            return Ok(Self::Folder(words.into()));
        }
        // Without the slash, the last part would be replaced and not entered.
        let url = Url::parse(&format!("{}/", words.trim_end_matches('/')));
        url.map(Self::Url)
            .map_err(|error| MlError::BadUrl { url: words.to_owned(), reason: error.to_string() })
    }
}

/// How a file stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is what it should be.
    Good,
    /// It was put there now, and is what it should be.
    Placed,
    /// It is not there.
    Missing,
    /// It is another one.
    Wrong(String),
}

/// A file and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Below the folder of models.
    pub path: String,
    /// How it stands.
    pub verdict: Verdict,
}

/// The models that are brought along.
///
/// # Panics
/// Where the list that the program was built with is no JSON; a test reads it.
#[must_use]
pub fn pinned() -> Vec<Pinned> {
    #[expect(clippy::expect_used, reason = "the list is a part of the program; a test reads it")]
    let list = serde_json::from_str(PINNED).expect("the list of models is JSON");
    list
}

/// Compares what is in a folder with what was brought along. Reads every file.
#[must_use]
pub fn verify(root: &Path) -> Vec<Found> {
    every_file(&pinned())
        .map(|(path, file)| Found { verdict: look(root, &path, file), path })
        .collect()
}

/// Puts every model that is brought along into a folder. What is there and right stays untouched.
///
/// # Errors
/// `Unreadable`, `Unwritable`, `Unfetched`: a file did not come or could not be put down; what came of it is
/// kept for the next time. `BadModel`: another file came; it is removed.
pub async fn install(source: &Source, root: &Path) -> Result<Vec<Found>, MlError> {
    install_list(&pinned(), source, root).await
}

async fn install_list(
    list: &[Pinned],
    source: &Source,
    root: &Path,
) -> Result<Vec<Found>, MlError> {
    let _lock = lock(root)?;
    let mut found = Vec::new();
    for (path, file) in every_file(list) {
        let verdict = match look(root, &path, file) {
            Verdict::Good => Verdict::Good,
            _ => {
                place(source, root, &path, file).await?;
                Verdict::Placed
            }
        };
        found.push(Found { path, verdict });
    }
    Ok(found)
}

fn every_file(list: &[Pinned]) -> impl Iterator<Item = (String, &PinnedFile)> {
    list.iter().flat_map(|model| {
        model.files.iter().map(|file| (format!("{}/{}", model.folder, file.path), file))
    })
}

fn look(root: &Path, path: &str, file: &PinnedFile) -> Verdict {
    let whole = root.join(path);
    if !whole.is_file() {
        return Verdict::Missing;
    }
    match check(&whole, file) {
        Ok(()) => Verdict::Good,
        Err(error) => Verdict::Wrong(error.to_string()),
    }
}

fn check(path: &Path, file: &PinnedFile) -> Result<(), MlError> {
    let refuse = |reason: String| Err(MlError::BadModel { path: path.to_owned(), reason });
    if size(path) != file.bytes {
        return refuse(format!("it has {} bytes, not {}", size(path), file.bytes));
    }
    let found = digest_of(path)?;
    if digest(&file.sha256) != Some(found) {
        return refuse(format!("its SHA-256 is {}, not {}", hex(&found), file.sha256));
    }
    Ok(())
}

async fn place(source: &Source, root: &Path, path: &str, file: &PinnedFile) -> Result<(), MlError> {
    let target = root.join(path);
    let part = bring(source, path, Some(file.bytes), &target).await?;
    if let Err(error) = check(&part, file) {
        // Nothing of it can be used the next time.
        fs::remove_file(&part).map_err(unwritable(&part))?;
        return Err(error);
    }
    put(&part, &target)
}

/// Brings a file to beside its place, from where it was cut off, and says where it is then. Where nobody knows
/// beforehand how long it is, the source says so.
pub(crate) async fn bring(
    source: &Source,
    path: &str,
    bytes: Option<u64>,
    target: &Path,
) -> Result<PathBuf, MlError> {
    let folder = target.parent().unwrap_or(target);
    fs::create_dir_all(folder).map_err(unwritable(folder))?;
    let part = target.with_added_extension(PART);
    if size(&part) > bytes.unwrap_or(MODEL_BYTES_MAX) {
        fs::remove_file(&part).map_err(unwritable(&part))?;
    }
    let mut to =
        OpenOptions::new().create(true).append(true).open(&part).map_err(unwritable(&part))?;
    let have = size(&part);
    if bytes.is_none_or(|bytes| have < bytes) {
        match source {
            Source::Folder(from) => {
                let from = from.join(path);
                copy(&from, have, bytes.unwrap_or(MODEL_BYTES_MAX), &mut to, &part)?;
            }
            Source::Url(base) => fetch(base, path, have, bytes, &mut to, &part).await?,
        }
    }
    to.sync_all().map_err(unwritable(&part))?;
    Ok(part)
}

/// Puts what is whole into its place, so that it is there after a loss of power, too.
pub(crate) fn put(whole: &Path, target: &Path) -> Result<(), MlError> {
    fs::rename(whole, target).map_err(unwritable(target))?;
    // A rename is there after a loss of power only when its folder is written, too.
    let folder = target.parent().unwrap_or(target);
    File::open(folder).and_then(|it| it.sync_all()).map_err(unwritable(folder))
}

fn unwritable(path: &Path) -> impl Fn(io::Error) -> MlError + use<> {
    let path = path.to_owned();
    move |source| MlError::Unwritable { path: path.clone(), source }
}

fn copy(from: &Path, have: u64, bytes: u64, to: &mut File, part: &Path) -> Result<(), MlError> {
    let unreadable = |source| MlError::Unreadable { path: from.to_owned(), source };
    let mut file = File::open(from).map_err(unreadable)?;
    file.seek(SeekFrom::Start(have)).map_err(unreadable)?;
    // One more than it should have, so that a longer one is not taken for it.
    io::copy(&mut file.take(bytes - have + 1), to)
        .map(drop)
        .map_err(|source| MlError::Unwritable { path: part.to_owned(), source })
}

async fn fetch(
    base: &Url,
    path: &str,
    have: u64,
    bytes: Option<u64>,
    to: &mut File,
    part: &Path,
) -> Result<(), MlError> {
    let unfetched = |reason: String| MlError::Unfetched { what: path.to_owned(), reason };
    let unwritable = |source| MlError::Unwritable { path: part.to_owned(), source };
    let url = base.join(path).map_err(|error| unfetched(error.to_string()))?;
    let client = Client::builder()
        .read_timeout(READ_TIMEOUT)
        .build()
        .map_err(|error| unfetched(error.without_url().to_string()))?;
    let mut asked = client.get(url);
    if have > 0 {
        asked = asked.header(RANGE, format!("bytes={have}-"));
    }
    let failed = |error: reqwest::Error| unfetched(error.without_url().to_string());
    let mut answer = asked.send().await.map_err(failed)?;
    let begun = match answer.status() {
        StatusCode::PARTIAL_CONTENT if have > 0 => have,
        StatusCode::OK => 0,
        // All of it may be there, or something else: only the whole of it says.
        StatusCode::RANGE_NOT_SATISFIABLE if bytes.is_none() => {
            to.set_len(0).map_err(unwritable)?;
            return Err(unfetched(
                "it was cut off where nothing follows; it begins anew".to_owned(),
            ));
        }
        status => return Err(unfetched(format!("the server answered {}", status.as_u16()))),
    };
    if begun == 0 {
        // It begins anew, whatever was asked for.
        to.set_len(0).map_err(unwritable)?;
    }
    let told = answer.content_length().map(|length| length.saturating_add(begun));
    let bytes = bytes.or(told).filter(|bytes| *bytes <= MODEL_BYTES_MAX);
    let bytes = bytes.ok_or_else(|| unfetched("nobody says how long it is".to_owned()))?;
    let mut left = bytes.saturating_sub(begun);
    while let Some(piece) = answer.chunk().await.map_err(failed)? {
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        left = left.checked_sub(length).ok_or_else(|| unfetched("it is too long".to_owned()))?;
        to.write_all(&piece).map_err(unwritable)?;
    }
    if left > 0 { Err(unfetched(format!("{left} bytes are missing"))) } else { Ok(()) }
}

pub(crate) fn lock(root: &Path) -> Result<File, MlError> {
    let path = root.join(LOCK);
    let unwritable = |source| MlError::Unwritable { path: path.clone(), source };
    fs::create_dir_all(root).map_err(unwritable)?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(unwritable)?;
    file.try_lock().map_err(|refused| {
        unwritable(match refused {
            fs::TryLockError::Error(source) => source,
            fs::TryLockError::WouldBlock => io::Error::other("another installation is running"),
        })
    })?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<Pinned> {
        use sha2::Digest as _;

        let sha256 = hex(&sha2::Sha256::digest(text).into());
        let bytes = u64::try_from(text.len()).unwrap();
        let file = PinnedFile { path: "detection/model.onnx".into(), bytes, sha256 };
        vec![Pinned { folder: "ocr/a".into(), licence: "MIT".into(), files: vec![file] }]
    }

    /// A source that holds `text`, and a folder to install to.
    fn folders(text: &str) -> (tempfile::TempDir, tempfile::TempDir, Source) {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for root in [&from, &to] {
            fs::create_dir_all(root.path().join("ocr/a/detection")).unwrap();
        }
        fs::write(from.path().join("ocr/a/detection/model.onnx"), text).unwrap();
        let source = Source::Folder(from.path().to_owned());
        (from, to, source)
    }

    #[test]
    fn list_names_whole_models_under_their_terms() {
        let list = pinned();
        assert_eq!(list.len(), 3);
        for model in &list {
            assert!(!model.licence.is_empty() && !model.files.is_empty(), "{model:?}");
        }
        assert!(every_file(&list).all(|(_, file)| digest(&file.sha256).is_some()));
    }

    #[tokio::test]
    async fn installing_twice_places_once() {
        let (_from, to, source) = folders("a model");
        let first = install_list(&list("a model"), &source, to.path()).await.unwrap();
        let second = install_list(&list("a model"), &source, to.path()).await.unwrap();
        assert_eq!((&first[0].verdict, &second[0].verdict), (&Verdict::Placed, &Verdict::Good));
    }

    #[tokio::test]
    async fn what_was_cut_off_is_taken_up_again() {
        let (from, to, source) = folders("a model");
        let part = to.path().join("ocr/a/detection/model.onnx.part");
        fs::write(&part, "a mo").unwrap();
        // Only what was missing is read: the beginning is another one here.
        fs::write(from.path().join("ocr/a/detection/model.onnx"), "????del").unwrap();

        install_list(&list("a model"), &source, to.path()).await.unwrap();

        let placed = fs::read_to_string(to.path().join("ocr/a/detection/model.onnx")).unwrap();
        assert_eq!(placed, "a model");
        assert!(!part.exists());
    }

    #[tokio::test]
    async fn other_files_are_refused_and_leave_nothing() {
        for text in ["b model", "a mode", "a model and more"] {
            let (_from, to, source) = folders(text);
            let refused = install_list(&list("a model"), &source, to.path()).await;
            assert!(matches!(refused, Err(MlError::BadModel { .. })), "{text}: {refused:?}");
            assert_eq!(fs::read_dir(to.path().join("ocr/a/detection")).unwrap().count(), 0);
        }
    }

    #[tokio::test]
    async fn second_installation_at_once_is_refused() {
        let (_from, to, source) = folders("a model");
        let _held = lock(to.path()).unwrap();
        let refused = install_list(&list("a model"), &source, to.path()).await.unwrap_err();
        let reason = std::error::Error::source(&refused).unwrap().to_string();
        assert_eq!(reason, "another installation is running");
    }

    #[test]
    fn damaged_file_is_told_apart_from_a_missing_one() {
        let (from, to, _) = folders("b model");
        let [pinned] = &list("a model")[0].files[..] else { panic!("one file") };
        let path = "ocr/a/detection/model.onnx";
        assert_eq!(look(to.path(), path, pinned), Verdict::Missing);
        assert!(matches!(look(from.path(), path, pinned), Verdict::Wrong(_)));
    }
}
