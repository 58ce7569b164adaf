//! What became of each file, as JSON lines in a file of the user's choice.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use serde_json::json;

use crate::entry::Entry;
use crate::progress::{Became, Progress};

/// Problems that the summary shows; the report has all.
const SHOWN_MAX: usize = 20;

/// Counts, and writes down where that is wished for.
pub(crate) struct Report {
    pub(crate) progress: Progress,
    file: Option<Mutex<BufWriter<File>>>,
    problems: Mutex<Vec<String>>,
}

impl Report {
    /// Opens the file, if one is wished for.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn open(progress: Progress, path: Option<&Path>) -> anyhow::Result<Self> {
        let open = |path: &Path| {
            File::create(path).with_context(|| format!("failed to write {}", path.display()))
        };
        let file = path.map(open).transpose()?.map(|file| Mutex::new(BufWriter::new(file)));
        Ok(Self { progress, file, problems: Mutex::default() })
    }

    /// Tells what became of a path.
    pub(crate) fn tell(&self, path: &Path, became: Became, why: Option<&str>) {
        if became == Became::Failed {
            let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
            if problems.len() < SHOWN_MAX {
                problems.push(format!("{}: {}", path.display(), why.unwrap_or("failed")));
            }
        }
        if let Some(file) = &self.file {
            let line =
                json!({ "path": path.to_string_lossy(), "status": became.as_str(), "why": why });
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            // A full disk is told at the end.
            drop(writeln!(file, "{line}"));
        }
    }

    /// Tells what became of an entry, its film and its copies.
    pub(crate) fn entry(&self, entry: &Entry, became: Became, why: Option<&str>) {
        let size_bytes = entry.file.size_bytes.unwrap_or_default();
        self.progress.count(became, size_bytes);
        self.tell(&entry.file.path, became, why);
        if let Some(film) = &entry.film {
            self.progress.count(became, film.size_bytes.unwrap_or_default());
            self.tell(&film.path, became, why);
        }
        let copies = if became == Became::Created { Became::Duplicate } else { became };
        for copy in &entry.copies {
            self.progress.count(copies, size_bytes);
            self.tell(copy, copies, why);
        }
    }

    /// The first problems, for the summary.
    pub(crate) fn problems(&self) -> Vec<String> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn finish(&self) -> anyhow::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.flush().context("failed to write the report")
    }
}
