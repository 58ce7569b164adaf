//! The whole way: scan, find what lies twice, send and commit in groups, close, sum up.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::json;

use crate::args::{ImportArgs, Layout};
use crate::content::Content;
use crate::digest::Packed;
use crate::entry::Entry;
use crate::group::{FILES_HERE_MAX, FILES_MAX, STACKED_MAX, Work};
use crate::journal::{self, Journal};
use crate::local::Library;
use crate::plan;
use crate::progress::{Became, Progress, say};
use crate::remote;
use crate::report::Report;
use crate::scan::{Scan, scan};
use crate::server::{Server, Trouble};
use crate::target::{self, Target};

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
pub async fn import(mut args: ImportArgs) -> anyhow::Result<ExitCode> {
    let plan = match args.apply.clone() {
        Some(path) => {
            let read = tokio::task::spawn_blocking(move || {
                let plan = plan::read(&path, &mut args)?;
                anyhow::Ok((args, plan))
            });
            let (of_plan, plan) = read.await??;
            args = of_plan;
            Some(plan)
        }
        None => None,
    };
    for path in &args.paths {
        anyhow::ensure!(path.exists(), "there is no {}", path.display());
    }
    if let Some(data) = &args.local.data {
        ensure_apart(&args.paths, data)?;
    }
    let server = Server::try_new(&args.server)?;
    let library = Library::open(&args.local).await?;
    let mut found = Scan::default();
    if !args.paths.is_empty() {
        let args = args.clone();
        found = tokio::task::spawn_blocking(move || scan(&args)).await?;
    }
    if plan.is_none() && !args.json {
        say_how(&found);
    }
    let mut oldest_first = Vec::new();
    if let Some(from) = &args.from_server {
        let there = remote::scan(&args, from).await?;
        found.entries.extend(there.scan.entries);
        found.passed_over.extend(there.scan.passed_over);
        oldest_first = there.oldest_first;
    }
    if let Some(plan) = plan {
        plan::apply(&plan, &server, args.json, &mut found).await?;
    }
    if args.plan {
        plan::plan(&args, &server, found).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let path = match &args.journal {
        Some(path) => path.clone(),
        None => journal::default_path(&args, whose(&args, &server).await?.as_deref())?,
    };
    let journal = Journal::open(&path)?;
    let (target, journal) = target::open(&server, journal, args.plain).await?;
    let wants_albums = found.entries.iter().any(|entry| !entry.albums.is_empty());
    let albums = if wants_albums { albums(&server).await? } else { HashMap::new() };
    let files = found.entries.iter().map(|entry| 1 + u64::from(entry.film.is_some())).sum();
    let bytes = found.entries.iter().map(size_of).sum();
    let progress = Progress::new(files, bytes, args.json);
    let report = Report::open(progress, args.report.as_deref())?;
    let sends_alone = AtomicBool::new(false);
    let work = Work { server, target, journal, report, args, albums, library, sends_alone };
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
    if matches!(ended, Some(Ok(()))) {
        order_albums(&work, &oldest_first).await?;
    }
    finish(work, ended).await
}

/// The id of the key's owner: whoever has a new key goes on with the import of the old one. Nothing where the key may
/// not know.
async fn whose(args: &ImportArgs, server: &Server) -> anyhow::Result<Option<String>> {
    if args.local.whose.is_some() {
        return Ok(None);
    }
    match server.get("/users/me").await {
        Ok(me) => Ok(me["id"].as_str().map(str::to_owned)),
        Err(trouble) if trouble.is_forbidden() => Ok(None),
        Err(trouble) => Err(trouble.into_error()),
    }
}

/// Says as whose export the files were understood, where that is not plain.
fn say_how(found: &Scan) {
    for layout in found.layouts.iter().filter(|it| **it != Layout::Folders) {
        let name = layout.name();
        say(&format!(
            "Understood as an export of {name}; --source folders takes it for plain folders."
        ));
    }
}

/// What lies in the data folder is somebody's already, and is never moved from where it is.
fn ensure_apart(paths: &[PathBuf], data: &Path) -> anyhow::Result<()> {
    let data = data.canonicalize().context("failed to find the data folder")?;
    for path in paths {
        let path =
            path.canonicalize().with_context(|| format!("failed to find {}", path.display()))?;
        anyhow::ensure!(
            !path.starts_with(&data) && !data.starts_with(&path),
            "{} has to do with the data folder itself: name only folders outside of it",
            path.display()
        );
    }
    Ok(())
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

/// Lets albums that the import made show the oldest first, where they did so on the source.
async fn order_albums(work: &Work, oldest_first: &[String]) -> anyhow::Result<()> {
    let made = oldest_first.iter().filter(|name| !work.albums.contains_key(*name));
    let made: Vec<&String> = made.collect();
    if made.is_empty() {
        return Ok(());
    }
    let there = albums(&work.server).await?;
    for id in made.into_iter().filter_map(|name| there.get(name)) {
        let path = format!("/albums/{id}");
        let ordered = work.server.patch(&path, &json!({ "order": "asc" })).await;
        ordered.map_err(Trouble::into_error)?;
    }
    Ok(())
}

async fn run(work: &Arc<Work>, found: Scan) -> anyhow::Result<()> {
    for it in found.passed_over {
        let became = if it.is_failure { Became::Failed } else { Became::PassedOver };
        work.report.progress.count(became, 0);
        work.report.tell(&it.path, became, Some(&it.why));
    }
    let entries = stacked_together(merged(work, found.entries).await);
    let mut entries = work.without_known(entries).await?.into_iter().peekable();
    let files_max = if work.library.is_some() { FILES_HERE_MAX } else { FILES_MAX };
    let groups = std::iter::from_fn(|| {
        let mut group: Vec<Entry> = entries.by_ref().take(files_max).collect();
        while group.len() < STACKED_MAX
            && let Some(stack) = group.last().and_then(stack_of).map(str::to_owned)
            && let Some(next) = entries.next_if(|next| stack_of(next) == Some(stack.as_str()))
        {
            group.push(next);
        }
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
                    let digests = work.digests(&entry.file).await.ok();
                    entry.file.digests = digests.as_ref().and_then(Packed::of).map(Box::new);
                }
                entry
            }
        })
        .buffered(READ_AT_ONCE)
        .collect()
        .await;
    each_once(read)
}

/// Each content once; what was not read stands for itself.
pub(crate) fn each_once(entries: Vec<Entry>) -> Vec<Entry> {
    let mut places: HashMap<Packed, usize> = HashMap::new();
    let mut once: Vec<Entry> = Vec::with_capacity(entries.len());
    for entry in entries {
        let place = once.len();
        let first = match &entry.file.digests {
            Some(digests) => *places.entry(**digests).or_insert(place),
            None => place,
        };
        match once.get_mut(first) {
            Some(kept) => kept.absorb(entry),
            None => once.push(entry),
        }
    }
    once
}

fn stack_of(entry: &Entry) -> Option<&str> {
    Some(entry.notes.as_ref()?.stack.as_ref()?.key.as_str())
}

/// The same entries, those of a stack one after the other in the place of the first.
fn stacked_together(entries: Vec<Entry>) -> Vec<Entry> {
    if entries.iter().all(|entry| stack_of(entry).is_none()) {
        return entries;
    }
    let mut firsts: HashMap<String, usize> = HashMap::new();
    let mut placed: Vec<(usize, Entry)> = Vec::with_capacity(entries.len());
    for (place, entry) in entries.into_iter().enumerate() {
        let first = stack_of(&entry).map(|key| *firsts.entry(key.to_owned()).or_insert(place));
        placed.push((first.unwrap_or(place), entry));
    }
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, entry)| entry).collect()
}

/// Closes the batch where everything is there, and sums up.
async fn finish(work: Work, ended: Option<anyhow::Result<()>>) -> anyhow::Result<ExitCode> {
    let Work { server, target, journal, report, args, library, .. } = work;
    let batch_id = match &target {
        Target::Batch(batch) => Some(batch.id),
        Target::Plain(_) => None,
    };
    report.finish()?;
    let is_whole = matches!(ended, Some(Ok(()))) && report.progress.failed() == 0;
    if is_whole {
        if let Some(batch_id) = batch_id {
            let path = format!("/calotype/batches/{batch_id}/close");
            server.post(&path, &json!({})).await.map_err(Trouble::into_error)?;
        }
        journal.close()?;
    }
    let mut told = report.progress.counts();
    if args.json {
        told["type"] = json!("summary");
        told["batch"] = json!(batch_id);
        told["isWhole"] = json!(is_whole);
        say(&told.to_string());
    } else {
        let batch = batch_id.map_or_else(
            || "; the server keeps no batches, so it cannot be taken back as a whole".to_owned(),
            |batch_id| format!("; batch {batch_id}"),
        );
        say(&format!(
            "{} imported, {} were there already, {} failed, {} passed over, in {:.1} seconds{batch}",
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
