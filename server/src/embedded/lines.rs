//! What a server prints: to the log at debug, and the last lines kept for error messages.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// How many lines are kept.
const LINES_MAX: usize = 20;
/// Longer lines are broken.
const LINE_BYTES_MAX: u64 = 2_000;

/// The last lines of one server.
#[derive(Clone, Debug, Default)]
pub(super) struct LastLines(Arc<Mutex<VecDeque<String>>>);

impl LastLines {
    /// Reads until the last process that holds the other end is gone.
    pub(super) fn read_all(&self, name: &'static str, source: impl Read) {
        let mut reader = BufReader::new(source);
        let mut line = Vec::new();
        loop {
            line.clear();
            match reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => self.push(name, String::from_utf8_lossy(&line).trim_end()),
            }
        }
    }

    /// The kept lines, oldest first.
    pub(super) fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn push(&self, name: &'static str, line: &str) {
        if line.is_empty() {
            return;
        }
        tracing::debug!(server = name, "{line}");
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept() {
        let lines = LastLines::default();
        let printed = (0..50).map(|i| format!("line {i}\n")).collect::<Vec<_>>().concat();

        lines.read_all("test", printed.as_bytes());

        assert!(lines.text().starts_with("line 30\n"));
        assert!(lines.text().ends_with("line 49"));
    }
}
