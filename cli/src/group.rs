//! Imports a few files together: asks which are missing, sends those, commits them in one request.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::args::ImportArgs;
use crate::content::Content;
use crate::digest::{self, Digests};
use crate::entry::{Album, Entry, File, said};
use crate::journal::Journal;
use crate::local::Library;
use crate::progress::Became;
use crate::reader;
use crate::report::Report;
use crate::server::{Server, Trouble};

/// Files of one request.
pub(crate) const FILES_MAX: usize = 100;
/// The same where they are not sent.
pub(crate) const FILES_HERE_MAX: usize = 250;
/// The largest sidecar that is sent, in bytes.
const SIDECAR_BYTES_MAX: usize = 1024 * 1024;

/// Where a file goes.
pub(crate) struct Work {
    pub(crate) server: Server,
    pub(crate) batch_id: Uuid,
    pub(crate) journal: Journal,
    pub(crate) report: Report,
    pub(crate) args: ImportArgs,
    /// Albums that were there, by name.
    pub(crate) albums: HashMap<String, String>,
    /// The server's own folder, where it lies on this machine.
    pub(crate) library: Option<Library>,
    /// Whether something on the way takes no files together.
    pub(crate) sends_alone: AtomicBool,
}

/// An entry whose bytes were read.
pub(crate) struct Read {
    pub(crate) entry: Entry,
    pub(crate) digests: Digests,
    film: Option<Digests>,
    sidecar: Option<String>,
}

impl Work {
    /// Imports a group; what fails in it is told and left.
    ///
    /// # Errors
    /// Only where nothing further can be done.
    pub(crate) async fn group(self: Arc<Self>, entries: Vec<Entry>) -> anyhow::Result<()> {
        let mut read = Vec::with_capacity(entries.len());
        for entry in entries {
            self.report.progress.at(&entry.file.name());
            match self.read(entry.clone()).await {
                Ok(one) => read.push(one),
                Err(error) => {
                    self.report.entry(&entry, Became::Failed, Some(&format!("{error:#}")));
                }
            }
        }
        let (mut status, keys) = self.check(&read).await.map_err(Trouble::into_error)?;
        let mut refused = self.place(&read, &mut status, &keys).await?;
        self.send_together(&read, &mut status).await?;
        let to_send = read
            .iter()
            .filter(|one| one.files().any(|(_, digests)| status_of(&status, digests) == "missing"));
        let at_once = usize::from(self.args.at_once);
        let sent: Vec<(String, Option<String>)> = futures::stream::iter(to_send)
            .map(|one| self.send(one, &status))
            .buffer_unordered(at_once)
            .try_collect()
            .await?;
        refused.extend(sent.into_iter().filter_map(|(sha1, refusal)| Some((sha1, refusal?))));
        let mut left = Vec::with_capacity(read.len());
        for one in read {
            match (refused.remove(&one.digests.sha1), status_of(&status, &one.digests)) {
                (Some(why), _) => self.report.entry(&one.entry, Became::Failed, Some(&why)),
                (None, "damaged") => {
                    let why = "the server has lost or damaged this file: upload it once more by \
                               hand, which mends it";
                    self.report.entry(&one.entry, Became::Failed, Some(why));
                }
                // What was moved may still lie where it came from.
                (None, "committed") if !self.library.as_ref().is_some_and(Library::takes) => {
                    self.report.entry(&one.entry, Became::Created, None)
                }
                (None, "duplicate")
                    if one.entry.albums.is_empty()
                        && self.tags_of(&one.entry).is_empty()
                        && film_is_there(&one, &status) =>
                {
                    self.report.entry(&one.entry, Became::Duplicate, None);
                }
                (None, _) => left.push(one),
            }
        }
        self.commit(left).await
    }

    async fn read(&self, entry: Entry) -> anyhow::Result<Read> {
        let digests = self.digests(&entry.file).await?;
        let film = match &entry.film {
            Some(film) => Some(self.digests(film).await?),
            None => None,
        };
        let sidecar = match &entry.sidecar {
            Some(content) => Some(sidecar(content).await?),
            None => None,
        };
        Ok(Read { entry, digests, film, sidecar })
    }

    /// The digests of a file, from the journal where it has not changed.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn digests(&self, file: &File) -> anyhow::Result<Digests> {
        if let Some(known) = file.digests.clone().or_else(|| self.journal.digests(file)) {
            return Ok(known);
        }
        let digests = digest::of_content(file.content.clone()).await?;
        self.journal.keep(file, &digests)?;
        Ok(digests)
    }

    /// What the server says of each file, by SHA-1; and where those belong that it does not have.
    async fn check(
        &self,
        read: &[Read],
    ) -> Result<(HashMap<String, String>, HashMap<String, String>), Trouble> {
        let files: Vec<Value> = read
            .iter()
            .flat_map(Read::files)
            .map(|(file, digests)| {
                json!({
                    "sha1": digests.sha1, "blake3": digests.blake3, "extension": file.extension
                })
            })
            .collect();
        let path = format!("/calotype/batches/{}/check", self.batch_id);
        let question = json!({ "files": files, "withKeys": self.library.is_some() });
        let answer = self.server.post(&path, &question).await?;
        let told = |name: &str| {
            let files = answer["files"].as_array().into_iter().flatten();
            let pair = |file: &Value| {
                Some((file["sha1"].as_str()?.to_owned(), file[name].as_str()?.to_owned()))
            };
            files.filter_map(pair).collect()
        };
        Ok((told("status"), told("key")))
    }

    /// Sends what of an entry is missing; says its SHA-1, and why it was refused if it was.
    async fn send(
        &self,
        one: &Read,
        status: &HashMap<String, String>,
    ) -> anyhow::Result<(String, Option<String>)> {
        for (file, digests) in one.files() {
            if status_of(status, digests) != "missing" {
                continue;
            }
            self.report.progress.at(&file.name());
            let path = format!(
                "/calotype/batches/{}/files/{}?blake3={}&extension={}",
                self.batch_id, digests.sha1, digests.blake3, file.extension
            );
            let sent = self.server.put_file(&path, &file.content, digests.size_bytes).await;
            match sent {
                Ok(()) => {}
                Err(Trouble::Fatal(error)) => return Err(error),
                Err(trouble) => {
                    let why = format!("{:#}", trouble.into_error());
                    return Ok((one.digests.sha1.clone(), Some(why)));
                }
            }
        }
        Ok((one.digests.sha1.clone(), None))
    }

    /// Commits, in halves where one request is too large or refused as a whole: one file ends no other's import.
    async fn commit(&self, read: Vec<Read>) -> anyhow::Result<()> {
        let mut waiting = vec![read];
        while let Some(mut some) = waiting.pop() {
            if some.is_empty() {
                continue;
            }
            let path = format!("/calotype/batches/{}/commit", self.batch_id);
            match self.server.post(&path, &self.wish(&some)).await {
                Ok(answer) => self.tell(&some, &answer).await,
                Err(Trouble::Fatal(error)) => return Err(error),
                Err(trouble) if some.len() == 1 => {
                    let why = format!("{:#}", trouble.into_error());
                    for one in &some {
                        self.report.entry(&one.entry, Became::Failed, Some(&why));
                    }
                }
                Err(_) => {
                    let half = some.split_off(some.len() / 2);
                    waiting.push(half);
                    waiting.push(some);
                }
            }
        }
        Ok(())
    }

    fn wish(&self, read: &[Read]) -> Value {
        let mut files = Vec::with_capacity(read.len());
        let mut new: Vec<&Album> = Vec::new();
        for one in read {
            let notes = one.entry.notes.as_deref();
            let mut still = said(&one.entry.file, &one.digests, notes);
            if let Some(sidecar) = &one.sidecar {
                still["sidecar"] = json!(sidecar);
            }
            let mut ids = Vec::new();
            let mut keys = Vec::new();
            for album in &one.entry.albums {
                if let Some(id) = self.albums.get(&album.name) {
                    ids.push(id);
                    continue;
                }
                keys.push(album_key(&album.name));
                match new.iter_mut().find(|it| it.name == album.name) {
                    Some(known) if known.description.is_none() => *known = album,
                    Some(_) => {}
                    None => new.push(album),
                }
            }
            if !ids.is_empty() {
                still["albumIds"] = json!(ids);
            }
            if !keys.is_empty() {
                still["albumKeys"] = json!(keys);
            }
            let tags = self.tags_of(&one.entry);
            if !tags.is_empty() {
                still["tags"] = json!(tags);
            }
            if let (Some(film), Some(digests)) = (&one.entry.film, &one.film) {
                still["filmSha1"] = json!(digests.sha1);
                files.push(said(film, digests, None));
            }
            files.push(still);
        }
        let albums: Vec<Value> = new
            .into_iter()
            .map(|album| {
                let mut told = json!({ "key": album_key(&album.name), "albumName": album.name });
                if let Some(description) = &album.description {
                    told["description"] = json!(description);
                }
                told
            })
            .collect();
        json!({ "albums": albums, "files": files })
    }

    /// The tags of the command line and those of the source, each once.
    pub(crate) fn tags_of<'a>(&'a self, entry: &'a Entry) -> Vec<&'a String> {
        let mut tags: Vec<&String> = Vec::new();
        let of_source = entry.notes.iter().flat_map(|notes| &notes.tags);
        for tag in self.args.tags.iter().chain(of_source) {
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        tags
    }

    async fn tell(&self, read: &[Read], answer: &Value) {
        let told = answer["files"].as_array().into_iter().flatten();
        let status: HashMap<&str, &str> = told
            .filter_map(|file| Some((file["sha1"].as_str()?, file["status"].as_str()?)))
            .collect();
        let mut created = Vec::new();
        for one in read {
            match status.get(one.digests.sha1.as_str()).copied() {
                Some("created") => {
                    self.report.entry(&one.entry, Became::Created, None);
                    created.extend(one.files().map(|(file, _)| file.clone()));
                }
                Some("duplicate") => self.report.entry(&one.entry, Became::Duplicate, None),
                _ => {
                    let why = self.library.as_ref().map_or_else(
                        || "the server did not keep it: import once more".to_owned(),
                        |library| {
                            let folder = library.folder().display();
                            format!("the server did not find it: is {folder} its data folder?")
                        },
                    );
                    self.report.entry(&one.entry, Became::Failed, Some(&why));
                }
            }
        }
        if let Some(library) = self.library.as_ref().filter(|library| library.takes()) {
            library.remove_sources(created).await;
        }
    }
}

impl Read {
    /// The film first: the still names it.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&File, &Digests)> {
        let film = self.entry.film.as_ref().zip(self.film.as_ref());
        film.into_iter().chain(std::iter::once((&self.entry.file, &self.digests)))
    }
}

pub(crate) fn status_of<'a>(status: &'a HashMap<String, String>, digests: &Digests) -> &'a str {
    status.get(&digests.sha1).map_or("missing", String::as_str)
}

/// The key of an album in a batch; names may be long.
fn album_key(name: &str) -> String {
    blake3::hash(name.as_bytes()).to_hex().to_string()
}

/// The text of a sidecar, whatever it is encoded in: XMP files of some programs are UTF-16.
async fn sidecar(content: &Content) -> anyhow::Result<String> {
    let bytes = reader::whole(content, SIDECAR_BYTES_MAX).await;
    Ok(text(&bytes.context("failed to read its sidecar")?))
}

/// What bytes in UTF-8 or UTF-16 say.
pub(crate) fn text(bytes: &[u8]) -> String {
    let units = |to_unit: fn([u8; 2]) -> u16| -> String {
        let pairs = bytes.get(2..).unwrap_or_default().chunks_exact(2);
        let units = pairs.filter_map(|pair| Some(to_unit([*pair.first()?, *pair.get(1)?])));
        char::decode_utf16(units).map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xFF, 0xFE, ..] => units(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => units(u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).replace('\0', ""),
    }
}

fn film_is_there(one: &Read, status: &HashMap<String, String>) -> bool {
    one.film.as_ref().is_none_or(|film| status_of(status, film) == "duplicate")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sidecars_of_all_encodings_become_text() {
        assert_eq!(text("<é/>".as_bytes()), "<é/>");
        let units: Vec<u16> = "<é/>".encode_utf16().collect();
        let mut little = vec![0xFF, 0xFE];
        little.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        assert_eq!(text(&little), "<é/>");
        let mut big = vec![0xFE, 0xFF];
        big.extend(units.iter().flat_map(|unit| unit.to_be_bytes()));
        assert_eq!(text(&big), "<é/>");
    }
}
