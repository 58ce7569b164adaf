//! One thing a check found wrong, printed the way compilers do, so that editors can jump to it.

use std::fmt;

/// A place and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Path from the workspace root, or the name of what was looked at.
    pub(crate) path: String,
    /// From 1; `None` when the whole file is meant.
    pub(crate) line: Option<usize>,
    /// Says what to do about it.
    pub(crate) message: String,
}

impl Finding {
    /// A finding about a whole file.
    pub(crate) fn of_file(path: &str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, message: message.into() }
    }

    /// A finding about one line, counted from 1.
    pub(crate) fn at_line(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: Some(line), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "{}:{line}: {}", self.path, self.message),
            None => write!(formatter, "{}: {}", self.path, self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_path_line_and_message() {
        let finding = Finding::at_line("domain/src/id.rs", 7, "too long");
        assert_eq!(finding.to_string(), "domain/src/id.rs:7: too long");
        assert_eq!(Finding::of_file("LICENSE", "empty").to_string(), "LICENSE: empty");
    }
}
