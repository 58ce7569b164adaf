//! Says what an import would do, and changes nothing.

mod saved;
mod show;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::saved::options_of;
pub(crate) use self::saved::{apply, read};
use crate::args::ImportArgs;
use crate::digest::{self, Digests, Packed};
use crate::entry::Entry;
use crate::file_date;
use crate::import::each_once;
use crate::scan::Scan;
use crate::server::{Server, Trouble};

/// Files that the server is asked about at once.
const ASKED_MAX: usize = 1_000;
/// Files that are read at once.
const READ_AT_ONCE: usize = 4;
/// How plans are written; another number is another shape.
const VERSION: u32 = 1;

/// What would become of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Status {
    New,
    Duplicate,
    Failed,
    PassedOver,
}

/// One file of a plan.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Planned {
    /// As it is told; bytes that are no UTF-8 are replaced.
    path: String,
    /// BLAKE3 of the path as it is.
    key: String,
    status: Status,
    why: Option<String>,
    digests: Option<Digests>,
    modified: Option<DateTime<Utc>>,
    /// What counts where the file itself names no date.
    date: Option<DateTime<Utc>>,
    /// From where that date comes, when nobody states it.
    date_guess: Option<String>,
    albums: Vec<String>,
    conflicts: Vec<String>,
    /// The film that makes it a live photo.
    film: Option<String>,
}

/// What an import would do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Plan {
    version: u32,
    paths: Vec<String>,
    options: Value,
    sources: Vec<String>,
    files: Vec<Planned>,
}

impl Planned {
    /// A file with nothing further to tell.
    fn new(path: &Path, status: Status) -> Self {
        Self {
            path: path.to_string_lossy().into_owned(),
            key: key(path),
            status,
            why: None,
            digests: None,
            modified: None,
            date: None,
            date_guess: None,
            albums: Vec::new(),
            conflicts: Vec::new(),
            film: None,
        }
    }

    fn of(entry: &Entry) -> Self {
        let (date, guess) = file_date::of_file(&entry.file, entry.notes.as_deref());
        Self {
            digests: entry.file.digests.as_ref().map(|it| it.digests()),
            modified: Some(entry.file.modified),
            date: Some(date),
            date_guess: guess.map(str::to_owned),
            albums: entry.albums.iter().map(|album| album.name.clone()).collect(),
            conflicts: entry.conflicts.clone(),
            film: entry.film.as_ref().map(|film| film.path.to_string_lossy().into_owned()),
            ..Self::new(&entry.file.path, Status::New)
        }
    }

    fn with(mut self, status: Status, why: &str) -> Self {
        self.status = status;
        self.why = Some(why.to_owned());
        self
    }

    /// For people and programs.
    fn told(&self) -> Value {
        json!({
            "type": "file", "path": self.path, "status": self.status, "why": self.why,
            "date": self.date.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            "dateGuess": self.date_guess, "albums": self.albums, "conflicts": self.conflicts,
            "film": self.film,
        })
    }
}

/// Reads every file, asks the server which it has, and prints what would be done.
///
/// # Errors
/// When the server cannot be asked, or the plan cannot be saved.
pub(crate) async fn plan(args: &ImportArgs, server: &Server, scan: Scan) -> anyhow::Result<()> {
    let sources = scan.layouts.iter().map(|it| it.name().to_owned()).collect();
    let mut files: Vec<Planned> = scan
        .passed_over
        .iter()
        .map(|it| {
            let status = if it.is_failure { Status::Failed } else { Status::PassedOver };
            Planned::new(&it.path, status).with(status, &it.why)
        })
        .collect();
    let read: Vec<(Entry, Option<String>)> =
        futures::stream::iter(scan.entries).map(read_one).buffered(READ_AT_ONCE).collect().await;
    let mut entries = Vec::with_capacity(read.len());
    for (entry, error) in read {
        match error {
            Some(why) => files.push(Planned::of(&entry).with(Status::Failed, &why)),
            None => entries.push(entry),
        }
    }
    let states: HashMap<String, (Option<Box<Packed>>, DateTime<Utc>)> = entries
        .iter()
        .map(|it| (key(&it.file.path), (it.file.digests.clone(), it.file.modified)))
        .collect();
    let entries = each_once(entries);
    let clashes = clashes(&entries);
    for some in entries.chunks(ASKED_MAX) {
        let digests: Vec<Digests> =
            some.iter().filter_map(|it| Some(it.file.digests.as_ref()?.digests())).collect();
        let there = there(server, digests.iter()).await?;
        for entry in some {
            let mut line = Planned::of(entry);
            let is_there = line.digests.as_ref().is_some_and(|it| there.contains(&it.sha1));
            if is_there {
                line = line.with(Status::Duplicate, "the server has these bytes");
            }
            line.conflicts.extend(clashes.get(&line.key).into_iter().flatten().cloned());
            files.push(line);
            files.extend(entry.copies.iter().map(|copy| {
                let mut line = Planned::new(copy, Status::Duplicate)
                    .with(Status::Duplicate, "the same bytes as another file here");
                if let Some((digests, modified)) = states.get(&line.key) {
                    line.digests = digests.as_ref().map(|it| it.digests());
                    line.modified = Some(*modified);
                }
                line
            }));
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let plan = Plan {
        version: VERSION,
        paths: args.paths.iter().map(|it| it.to_string_lossy().into_owned()).collect(),
        options: options_of(args),
        sources,
        files,
    };
    show::show(args.json, &plan);
    if let Some(path) = args.save.clone() {
        let args = args.clone();
        tokio::task::spawn_blocking(move || saved::save(plan, &args, &path)).await??;
    }
    Ok(())
}

async fn read_one(mut entry: Entry) -> (Entry, Option<String>) {
    if entry.file.digests.is_some() {
        return (entry, None);
    }
    let read = match digest::told(&entry.file) {
        Some(digests) => Ok(digests),
        None => digest::of_content(entry.file.content.clone()).await,
    };
    match read {
        Ok(digests) => {
            entry.file.digests = Packed::of(&digests).map(Box::new);
            (entry, None)
        }
        Err(error) => (entry, Some(format!("{error:#}"))),
    }
}

/// The SHA-1s that the server has.
async fn there(
    server: &Server,
    digests: impl Iterator<Item = &Digests>,
) -> anyhow::Result<HashSet<String>> {
    let assets: Vec<Value> =
        digests.map(|it| json!({ "id": it.sha1, "checksum": it.sha1 })).collect();
    let answer = server
        .post("/assets/bulk-upload-check", &json!({ "assets": assets }))
        .await
        .map_err(Trouble::into_error)?;
    let results = answer["results"].as_array().into_iter().flatten();
    let there = results
        .filter(|result| result["action"] == "reject")
        .filter_map(|result| result["id"].as_str().map(str::to_owned));
    Ok(there.collect())
}

/// Different files of one name in one album, by key.
fn clashes(entries: &[Entry]) -> HashMap<String, Vec<String>> {
    let mut places: BTreeMap<(&str, String), Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        for album in &entry.albums {
            places.entry((&album.name, entry.file.name())).or_default().push(entry);
        }
    }
    let mut clashes: HashMap<String, Vec<String>> = HashMap::new();
    for ((album, _), entries) in places.into_iter().filter(|(_, entries)| entries.len() > 1) {
        for entry in entries {
            let told = format!("another file of this name goes into the album {album}");
            clashes.entry(key(&entry.file.path)).or_default().push(told);
        }
    }
    clashes
}

fn key(path: &Path) -> String {
    blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests;
