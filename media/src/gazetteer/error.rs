//! What goes wrong with the file of places.

use std::path::PathBuf;

/// Why places cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum GazetteerError {
    /// A file cannot be read or written.
    #[error("failed to read or write {path}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path} is damaged or of another version: {what}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A source is not in the shape that is expected.
    #[error("{path}, line {line}: {what}")]
    Source {
        /// Which file.
        path: PathBuf,
        /// Which line or record, from 1.
        line: usize,
        /// What is wrong there.
        what: &'static str,
    },
}
