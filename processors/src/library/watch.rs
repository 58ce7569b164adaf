//! Watching the folders of libraries, where administrators want that. What changes is looked at once it has
//! been still for a moment; what is too much, or folders that moved, ask for a scan. What a watch misses, the
//! next scan finds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use calotype_domain::LibraryId;
use calotype_domain::library::LibraryCommand;
use calotype_media::external::{FoundFile, is_media, look};
use calotype_projections::libraries::LibraryRow;
use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Config, Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::NAME;
use super::files::Tally;
use super::scope::Belongs;
use crate::error::ProcessorError;
use crate::worker::Worker;

/// How often it is asked what is to be watched.
const SETTINGS_EVERY: Duration = Duration::from_secs(5);
/// How long a library must have been still before its changes are looked at, and how long they wait at most.
const STILL_FOR: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(30);
/// How often it is asked whether a library is still.
const STILL_EVERY: Duration = Duration::from_millis(250);
/// Events that wait to be taken in; with more, everything watched is scanned.
const EVENTS_MAX: usize = 10_000;
/// Changed files of a library that are looked at by themselves; with more, it is scanned.
const PATHS_MAX: usize = 1_000;

/// What is watched: import paths with their libraries.
type Folders = BTreeSet<(String, uuid::Uuid)>;

struct Watching {
    folders: Folders,
    /// Watches until it is dropped.
    _watcher: Option<RecommendedWatcher>,
    events: mpsc::Receiver<Event>,
    /// Whether events were lost.
    lost: Arc<AtomicBool>,
}

/// What changed in a library.
struct Changes {
    paths: BTreeSet<String>,
    /// Too much to look at one by one.
    whole: bool,
    first: Instant,
    last: Instant,
}

impl Changes {
    /// Whether to look at them now: when all is still, or when the first has waited for long enough.
    fn are_due(&self) -> bool {
        self.last.elapsed() >= STILL_FOR || self.first.elapsed() >= WAIT_MAX
    }
}

impl Worker {
    /// Watches until cancelled, as long as administrators want it.
    pub async fn watch_libraries(self, cancel: CancellationToken) {
        let mut watching = idle();
        let mut changes: BTreeMap<uuid::Uuid, Changes> = BTreeMap::new();
        let mut asked: Option<Instant> = None;
        while !cancel.is_cancelled() {
            if asked.is_none_or(|asked| asked.elapsed() >= SETTINGS_EVERY) {
                asked = Some(Instant::now());
                match self.to_watch().await {
                    Ok(folders) if folders != watching.folders => {
                        watching = start(folders).await;
                    }
                    Ok(_) => {}
                    Err(error) => {
                        warn!(error = &error as &dyn std::error::Error, "cannot ask what to watch");
                    }
                }
            }
            tokio::select! {
                () = cancel.cancelled() => break,
                () = take_in(&mut watching, &mut changes) => {}
            }
            if watching.lost.swap(false, Ordering::Relaxed) {
                for (_, library_id) in &watching.folders {
                    note(&mut changes, *library_id).whole = true;
                }
            }
            let Some(_inside) = self.gate.enter_unless(&cancel).await else { break };
            if let Err(error) = self.look_at_changes(&mut changes).await {
                warn!(error = &error as &dyn std::error::Error, "cannot look at changes now");
            }
        }
    }

    async fn to_watch(&self) -> Result<Folders, ProcessorError> {
        if !self.queries.settings().await?.is_on("library.watch.enabled") {
            return Ok(Folders::new());
        }
        let libraries = self.queries.libraries(false).await?;
        let folders =
            libraries.into_iter().flat_map(|LibraryRow { library_id, import_paths, .. }| {
                import_paths.into_iter().map(move |path| (path, library_id))
            });
        Ok(folders.collect())
    }

    /// Looks at the changes of those libraries that are still.
    async fn look_at_changes(
        &self,
        changes: &mut BTreeMap<uuid::Uuid, Changes>,
    ) -> Result<(), ProcessorError> {
        let ready: Vec<uuid::Uuid> = changes
            .iter()
            .filter(|(_, changes)| changes.are_due())
            .map(|(library_id, _)| *library_id)
            .collect();
        for library_id in ready {
            let Some(Changes { paths, whole, .. }) = changes.remove(&library_id) else { continue };
            let Some(library) = self.queries.library(library_id).await? else { continue };
            if whole {
                let ctx = self.context(NAME, self.commands.ids().v7(), None);
                self.command(&ctx, &library, &LibraryCommand::RequestScan).await?;
            } else {
                self.look_at_paths(LibraryId::new(library_id), paths).await?;
            }
        }
        Ok(())
    }

    async fn look_at_paths(
        &self,
        library_id: LibraryId,
        paths: BTreeSet<String>,
    ) -> Result<(), ProcessorError> {
        let library = self.commands.library(library_id).await?;
        let Some(scope) = self.scope(library_id, &library).await? else { return Ok(()) };
        let paths: Vec<String> = paths.into_iter().collect();
        let (looked, in_scope) = (paths.clone(), scope.clone());
        let look = move || {
            let belongs = looked.into_iter().filter(|path| in_scope.of_path(path) == Belongs::Yes);
            let there = belongs.filter_map(|path| {
                let seen = look(Path::new(&path)).ok().flatten()?;
                (seen.size_bytes > 0).then_some(FoundFile { path, seen })
            });
            there.collect::<Vec<_>>()
        };
        let there = tokio::task::spawn_blocking(look)
            .await
            .map_err(|error| ProcessorError::Command(Box::new(error)))?;
        let mut tally = Tally::default();
        // What is there first, so that what moved is found where it went.
        self.look_at_files(&scope, there, &mut tally).await?;
        self.settle_waiting(&scope, &mut tally).await?;
        let known = self.queries.library_files_at(library_id.uuid(), &paths).await?;
        self.look_for_missing(&scope, known, &mut tally).await?;
        info!(library.id = %library_id, counts = ?tally.counts, "looked at changed files");
        Ok(())
    }
}

fn idle() -> Watching {
    let (_, events) = mpsc::channel(1);
    Watching { folders: Folders::new(), _watcher: None, events, lost: Arc::default() }
}

/// Begins to watch folders. Those that cannot be watched are said, and scanned only.
async fn start(folders: Folders) -> Watching {
    if folders.is_empty() {
        return idle();
    }
    let (sender, events) = mpsc::channel(EVENTS_MAX);
    let lost = Arc::new(AtomicBool::new(false));
    let losing = Arc::clone(&lost);
    let take_in = move |event: notify::Result<Event>| {
        let is_taken = match event {
            Ok(event) if !tells(&event) => true,
            Ok(event) => sender.try_send(event).is_ok(),
            Err(_) => false,
        };
        if !is_taken {
            losing.store(true, Ordering::Relaxed);
        }
    };
    let watched = folders.clone();
    // Every folder below is looked at once, which takes a while.
    let started = tokio::task::spawn_blocking(move || {
        let config = Config::default().with_follow_symlinks(false);
        let mut watcher = RecommendedWatcher::new(take_in, config)?;
        for (path, library_id) in &watched {
            match watcher.watch(Path::new(path), RecursiveMode::Recursive) {
                Ok(()) => info!(library.id = %library_id, "watching a folder of a library"),
                Err(error) => {
                    let kind = std::mem::discriminant(&error.kind);
                    warn!(library.id = %library_id, ?kind, "cannot watch a folder of a library");
                }
            }
        }
        Ok::<_, notify::Error>(watcher)
    })
    .await;
    let watcher = match started {
        Ok(Ok(watcher)) => Some(watcher),
        Ok(Err(error)) => {
            warn!(error = &error as &dyn std::error::Error, "cannot watch folders");
            None
        }
        Err(error) => {
            warn!(error = &error as &dyn std::error::Error, "cannot watch folders");
            None
        }
    };
    Watching { folders, _watcher: watcher, events, lost }
}

/// Whether an event may have changed a file. That one was opened or read has not.
fn tells(event: &Event) -> bool {
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}

/// Takes in what happens for a moment, however much it is: in a folder where something changes all the time, what
/// waits is looked at all the same.
async fn take_in(watching: &mut Watching, changes: &mut BTreeMap<uuid::Uuid, Changes>) {
    let moment = tokio::time::sleep(STILL_EVERY);
    tokio::pin!(moment);
    loop {
        tokio::select! {
            biased;
            () = &mut moment => return,
            Some(event) = watching.events.recv() => take(&watching.folders, &event, changes),
        }
    }
}

/// Sorts what an event names by library.
fn take(folders: &Folders, event: &Event, changes: &mut BTreeMap<uuid::Uuid, Changes>) {
    for path in &event.paths {
        let Some(path) = path.to_str() else { continue };
        for (folder, library_id) in folders {
            if !Path::new(path).starts_with(folder) {
                continue;
            }
            let is_file = is_media(path);
            // A folder that came, went or was renamed; what else is no photo is nobody's concern.
            let moves = !is_file
                && Path::new(path).extension().is_none()
                && matches!(
                    event.kind,
                    EventKind::Create(_)
                        | EventKind::Remove(_)
                        | EventKind::Modify(notify::event::ModifyKind::Name(_))
                );
            if !is_file && !moves && !event.need_rescan() {
                continue;
            }
            let known = note(changes, *library_id);
            if is_file {
                known.paths.insert(path.to_owned());
            }
            known.whole |= moves || event.need_rescan() || known.paths.len() > PATHS_MAX;
            if known.whole {
                known.paths.clear();
            }
        }
    }
}

fn note(changes: &mut BTreeMap<uuid::Uuid, Changes>, library_id: uuid::Uuid) -> &mut Changes {
    let now = Instant::now();
    let known = changes.entry(library_id).or_insert_with(|| Changes {
        paths: BTreeSet::new(),
        whole: false,
        first: now,
        last: now,
    });
    known.last = now;
    known
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, RemoveKind};
    use tokio_util::task::TaskTracker;

    use super::*;

    const LIBRARY: uuid::Uuid = uuid::Uuid::from_u128(1);

    fn taken(events: &[Event]) -> BTreeMap<uuid::Uuid, Changes> {
        let folders = Folders::from([("/a".to_owned(), LIBRARY)]);
        let mut changes = BTreeMap::new();
        events.iter().for_each(|event| take(&folders, event, &mut changes));
        changes
    }

    fn event(kind: EventKind, path: &str) -> Event {
        Event::new(kind).add_path(path.into())
    }

    #[test]
    fn photos_are_looked_at_by_themselves() {
        let created = EventKind::Create(CreateKind::File);
        let changes = taken(&[
            event(created, "/a/1.jpg"),
            event(created, "/a/2.txt"),
            event(created, "/b/3.jpg"),
        ]);
        assert_eq!(changes[&LIBRARY].paths, BTreeSet::from(["/a/1.jpg".to_owned()]));
        assert!(!changes[&LIBRARY].whole);
        assert!(taken(&[event(created, "/a/2.txt")]).is_empty());
    }

    #[test]
    fn folder_that_goes_asks_for_a_scan() {
        assert!(taken(&[event(EventKind::Remove(RemoveKind::Folder), "/a/b")])[&LIBRARY].whole);
    }

    #[tokio::test]
    async fn folder_that_is_never_still_is_looked_at() {
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        let folders = Folders::from([("/a".to_owned(), LIBRARY)]);
        let mut watching = Watching { folders, _watcher: None, events, lost: Arc::default() };
        let created = EventKind::Create(CreateKind::File);
        let busy = TaskTracker::new()
            .spawn(async move { while sender.send(event(created, "/a/1.jpg")).await.is_ok() {} });
        let mut changes = BTreeMap::new();
        let taken = take_in(&mut watching, &mut changes);
        tokio::time::timeout(WAIT_MAX, taken).await.expect("it takes in events without end");
        assert!(changes[&LIBRARY].paths.contains("/a/1.jpg"));
        assert!(!changes[&LIBRARY].are_due(), "it is not still, and has not waited");
        let waited = Instant::now().checked_sub(WAIT_MAX).expect("a machine that runs for longer");
        let first = Changes { first: waited, ..changes.remove(&LIBRARY).unwrap() };
        assert!(first.are_due(), "it waits without end");
        busy.abort();
    }

    #[test]
    fn too_many_files_ask_for_a_scan() {
        let created = EventKind::Create(CreateKind::File);
        let many: Vec<Event> =
            (0..=PATHS_MAX).map(|number| event(created, &format!("/a/{number}.jpg"))).collect();
        let changes = taken(&many);
        assert!(changes[&LIBRARY].whole && changes[&LIBRARY].paths.is_empty());
    }
}
