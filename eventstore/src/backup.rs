//! What copies of the log are made of: rows byte for byte as PostgreSQL's binary copy sends them, and attachments
//! that are sealed by the keys of their subjects.
//!
//! Files, compression and digests are the business of who keeps them.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use crate::postgres::backup::{
    Loaded, LogIs, begin_moment, copy_in, copy_out, finish_load, is_empty, log_is, read_log,
    require_opens, write_log,
};

/// Most frames that wait between who reads them and who writes them; one has about 64 KiB, or one row.
pub const FRAMES_WAITING_MAX: usize = 32;

/// Which rows follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name with its schema.
    pub name: String,
    /// The columns of each row, in order.
    pub columns: Vec<String>,
}

impl Table {
    /// A table with some of its columns.
    #[must_use]
    pub fn new(name: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Self { name: name.to_owned(), columns }
    }

    /// Whether its words can stand in a statement: it may have been read from a file that somebody changed.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let is_plain = |word: &str| {
            let is_letter = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_';
            !word.is_empty() && word.bytes().all(is_letter)
        };
        let (schema, name) = self.name.split_once('.').unwrap_or_default();
        is_plain(schema)
            && is_plain(name)
            && !self.columns.is_empty()
            && self.columns.iter().all(|column| is_plain(column))
    }
}

/// A piece of a copy.
#[derive(Clone, Debug)]
pub enum Frame {
    /// Rows of this table follow.
    Table(Table),
    /// A piece of a binary copy; all pieces up to the next table are one copy.
    Rows(Bytes),
    /// One attachment, sealed.
    Attachment(Bytes),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_words_stand_in_statements() {
        assert!(Table::new("work.sync_acks", &["session_id", "type"]).is_plain());
        for (name, column) in [
            ("work.sync_acks; drop table x", "a"),
            ("sync_acks", "a"),
            ("work.", "a"),
            ("work.a.b", "a"),
            ("work.a", ""),
            ("work.a", "a) from stdin; --"),
            ("work.a", "A"),
        ] {
            assert!(!Table::new(name, &[column]).is_plain(), "{name} {column}");
        }
        assert!(!Table::new("work.a", &[]).is_plain());
    }
}
