//! How far an import is, for a person who watches it: one line that is written anew on a terminal, plain lines
//! elsewhere, JSON where that is wished for.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Between two writings on a terminal.
const ON_TERMINAL: Duration = Duration::from_millis(500);
/// Between two lines elsewhere.
const IN_LINES: Duration = Duration::from_secs(10);
/// Characters of a file's name that are shown.
const NAME_CHARS_MAX: usize = 40;

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Became {
    /// It is new.
    Created,
    /// Its bytes were there.
    Duplicate,
    /// It was not imported, though it might have been.
    Failed,
    /// It is nothing to import.
    PassedOver,
}

impl Became {
    /// The word in reports.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Duplicate => "duplicate",
            Self::Failed => "failed",
            Self::PassedOver => "passedOver",
        }
    }
}

/// Counts of one import.
pub(crate) struct Progress {
    total_files: u64,
    total_bytes: u64,
    created: AtomicU64,
    duplicates: AtomicU64,
    failed: AtomicU64,
    passed_over: AtomicU64,
    done_bytes: AtomicU64,
    current: Mutex<String>,
    begun: Instant,
    is_json: bool,
}

impl Progress {
    /// Nothing is done yet.
    pub(crate) fn new(total_files: u64, total_bytes: u64, is_json: bool) -> Self {
        Self {
            total_files,
            total_bytes,
            created: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            passed_over: AtomicU64::new(0),
            done_bytes: AtomicU64::new(0),
            current: Mutex::new(String::new()),
            begun: Instant::now(),
            is_json,
        }
    }

    /// Counts a file.
    pub(crate) fn count(&self, became: Became, size_bytes: u64) {
        let counter = match became {
            Became::Created => &self.created,
            Became::Duplicate => &self.duplicates,
            Became::Failed => &self.failed,
            Became::PassedOver => &self.passed_over,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.done_bytes.fetch_add(size_bytes, Ordering::Relaxed);
    }

    /// Names the file in hand.
    pub(crate) fn at(&self, name: &str) {
        let short = name.chars().take(NAME_CHARS_MAX).collect();
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = short;
    }

    /// Files that failed so far.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// The counts as JSON.
    pub(crate) fn counts(&self) -> Value {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        json!({
            "created": of(&self.created), "duplicates": of(&self.duplicates),
            "failed": of(&self.failed), "passedOver": of(&self.passed_over),
            "seconds": self.begun.elapsed().as_secs_f64(),
        })
    }

    fn done(&self) -> u64 {
        [&self.created, &self.duplicates, &self.failed]
            .into_iter()
            .map(|counter| counter.load(Ordering::Relaxed))
            .sum()
    }

    fn left(&self) -> Option<Duration> {
        let done = self.done_bytes.load(Ordering::Relaxed);
        let left = self.total_bytes.saturating_sub(done);
        let elapsed_ms = u64::try_from(self.begun.elapsed().as_millis()).ok()?;
        let ms = elapsed_ms.checked_mul(left)?.checked_div(done)?;
        Some(Duration::from_secs(ms / 1_000))
    }

    fn line(&self) -> String {
        let done = self.done();
        let rate =
            done * 1_000 / u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(1).max(1);
        let left = self.left().map_or_else(String::new, |left| {
            format!(", {}:{:02} left", left.as_secs() / 60, left.as_secs() % 60)
        });
        let failed = match self.failed() {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        format!("{done} of {} files, {rate}/s{left}{failed}  {current}", self.total_files)
    }

    /// Shows it now and then, until it is dropped.
    pub(crate) async fn show(&self) {
        let is_terminal = !self.is_json && std::io::stderr().is_terminal();
        loop {
            tokio::time::sleep(if is_terminal { ON_TERMINAL } else { IN_LINES }).await;
            if self.is_json {
                let mut told = self.counts();
                told["type"] = json!("progress");
                told["totalFiles"] = json!(self.total_files);
                say(&told.to_string());
            } else if is_terminal {
                // The line before is wiped out.
                complain_raw(&format!("\r\u{1b}[K{}", self.line()));
            } else {
                complain_raw(&format!("{}\n", self.line()));
            }
        }
    }

    /// Ends the line on a terminal.
    pub(crate) fn end(&self) {
        if !self.is_json && std::io::stderr().is_terminal() {
            complain_raw("\r\u{1b}[K");
        }
    }
}

/// A line on standard output.
#[expect(clippy::print_stdout, reason = "an operator's command answers on standard output")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// Text on standard error; whether anybody reads it makes no difference.
fn complain_raw(text: &str) {
    let mut out = std::io::stderr();
    drop(out.write_all(text.as_bytes()));
    drop(out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_of_files_and_bytes() {
        let progress = Progress::new(3, 30, false);
        progress.count(Became::Created, 10);
        progress.count(Became::Duplicate, 10);
        progress.count(Became::Failed, 0);
        progress.at("a.jpg");
        assert_eq!(progress.done(), 3);
        assert_eq!(progress.failed(), 1);
        assert_eq!(progress.counts()["created"], 1);
        assert!(progress.line().starts_with("3 of 3 files"), "{}", progress.line());
        assert!(progress.line().ends_with("1 failed  a.jpg"), "{}", progress.line());
    }
}
