//! Imports a few files together: asks which are missing, sends those, commits them in one request.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};

use crate::args::ImportArgs;
use crate::content::Content;
use crate::digest::{self, Digests};
use crate::entry::{Album, Entry, File, said};
use crate::journal::Journal;
use crate::local::Library;
use crate::notes::StackPlace;
use crate::progress::Became;
use crate::report::Report;
use crate::server::{Server, Trouble};
use crate::sidecar;
use crate::target::{InBatch, Target, people_of};

/// Files of one request.
pub(crate) const FILES_MAX: usize = 100;
/// The same where they are not sent.
pub(crate) const FILES_HERE_MAX: usize = 250;
/// Files of one stack that come into one request though it is full: they are stacked together.
pub(crate) const STACKED_MAX: usize = 250;
/// Files that another server is asked about at once.
const ASKED_AT_ONCE: usize = 4;

/// Where a file goes.
pub(crate) struct Work {
    pub(crate) server: Server,
    pub(crate) target: Target,
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

/// An entry whose bytes were read, or told by another server.
pub(crate) struct Read {
    pub(crate) entry: Entry,
    pub(crate) digests: Digests,
    pub(crate) film: Option<Digests>,
    pub(crate) sidecar: Option<String>,
}

/// What became of sending an entry.
struct Sent {
    sha1: String,
    /// Why it was refused.
    refusal: Option<String>,
    /// BLAKE3 by SHA-1 of what nobody had read before.
    learned: Vec<(String, String)>,
}

impl Work {
    /// Imports a group; what fails in it is told and left.
    ///
    /// # Errors
    /// Only where nothing further can be done.
    pub(crate) async fn group(self: Arc<Self>, entries: Vec<Entry>) -> anyhow::Result<()> {
        let read = self.read_each(entries).await;
        match &self.target {
            Target::Batch(batch) => self.take_in(batch, read).await,
            Target::Plain(plain) => plain.take_in(&self, read).await,
        }
    }

    async fn read_each(&self, entries: Vec<Entry>) -> Vec<Read> {
        let reading = entries.into_iter().map(|entry| async move {
            self.report.progress.at(&entry.file.name());
            match self.read(entry.clone()).await {
                Ok(one) => Some(one),
                Err(error) => {
                    self.report.entry(&entry, Became::Failed, Some(&format!("{error:#}")));
                    None
                }
            }
        });
        let reading = futures::stream::iter(reading).buffered(ASKED_AT_ONCE);
        reading.filter_map(std::future::ready).collect().await
    }

    async fn take_in(&self, batch: &InBatch, read: Vec<Read>) -> anyhow::Result<()> {
        let (mut status, keys) = self.check(batch, &read).await.map_err(Trouble::into_error)?;
        let mut refused = self.place(&read, &mut status, &keys).await?;
        self.send_together(batch, &read, &mut status).await?;
        let to_send = read
            .iter()
            .filter(|one| one.files().any(|(_, digests)| is_wanted(status_of(&status, digests))));
        let at_once = usize::from(self.args.at_once);
        let sent: Vec<Sent> = futures::stream::iter(to_send)
            .map(|one| self.send(batch, one, &status))
            .buffer_unordered(at_once)
            .try_collect()
            .await?;
        let mut learned: HashMap<String, String> = HashMap::new();
        for one in sent {
            learned.extend(one.learned);
            refused.extend(one.refusal.map(|why| (one.sha1, why)));
        }
        let mut left = Vec::with_capacity(read.len());
        for mut one in read {
            for digests in std::iter::once(&mut one.digests).chain(&mut one.film) {
                if let Some(blake3) = learned.get(&digests.sha1) {
                    digests.blake3.clone_from(blake3);
                }
            }
            match (refused.remove(&one.digests.sha1), status_of(&status, &one.digests)) {
                (Some(why), _) => self.report.entry(&one.entry, Became::Failed, Some(&why)),
                // What was moved may still lie where it came from.
                (None, "committed") if !self.library.as_ref().is_some_and(Library::takes) => {
                    batch.stacked(&one);
                    self.report.entry(&one.entry, Became::Created, None);
                }
                (None, "duplicate" | "damaged")
                    if one.entry.albums.is_empty()
                        && self.tags_of(&one.entry).is_empty()
                        && one.stack().is_none()
                        && film_is_there(&one, &status) =>
                {
                    self.report.entry(&one.entry, Became::Duplicate, None);
                }
                (None, _) => left.push(one),
            }
        }
        self.commit(batch, left).await
    }

    async fn read(&self, mut entry: Entry) -> anyhow::Result<Read> {
        if let Content::Elsewhere(content) = entry.file.content.clone() {
            entry = content.complete(entry).await?;
        }
        let digests = self.digests(&entry.file).await?;
        let film = match &entry.film {
            Some(film) => Some(self.digests(film).await?),
            None => None,
        };
        let sidecar = match &entry.sidecar {
            Some(content) => Some(sidecar::of(content).await?),
            None => None,
        };
        Ok(Read { entry, digests, film, sidecar })
    }

    /// The digests of a file, from the journal where it has not changed.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn digests(&self, file: &File) -> anyhow::Result<Digests> {
        let known = file.digests.as_ref().map(|known| known.digests());
        if let Some(known) = known.or_else(|| self.journal.digests(file)) {
            return Ok(known);
        }
        if let Some(told) = digest::told(file) {
            return Ok(told);
        }
        let digests = digest::of_content(file.content.clone()).await?;
        self.journal.keep(file, &digests)?;
        Ok(digests)
    }

    /// What the server says of each file, by SHA-1; and where those belong that it does not have.
    async fn check(
        &self,
        batch: &InBatch,
        read: &[Read],
    ) -> Result<(HashMap<String, String>, HashMap<String, String>), Trouble> {
        let files: Vec<Value> = read
            .iter()
            .flat_map(Read::files)
            .map(|(file, digests)| {
                let mut asked = json!({ "extension": file.extension });
                digests.put_into(&mut asked);
                asked
            })
            .collect();
        let path = format!("/calotype/batches/{}/check", batch.id);
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

    /// Sends what of an entry is missing.
    async fn send(
        &self,
        batch: &InBatch,
        one: &Read,
        status: &HashMap<String, String>,
    ) -> anyhow::Result<Sent> {
        let sha1 = one.digests.sha1.clone();
        let mut sent = Sent { sha1, refusal: None, learned: Vec::new() };
        for (file, digests) in one.files() {
            let status = status_of(status, digests);
            if !is_wanted(status) {
                continue;
            }
            self.report.progress.at(&file.name());
            match self.send_file(batch.id, file, digests, status == "damaged").await {
                Ok(None) => {}
                Ok(Some(blake3)) => {
                    let digests = Digests { blake3, ..digests.clone() };
                    self.journal.keep(file, &digests)?;
                    sent.learned.push((digests.sha1, digests.blake3));
                }
                Err(Trouble::Fatal(error)) => return Err(error),
                Err(trouble) => {
                    sent.refusal = Some(format!("{:#}", trouble.into_error()));
                    return Ok(sent);
                }
            }
        }
        Ok(sent)
    }

    /// Commits, in halves where one request is too large or refused as a whole: one file ends no other's import.
    async fn commit(&self, batch: &InBatch, read: Vec<Read>) -> anyhow::Result<()> {
        let mut waiting = vec![read];
        while let Some(mut some) = waiting.pop() {
            if some.is_empty() {
                continue;
            }
            let path = format!("/calotype/batches/{}/commit", batch.id);
            match self.server.post(&path, &self.wish(batch, &some)).await {
                Ok(answer) => {
                    some.iter().for_each(|one| batch.stacked(one));
                    self.tell(&some, &answer).await;
                }
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

    fn wish(&self, batch: &InBatch, read: &[Read]) -> Value {
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
            let people = people_of(&one.entry);
            if !people.is_empty() {
                still["people"] = json!(people);
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
        json!({ "albums": albums, "files": files, "stacks": batch.stacks(read) })
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
                    let is_new = |digests: &Digests| {
                        status.get(digests.sha1.as_str()).copied() == Some("created")
                    };
                    let new = one.files().filter(|(_, digests)| is_new(digests));
                    created.extend(new.map(|(file, _)| file.clone()));
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
    /// The stack it is in.
    pub(crate) fn stack(&self) -> Option<&StackPlace> {
        self.entry.notes.as_ref()?.stack.as_ref()
    }

    /// The film first: the still names it.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&File, &Digests)> {
        let film = self.entry.film.as_deref().zip(self.film.as_ref());
        film.into_iter().chain(std::iter::once((&*self.entry.file, &self.digests)))
    }
}

/// Whether a file is to be sent: the server has not got it, or has lost it.
fn is_wanted(status: &str) -> bool {
    matches!(status, "missing" | "damaged")
}

pub(crate) fn status_of<'a>(status: &'a HashMap<String, String>, digests: &Digests) -> &'a str {
    status.get(&digests.sha1).map_or("missing", String::as_str)
}

/// The key of an album in a batch; names may be long.
fn album_key(name: &str) -> String {
    blake3::hash(name.as_bytes()).to_hex().to_string()
}

fn film_is_there(one: &Read, status: &HashMap<String, String>) -> bool {
    one.film.as_ref().is_none_or(|film| status_of(status, film) == "duplicate")
}
