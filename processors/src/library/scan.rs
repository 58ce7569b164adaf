//! One scan: first all files that are there, so that what moved is found where it went, then all that are
//! known, for those that are gone.

use std::ops::ControlFlow;
use std::time::Instant;

use calotype_commands::CommandError;
use calotype_domain::LibraryId;
use calotype_domain::library::{Library, LibraryError, LibraryScanned};
use calotype_media::external::{FoundFile, WalkItem, walk};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::info;
use uuid::Uuid;

use super::NAME;
use super::files::{BATCH_FILES, Tally};
use super::scope::Scope;
use crate::error::ProcessorError;
use crate::worker::Worker;

/// Batches that the walk may be ahead of the work.
const BATCHES_AHEAD: usize = 2;
/// Known files looked at together.
const KNOWN_FILES: i64 = 1_000;

/// What the walk found since the last batch.
#[derive(Default)]
struct Batch {
    files: Vec<FoundFile>,
    unreadable: u64,
}

/// Whether a scan came to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Went {
    Through,
    /// Somebody wants it to stop; it is begun anew later.
    NotThrough,
}

impl Worker {
    /// Looks at all files of a library, if somebody asked for that.
    pub(super) async fn scan(
        &self,
        library_id: LibraryId,
        cancel: &CancellationToken,
    ) -> Result<(), ProcessorError> {
        let started = Instant::now();
        let library = self.commands.library(library_id).await?;
        let Some(number) = library.scan_due() else { return Ok(()) };
        let Some(scope) = self.scope(library_id, &library).await? else { return Ok(()) };
        let mut tally = Tally::default();
        if self.look_at_all(&scope, &library, &mut tally, cancel).await? == Went::NotThrough
            || self.look_at_known(&scope, &library, &mut tally, cancel).await? == Went::NotThrough
        {
            return Ok(());
        }
        let mut counts = tally.counts;
        counts.roots_away = scope.away();
        let scanned = LibraryScanned { scan: number, counts, roots: scope.seen().into() };
        let ctx = self.context(NAME, self.commands.ids().v7(), None);
        match self.commands.record_scan(&ctx, library_id, scanned).await {
            Ok(_) | Err(CommandError::Refused(LibraryError::NotFound)) => {}
            Err(error) => return Err(error.into()),
        }
        metrics::histogram!("calotype_scan_seconds").record(started.elapsed().as_secs_f64());
        info!(library.id = %library_id, ?counts, "scanned a library");
        Ok(())
    }

    async fn look_at_all(
        &self,
        scope: &Scope,
        library: &Library,
        tally: &mut Tally,
        cancel: &CancellationToken,
    ) -> Result<Went, ProcessorError> {
        let (batches, mut walked) = mpsc::channel(BATCHES_AHEAD);
        let (roots, exclusions) = (scope.there(), scope.exclusions.clone());
        let walking = tokio::task::spawn_blocking(move || {
            let mut batch = Batch::default();
            for root in roots {
                walk(&root, &exclusions, |item| {
                    match item {
                        WalkItem::File(file) => batch.files.push(file),
                        WalkItem::Unreadable => batch.unreadable += 1,
                    }
                    if batch.files.len() < BATCH_FILES {
                        return ControlFlow::Continue(());
                    }
                    match batches.blocking_send(std::mem::take(&mut batch)) {
                        Ok(()) => ControlFlow::Continue(()),
                        Err(_) => ControlFlow::Break(()),
                    }
                });
            }
            // Nobody listens any more where this fails.
            batches.blocking_send(batch).unwrap_or_default();
        });
        while let Some(batch) = walked.recv().await {
            if self.is_to_stop(scope, library, cancel).await? {
                return Ok(Went::NotThrough);
            }
            tally.counts.unread += batch.unreadable;
            self.look_at_files(scope, batch.files, tally).await?;
        }
        walking.await.map_err(|error| ProcessorError::Command(Box::new(error)))?;
        self.settle_waiting(scope, tally).await?;
        Ok(Went::Through)
    }

    async fn look_at_known(
        &self,
        scope: &Scope,
        library: &Library,
        tally: &mut Tally,
        cancel: &CancellationToken,
    ) -> Result<Went, ProcessorError> {
        let mut after = Uuid::nil();
        loop {
            let library_id = scope.library_id.uuid();
            let known = self.queries.library_files_after(library_id, after, KNOWN_FILES).await?;
            let Some(last) = known.last() else { return Ok(Went::Through) };
            after = last.asset_id;
            if self.is_to_stop(scope, library, cancel).await? {
                return Ok(Went::NotThrough);
            }
            self.look_for_missing(scope, known, tally).await?;
        }
    }

    /// Whether a scan is to stop: the server does, the queue is paused, or the library is deleted or changed.
    async fn is_to_stop(
        &self,
        scope: &Scope,
        library: &Library,
        cancel: &CancellationToken,
    ) -> Result<bool, ProcessorError> {
        if cancel.is_cancelled() || self.is_library_paused().await? {
            return Ok(true);
        }
        let now = self.commands.library(scope.library_id).await?;
        Ok(now.owner_id().is_none() || now.settings() != library.settings())
    }
}
