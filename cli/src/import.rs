//! The whole way: scan, find what lies twice, send and commit in groups, close, sum up.

use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::json;
use uuid::Uuid;

use crate::args::ImportArgs;
use crate::content::Content;
use crate::digest::Digests;
use crate::entry::Entry;
use crate::group::{FILES_HERE_MAX, FILES_MAX, Work};
use crate::journal::{self, Journal};
use crate::local::Library;
use crate::plan;
use crate::progress::{Became, Progress, say};
use crate::report::Report;
use crate::scan::{Scan, scan};
use crate::server::{Server, Trouble};

/// Groups that are in hand at once: one is sent while another is committed.
const GROUPS_AT_ONCE: usize = 2;
/// Files that are read at once to find those that lie twice.
const READ_AT_ONCE: usize = 4;
/// Some files were not imported.
const SOME_FAILED: u8 = 2;
/// Ctrl-C, as shells number it.
const INTERRUPTED: u8 = 130;

/// Imports files, or says what would be done.
///
/// The exit code is 0 when everything is there, 2 when some files failed, and 130 when it was interrupted.
///
/// # Errors
/// When nothing further could be done; the same command goes on where this one stopped.
pub async fn import(args: ImportArgs) -> anyhow::Result<ExitCode> {
    for path in &args.paths {
        anyhow::ensure!(path.exists(), "there is no {}", path.display());
    }
    let server = Server::try_new(&args.server)?;
    let library = Library::open(&args.local).await?;
    let found = {
        let args = args.clone();
        tokio::task::spawn_blocking(move || scan(&args)).await?
    };
    if args.plan {
        plan::plan(&args, &server, found).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let path = match &args.journal {
        Some(path) => path.clone(),
        None => journal::default_path(&args)?,
    };
    let journal = Journal::open(path)?;
    let opened = server.post_once("/calotype/batches", &journal.batch().to_string()).await;
    let opened = match opened {
        Err(Trouble::Refused(message)) if message.starts_with("404") => {
            journal.remove()?;
            anyhow::bail!("the server knows no batches: it is no Calotype server, or an older one");
        }
        answer => answer.map_err(Trouble::into_error).context("failed to open a batch")?,
    };
    let batch_id: Uuid =
        opened["id"].as_str().and_then(|id| id.parse().ok()).context("the server told no batch")?;
    if opened["status"] != "open" {
        journal.close()?;
        anyhow::bail!("the import of before was finished or rolled back; start it once more");
    }
    let wants_albums = found.entries.iter().any(|entry| !entry.albums.is_empty());
    let albums = if wants_albums { albums(&server).await? } else { HashMap::new() };
    let files = found.entries.iter().map(|entry| 1 + u64::from(entry.film.is_some())).sum();
    let bytes = found.entries.iter().map(size_of).sum();
    let progress = Progress::new(files, bytes, args.json);
    let report = Report::open(progress, args.report.as_deref())?;
    let sends_alone = AtomicBool::new(false);
    let work = Work { server, batch_id, journal, report, args, albums, library, sends_alone };
    let work = Arc::new(work);
    let ended = {
        let running = Box::pin(run(&work, found));
        tokio::select! {
            ended = running => Some(ended),
            () = work.report.progress.show() => None,
            _ = tokio::signal::ctrl_c() => None,
        }
    };
    work.report.progress.end();
    let work = Arc::into_inner(work).context("an import is still running")?;
    finish(work, ended).await
}

/// The caller's albums by name; of several of a name the first counts.
async fn albums(server: &Server) -> anyhow::Result<HashMap<String, String>> {
    let answer = server.get("/albums").await.map_err(Trouble::into_error)?;
    let mut albums = HashMap::new();
    for album in answer.as_array().into_iter().flatten() {
        if let (Some(name), Some(id)) = (album["albumName"].as_str(), album["id"].as_str()) {
            albums.entry(name.to_owned()).or_insert_with(|| id.to_owned());
        }
    }
    Ok(albums)
}

async fn run(work: &Arc<Work>, found: Scan) -> anyhow::Result<()> {
    for it in &found.passed_over {
        let became = if it.is_failure { Became::Failed } else { Became::PassedOver };
        work.report.progress.count(became, 0);
        work.report.tell(&it.path, became, Some(&it.why));
    }
    let entries = merged(work, found.entries).await;
    let mut entries = work.without_known(entries).await?.into_iter();
    let files_max = if work.library.is_some() { FILES_HERE_MAX } else { FILES_MAX };
    let groups = std::iter::from_fn(|| {
        let group: Vec<Entry> = entries.by_ref().take(files_max).collect();
        (!group.is_empty()).then_some(group)
    });
    futures::stream::iter(groups)
        .map(|group| Box::pin(Arc::clone(work).group(group)))
        .buffer_unordered(GROUPS_AT_ONCE)
        .try_collect::<()>()
        .await
}

/// Each content once, with the albums of all places where it lies. Only files of the same length are read for it.
async fn merged(work: &Arc<Work>, entries: Vec<Entry>) -> Vec<Entry> {
    let mut lengths: HashMap<u64, usize> = HashMap::new();
    for size_bytes in entries.iter().filter_map(|entry| entry.file.size_bytes) {
        *lengths.entry(size_bytes).or_default() += 1;
    }
    // What lies elsewhere is fetched when its turn comes.
    let is_alone = |entry: &Entry| match (&entry.file.content, entry.file.size_bytes) {
        (Content::Here(_), Some(size_bytes)) => lengths.get(&size_bytes) == Some(&1),
        (Content::Here(_), None) => false,
        (Content::Elsewhere(_), _) => true,
    };
    let read: Vec<Entry> = futures::stream::iter(entries)
        .map(|mut entry| {
            let is_alone = is_alone(&entry);
            async move {
                if !is_alone {
                    // What cannot be read is told when its turn comes.
                    entry.file.digests = work.digests(&entry.file).await.ok();
                }
                entry
            }
        })
        .buffered(READ_AT_ONCE)
        .collect()
        .await;
    let mut places: HashMap<Digests, usize> = HashMap::new();
    let mut once: BTreeMap<usize, Entry> = BTreeMap::new();
    for (place, entry) in read.into_iter().enumerate() {
        let first = match &entry.file.digests {
            Some(digests) => *places.entry(digests.clone()).or_insert(place),
            None => place,
        };
        match once.get_mut(&first) {
            Some(kept) => kept.absorb(entry),
            None => drop(once.insert(first, entry)),
        }
    }
    once.into_values().collect()
}

/// Closes the batch where everything is there, and sums up.
async fn finish(work: Work, ended: Option<anyhow::Result<()>>) -> anyhow::Result<ExitCode> {
    let Work { server, batch_id, journal, report, args, library, .. } = work;
    report.finish()?;
    let is_whole = matches!(ended, Some(Ok(()))) && report.progress.failed() == 0;
    if is_whole {
        let path = format!("/calotype/batches/{batch_id}/close");
        server.post(&path, &json!({})).await.map_err(Trouble::into_error)?;
        journal.close()?;
    }
    let mut told = report.progress.counts();
    if args.json {
        told["type"] = json!("summary");
        told["batch"] = json!(batch_id);
        told["isWhole"] = json!(is_whole);
        say(&told.to_string());
    } else {
        say(&format!(
            "{} imported, {} were there already, {} failed, {} passed over, in {:.1} seconds; batch {batch_id}",
            told["created"],
            told["duplicates"],
            told["failed"],
            told["passedOver"],
            told["seconds"].as_f64().unwrap_or_default()
        ));
        let copied = library.map_or(0, |library| library.copied());
        if copied > 0 {
            say(&format!(
                "{copied} of them were copied: a file on another file system, or of another user, cannot be linked."
            ));
        }
        for problem in report.problems() {
            say(&format!("  {problem}"));
        }
        if !is_whole {
            say("The same command goes on where this one stopped, and imports nothing twice.");
        }
    }
    match ended {
        Some(Err(error)) => Err(error),
        None => Ok(ExitCode::from(INTERRUPTED)),
        Some(Ok(())) if is_whole => Ok(ExitCode::SUCCESS),
        Some(Ok(())) => Ok(ExitCode::from(SOME_FAILED)),
    }
}

fn size_of(entry: &Entry) -> u64 {
    let film = entry.film.as_ref().and_then(|film| film.size_bytes);
    entry.file.size_bytes.unwrap_or_default() + film.unwrap_or_default()
}
