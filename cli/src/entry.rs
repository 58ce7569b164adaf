//! One photo or film that is to be imported, with what belongs to it.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::content::Content;
use crate::digest::{Digests, Packed};
use crate::file_date;
use crate::notes::Notes;

/// A file, wherever it lies.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Where it lies, as it is told to people: inside an archive, the archive's path and the place in it.
    pub(crate) path: Arc<Path>,
    /// Its name, where it is another than the last part of the path.
    pub(crate) title: Option<Box<str>>,
    /// Its bytes.
    pub(crate) content: Content,
    /// Its length in bytes when it was found, where that is told.
    pub(crate) size_bytes: Option<u64>,
    /// When it was written last.
    pub(crate) modified: DateTime<Utc>,
    /// As the server spells it.
    pub(crate) extension: &'static str,
    /// Known where it has been read.
    pub(crate) digests: Option<Box<Packed>>,
}

impl File {
    /// Its name; bytes that are no UTF-8 are told as replacement characters, and control characters as spaces.
    pub(crate) fn name(&self) -> String {
        let of_path = || self.path.file_name().unwrap_or_default().to_string_lossy();
        let name = self.title.as_deref().map_or_else(of_path, Into::into);
        name.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
    }
}

/// An album that files go into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Album {
    /// What tells it from others.
    pub(crate) name: String,
    /// Said of one that is made.
    pub(crate) description: Option<String>,
}

/// A photo or film. There are hundreds of thousands at once, so what is large or seldom there is kept apart.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) file: Box<File>,
    /// An XMP file beside it.
    pub(crate) sidecar: Option<Box<Content>>,
    /// The film that makes it a live photo.
    pub(crate) film: Option<Box<File>>,
    /// Each once.
    pub(crate) albums: Vec<Arc<Album>>,
    /// What the source says of it.
    pub(crate) notes: Option<Box<Notes>>,
    /// In which points sources disagree.
    pub(crate) conflicts: Vec<String>,
    /// Other places where the same bytes lie.
    pub(crate) copies: Vec<Arc<Path>>,
}

impl Entry {
    /// A file of which nothing further is known.
    pub(crate) fn new(file: File) -> Self {
        Self {
            file: Box::new(file),
            sidecar: None,
            film: None,
            albums: Vec::new(),
            notes: None,
            conflicts: Vec::new(),
            copies: Vec::new(),
        }
    }

    /// Puts it into an album, once.
    pub(crate) fn join(&mut self, album: Arc<Album>) {
        if !self.albums.iter().any(|it| it.name == album.name) {
            self.albums.push(album);
        }
    }

    /// Takes in an entry of the same bytes.
    pub(crate) fn absorb(&mut self, other: Self) {
        for album in other.albums {
            self.join(album);
        }
        match (&mut self.notes, other.notes) {
            (Some(mine), Some(notes)) => {
                let points = mine.fill(*notes);
                let told =
                    |point: &&str| format!("{} says another {point}", other.file.path.display());
                self.conflicts.extend(points.iter().map(told));
            }
            (mine, notes) => *mine = mine.take().or(notes),
        }
        self.conflicts.extend(other.conflicts);
        self.copies.push(other.file.path);
        self.copies.extend(other.copies);
        self.sidecar = self.sidecar.take().or(other.sidecar);
        self.film = self.film.take().or(other.film);
    }
}

/// What is said of a file when it is committed. Where its bytes name no date, that of the notes, of its name or of the
/// file system counts.
pub(crate) fn said(file: &File, digests: &Digests, notes: Option<&Notes>) -> Value {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let (created, _) = file_date::of_file(file, notes);
    let mut said = json!({
        "fileName": file.name(), "fileCreatedAt": time(created),
        "fileModifiedAt": time(file.modified),
    });
    digests.put_into(&mut said);
    if let Some(notes) = notes {
        notes.put_into(&mut said);
    }
    said
}
