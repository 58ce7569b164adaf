//! What an interrupted import needs to go on: the name under which its batch was opened, and the digests of files that
//! were read. What was imported stands in the batch on the server; this file is only a help.

use std::collections::HashMap;
use std::fs::{File as OpenFile, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::args::ImportArgs;
use crate::digest::{Digests, Packed, bytes_of, hex};
use crate::entry::File;

/// A line that begins an import: what stands after it in the file is read by this import or a later one.
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

/// How far a file is on a server without batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Step {
    /// It is about to be sent: whatever the server has of it afterwards is of this import.
    Begun,
    /// All that is to be said of it was said.
    Done,
}

/// That a file came so far.
#[derive(Serialize, Deserialize)]
struct StepLine {
    sha1: String,
    step: Step,
}

/// The same in memory, where there are hundreds of thousands.
struct Known {
    size_bytes: Option<u64>,
    modified_ns: i64,
    /// With its length as it was read.
    digests: Packed,
}

/// Lines that say nothing new, as many times those that do, until the file is written anew.
const STALE_TIMES_MAX: usize = 2;
/// Lines that a file may have in any case.
const LINES_MIN: usize = 10_000;

/// A journal on disk.
pub(crate) struct Journal {
    batch: Uuid,
    known: HashMap<[u8; 32], Known>,
    steps: HashMap<String, Step>,
    file: Mutex<OpenFile>,
}

impl Journal {
    /// Opens the journal of an import, or begins one.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("failed to make the folder {}", folder.display()))?;
        }
        let told = || format!("failed to open the journal {}", path.display());
        let (mut batch, mut known, mut steps, mut lines) =
            (None, HashMap::new(), HashMap::new(), 0);
        match OpenFile::open(path) {
            Ok(file) => {
                for line in BufReader::new(file).split(b'\n') {
                    let line = line.with_context(told)?;
                    lines += 1;
                    // A line may have been cut off.
                    if let Some((path, read)) = Known::parse(&line) {
                        known.insert(path, read);
                    } else if let Ok(StepLine { sha1, step }) = serde_json::from_slice(&line) {
                        steps.insert(sha1, step);
                    } else if let Ok(head) = serde_json::from_slice::<Head>(&line) {
                        batch = Some(head.batch);
                        // How far files were says nothing of another import.
                        steps.clear();
                    }
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(told),
        }
        if lines > LINES_MIN && lines / STALE_TIMES_MAX > known.len() + steps.len() {
            write_anew(path, batch, &known, &steps).with_context(told)?;
        }
        let mut file =
            OpenOptions::new().create(true).append(true).open(path).with_context(told)?;
        let batch = if let Some(batch) = batch {
            // What follows a line that was cut off begins on its own.
            file.write_all(b"\n").with_context(told)?;
            batch
        } else {
            let batch = begin(&mut file).with_context(told)?;
            file.sync_all().with_context(told)?;
            batch
        };
        Ok(Self { batch, known, steps, file: Mutex::new(file) })
    }

    /// The name under which the batch is opened.
    pub(crate) const fn batch(&self) -> Uuid {
        self.batch
    }

    /// Whether no earlier import has left anything in it.
    pub(crate) fn is_new(&self) -> bool {
        self.known.is_empty()
    }

    /// The digests of a file that has not changed since it was read.
    pub(crate) fn digests(&self, file: &File) -> Option<Digests> {
        let read = self.known.get(name(file).as_bytes())?;
        let is_same = read.size_bytes == file.size_bytes && read.modified_ns == modified_ns(file);
        is_same.then(|| read.digests.digests())
    }

    /// Keeps the digests of a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn keep(&self, file: &File, digests: &Digests) -> anyhow::Result<()> {
        let line = Line {
            path: name(file).to_hex().to_string(),
            size_bytes: file.size_bytes,
            modified_ns: modified_ns(file),
            digests: digests.clone(),
        };
        self.write(&line)
    }

    /// How far a file was when the import was stopped.
    pub(crate) fn step(&self, sha1: &str) -> Option<Step> {
        self.steps.get(sha1).copied()
    }

    /// Takes note of how far a file is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn reached(&self, sha1: &str, step: Step) -> anyhow::Result<()> {
        self.write(&StepLine { sha1: sha1.to_owned(), step })
    }

    fn write(&self, line: &impl Serialize) -> anyhow::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        let mut journal = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        journal.write_all(text.as_bytes()).context("failed to write the journal")
    }

    /// Ends an import that is whole: the next one has a batch of its own, and need not read again what has not
    /// changed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn close(self) -> anyhow::Result<()> {
        let mut file = self.file.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        begin(&mut file).map(drop).context("failed to end the journal")
    }
}

impl Known {
    fn parse(line: &[u8]) -> Option<([u8; 32], Self)> {
        let Line { path, size_bytes, modified_ns, digests } = serde_json::from_slice(line).ok()?;
        let read = Self { size_bytes, modified_ns, digests: Packed::of(&digests)? };
        Some((bytes_of(&path)?, read))
    }
}

/// Writes only what still says something, and lets it take the place of the journal when it is whole.
fn write_anew(
    path: &Path,
    batch: Option<Uuid>,
    known: &HashMap<[u8; 32], Known>,
    steps: &HashMap<String, Step>,
) -> anyhow::Result<()> {
    let new = path.with_extension("new");
    let mut file = BufWriter::new(OpenFile::create(&new)?);
    if let Some(batch) = batch {
        writeln!(file, "{}", serde_json::to_string(&Head { batch })?)?;
    }
    for (path, read) in known {
        let (size_bytes, modified_ns) = (read.size_bytes, read.modified_ns);
        let line =
            Line { path: hex(path), size_bytes, modified_ns, digests: read.digests.digests() };
        writeln!(file, "{}", serde_json::to_string(&line)?)?;
    }
    for (sha1, step) in steps {
        let line = StepLine { sha1: sha1.clone(), step: *step };
        writeln!(file, "{}", serde_json::to_string(&line)?)?;
    }
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(std::fs::rename(&new, path)?)
}

#[expect(clippy::disallowed_methods, reason = "the importer draws a name of its own for its batch")]
fn begin(file: &mut OpenFile) -> anyhow::Result<Uuid> {
    let batch = Uuid::new_v4();
    // A line that was cut off before it is no part of it.
    file.write_all(format!("\n{}\n", serde_json::to_string(&Head { batch })?).as_bytes())?;
    Ok(batch)
}

/// Where the journal of an import lies when nobody says so: the same command finds it again.
///
/// # Errors
/// When there is no home folder, or a path does not exist.
pub(crate) fn default_path(args: &ImportArgs, user_id: Option<&str>) -> anyhow::Result<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").filter(|folder| !folder.is_empty());
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state"));
    let state = state.map(PathBuf::from).or_else(home);
    let state = state.context("there is no home folder: say --journal FILE")?;
    let mut name = blake3::Hasher::new();
    if let Some(whose) = &args.local.whose {
        name.update(whose.as_bytes());
    } else {
        name.update(args.server.server.trim_end_matches('/').as_bytes());
        // Another person's import is another one, and a key is not written down.
        let whose = user_id.unwrap_or(&args.server.api_key);
        name.update(blake3::hash(whose.as_bytes()).as_bytes());
    }
    if let Some(from) = &args.from_server {
        name.update(b"\0").update(from.trim_end_matches('/').as_bytes());
        name.update(
            blake3::hash(args.from_key.as_deref().unwrap_or_default().as_bytes()).as_bytes(),
        );
    }
    for path in &args.paths {
        let path =
            path.canonicalize().with_context(|| format!("failed to find {}", path.display()))?;
        name.update(b"\0").update(path.as_os_str().as_encoded_bytes());
    }
    Ok(state.join(format!("calotype/imports/{}.jsonl", name.finalize().to_hex())))
}

fn name(file: &File) -> blake3::Hash {
    blake3::hash(&file.content.identity())
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
        let digests =
            |it: u8| Digests { sha1: hex(&[it; 20]), blake3: hex(&[it; 32]), size_bytes: 1 };
        let first = Journal::open(&path).unwrap();
        first.keep(&file("a", 1), &digests(1)).unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"pa").unwrap();
        let again = Journal::open(&path).unwrap();
        assert_eq!(again.batch(), first.batch());
        assert_eq!(again.digests(&file("a", 1)), Some(digests(1)));
        assert_eq!(again.digests(&file("a", 2)), None);
        again.keep(&file("b", 1), &digests(2)).unwrap();
        again.keep(&file("c", 1), &Digests { blake3: String::new(), ..digests(3) }).unwrap();
        let steps = [hex(&[1; 20]), hex(&[2; 20])];
        again.reached(&steps[0], Step::Begun).unwrap();
        again.reached(&steps[1], Step::Begun).unwrap();
        again.reached(&steps[1], Step::Done).unwrap();
        let third = Journal::open(&path).unwrap();
        assert_eq!(third.step(&steps[0]), Some(Step::Begun));
        assert_eq!(third.step(&steps[1]), Some(Step::Done));
        assert_eq!(third.digests(&file("b", 1)), Some(digests(2)));
        assert_eq!(third.digests(&file("c", 1)).unwrap().blake3, "");
        third.close().unwrap();
        let next = Journal::open(&path).unwrap();
        assert_ne!(next.batch(), first.batch(), "an import that is whole is not gone on with");
        assert_eq!(next.step(&steps[0]), None, "nor is what it had begun");
        assert_eq!(next.digests(&file("a", 1)), Some(digests(1)));
        next.reached(&steps[1], Step::Begun).unwrap();
        let next = Journal::open(&path).unwrap();
        write_anew(&path, Some(next.batch()), &next.known, &next.steps).unwrap();
        let short = Journal::open(&path).unwrap();
        assert_eq!(short.batch(), next.batch());
        assert_eq!(short.step(&steps[1]), Some(Step::Begun));
        assert_eq!(short.digests(&file("b", 1)), Some(digests(2)));
        assert_eq!(std::fs::read_to_string(&path).unwrap().trim_end().lines().count(), 5);
    }
}
