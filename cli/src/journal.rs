//! What an interrupted import needs to go on: the name under which its batch was opened, and the digests of files that
//! were read. What was imported stands in the batch on the server; this file is only a help.

use std::collections::HashMap;
use std::fs::{File as OpenFile, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::args::ImportArgs;
use crate::digest::Digests;
use crate::entry::File;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    /// The `Idempotency-Key` of the batch.
    batch: Uuid,
}

/// A file that was read.
#[derive(Serialize, Deserialize)]
struct Line {
    /// BLAKE3 of what tells it from other files.
    path: String,
    size_bytes: Option<u64>,
    modified_ns: i64,
    digests: Digests,
}

/// A journal on disk.
pub(crate) struct Journal {
    path: PathBuf,
    batch: Uuid,
    known: HashMap<String, Line>,
    file: Mutex<OpenFile>,
}

impl Journal {
    /// Opens the journal of an import, or begins one.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub(crate) fn open(path: PathBuf) -> anyhow::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("failed to make the folder {}", folder.display()))?;
        }
        let told = || format!("failed to open the journal {}", path.display());
        let text = match std::fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(told),
        };
        let mut lines = text.lines();
        let head = lines.next().and_then(|line| serde_json::from_str::<Head>(line).ok());
        // The last line may have been cut off.
        let known = lines.filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let known = known.map(|line| (line.path.clone(), line)).collect();
        let mut file =
            OpenOptions::new().create(true).append(true).open(&path).with_context(told)?;
        let batch = match head {
            Some(head) => {
                // What follows a line that was cut off begins on its own.
                file.write_all(b"\n").with_context(told)?;
                head.batch
            }
            None => {
                let batch = begin(&mut file).with_context(told)?;
                file.sync_all().with_context(told)?;
                batch
            }
        };
        Ok(Self { path, batch, known, file: Mutex::new(file) })
    }

    /// The name under which the batch is opened.
    pub(crate) const fn batch(&self) -> Uuid {
        self.batch
    }

    /// The digests of a file that has not changed since it was read.
    pub(crate) fn digests(&self, file: &File) -> Option<Digests> {
        let line = self.known.get(&name(file))?;
        let is_same = line.size_bytes == file.size_bytes && line.modified_ns == modified_ns(file);
        is_same.then(|| line.digests.clone())
    }

    /// Keeps the digests of a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn keep(&self, file: &File, digests: &Digests) -> anyhow::Result<()> {
        let line = Line {
            path: name(file),
            size_bytes: file.size_bytes,
            modified_ns: modified_ns(file),
            digests: digests.clone(),
        };
        let mut text = serde_json::to_string(&line)?;
        text.push('\n');
        let mut journal = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        journal.write_all(text.as_bytes()).context("failed to write the journal")
    }

    /// Forgets it: the import is whole.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(crate) fn remove(self) -> anyhow::Result<()> {
        std::fs::remove_file(&self.path).context("failed to remove the journal")
    }
}

#[expect(clippy::disallowed_methods, reason = "the importer draws a name of its own for its batch")]
fn begin(file: &mut OpenFile) -> anyhow::Result<Uuid> {
    let batch = Uuid::new_v4();
    file.write_all(format!("{}\n", serde_json::to_string(&Head { batch })?).as_bytes())?;
    Ok(batch)
}

/// Where the journal of an import lies when nobody says so: the same command finds it again.
///
/// # Errors
/// When there is no home folder, or a path does not exist.
pub(crate) fn default_path(args: &ImportArgs) -> anyhow::Result<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").filter(|folder| !folder.is_empty());
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state"));
    let state = state.map(PathBuf::from).or_else(home);
    let state = state.context("there is no home folder: say --journal FILE")?;
    let mut name = blake3::Hasher::new();
    name.update(args.server.server.trim_end_matches('/').as_bytes());
    // Another person's import is another one, and a key is not written down.
    name.update(blake3::hash(args.server.api_key.as_bytes()).as_bytes());
    for path in &args.paths {
        let path =
            path.canonicalize().with_context(|| format!("failed to find {}", path.display()))?;
        name.update(b"\0").update(path.as_os_str().as_encoded_bytes());
    }
    Ok(state.join(format!("calotype/imports/{}.jsonl", name.finalize().to_hex())))
}

fn name(file: &File) -> String {
    blake3::hash(&file.content.identity()).to_hex().to_string()
}

fn modified_ns(file: &File) -> i64 {
    file.modified.timestamp_nanos_opt().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use chrono::DateTime;

    use super::*;
    use crate::content::Content;

    #[test]
    fn journal_that_was_cut_off_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/journal.jsonl");
        let file = |name: &str, size_bytes| File {
            path: Path::new(name).into(),
            title: None,
            content: Content::disk(Path::new(name)),
            size_bytes: Some(size_bytes),
            modified: DateTime::UNIX_EPOCH,
            extension: "jpg",
            digests: None,
        };
        let digests = |it: &str| Digests { sha1: it.into(), blake3: it.into(), size_bytes: 1 };
        let first = Journal::open(path.clone()).unwrap();
        first.keep(&file("a", 1), &digests("one")).unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"pa").unwrap();
        let again = Journal::open(path.clone()).unwrap();
        assert_eq!(again.batch(), first.batch());
        assert_eq!(again.digests(&file("a", 1)), Some(digests("one")));
        assert_eq!(again.digests(&file("a", 2)), None);
        again.keep(&file("b", 1), &digests("two")).unwrap();
        let third = Journal::open(path.clone()).unwrap();
        assert_eq!(third.digests(&file("b", 1)), Some(digests("two")));
        third.remove().unwrap();
        assert!(!path.exists());
    }
}
