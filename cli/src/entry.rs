//! One photo or film that is to be imported, with what belongs to it.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::digest::Digests;

/// A file on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileOnDisk {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// Its length in bytes when it was found.
    pub(crate) size_bytes: u64,
    /// When it was written last.
    pub(crate) modified: DateTime<Utc>,
    /// As the server spells it.
    pub(crate) extension: &'static str,
}

impl FileOnDisk {
    /// Its name; bytes that are no UTF-8 are told as replacement characters, and control characters as spaces.
    pub(crate) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        name.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
    }
}

/// A photo or film.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) file: FileOnDisk,
    /// An XMP file beside it.
    pub(crate) sidecar: Option<PathBuf>,
    /// The film that makes it a live photo.
    pub(crate) film: Option<FileOnDisk>,
    /// Names of albums, each once.
    pub(crate) albums: Vec<String>,
    /// Other places where the same bytes lie.
    pub(crate) copies: Vec<PathBuf>,
    /// Known where other files have the same length.
    pub(crate) digests: Option<Digests>,
}

impl Entry {
    /// Takes in an entry of the same bytes.
    pub(crate) fn absorb(&mut self, other: Self) {
        for album in other.albums {
            if !self.albums.contains(&album) {
                self.albums.push(album);
            }
        }
        self.copies.push(other.file.path);
        self.copies.extend(other.copies);
        self.sidecar = self.sidecar.take().or(other.sidecar);
        self.film = self.film.take().or(other.film);
    }
}

/// What is said of a file when it is committed. Where its bytes name no date, that of the file system counts.
pub(crate) fn said(file: &FileOnDisk, digests: &Digests) -> Value {
    let modified = file.modified.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    json!({
        "sha1": digests.sha1, "blake3": digests.blake3, "fileName": file.name(),
        "fileCreatedAt": modified, "fileModifiedAt": modified,
    })
}
