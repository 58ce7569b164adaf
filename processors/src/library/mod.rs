//! External libraries: looks at their files when somebody asks, when it is time, and when files change.
//!
//! Which libraries wait for a scan stands in the read model; a bell only says that it may be time to look.
//! A scan that is cut off is begun anew, and what it did stays done: known files cost a look each, not a read.
//! Nothing here writes to a library.

mod files;
mod scan;
mod scope;
mod source;
mod swaps;
mod watch;

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use calotype_commands::CommandError;
use calotype_domain::asset::Purging;
use calotype_domain::library::{LibraryCommand, LibraryError};
use calotype_domain::queue::LIBRARY;
use calotype_domain::{AssetId, LibraryId, UserId};
use calotype_projections::libraries::LibraryRow;
use chrono::{DateTime, Local, Utc};
use croner::Cron;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::in_flight::InFlight;
use crate::worker::Worker;

pub(crate) use source::as_it_lies;

/// Its name in the log.
const NAME: &str = "library";
/// How often a look is taken without a bell.
const EVERY: Duration = Duration::from_secs(10);
/// How far the read model may be behind the bell.
const BEHIND: Duration = Duration::from_millis(250);
/// Assets of a deleted library that are deleted in one transaction.
const ROUND_ASSETS: i64 = 200;
/// How long after a round the read model is asked again.
const ROUND_SHOWS_AFTER: Duration = Duration::from_millis(50);

/// What is being scanned. Cheap to clone; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Scanning {
    /// How many libraries.
    pub in_flight: InFlight,
    /// How many checks of stored files are being done.
    pub checking: InFlight,
    /// Rung when it may be time to look for libraries that wait.
    pub(crate) bell: Arc<Notify>,
    /// Rung when it may be time to look for checks that wait.
    pub(crate) checks_bell: Arc<Notify>,
}

impl Worker {
    /// Scans the libraries that wait until cancelled, and asks for scans when it is time.
    pub async fn keep_libraries(self, cancel: CancellationToken) {
        let mut looked_at = self.commands.clock().now();
        while !cancel.is_cancelled() {
            let now = self.commands.clock().now();
            let Some(inside) = self.gate.enter_unless(&cancel).await else { break };
            if let Err(error) = self.keep_libraries_once((looked_at, now), &cancel).await {
                warn!(error = &error as &dyn std::error::Error, "cannot look after libraries now");
            }
            drop(inside);
            looked_at = now;
            tokio::select! {
                () = cancel.cancelled() => {}
                () = self.scanning.bell.notified() => tokio::time::sleep(BEHIND).await,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
        info!("scanning of libraries stopped");
    }

    async fn keep_libraries_once(
        &self,
        (since, now): (DateTime<Utc>, DateTime<Utc>),
        cancel: &CancellationToken,
    ) -> Result<(), ProcessorError> {
        let settings = self.queries.settings().await?;
        let is_due = settings.is_on("library.scan.enabled")
            && fell_due(settings.text("library.scan.cronExpression"), since, now);
        if is_due {
            self.request_scans(self.commands.ids().v7(), None).await?;
        }
        for library in self.queries.libraries(true).await? {
            self.end_library(&library, cancel).await?;
        }
        for library in self.queries.libraries_to_scan().await? {
            if cancel.is_cancelled() || self.is_library_paused().await? {
                break;
            }
            self.scan_alone(&library, cancel).await?;
        }
        Ok(())
    }

    async fn scan_alone(
        &self,
        library: &LibraryRow,
        cancel: &CancellationToken,
    ) -> Result<(), ProcessorError> {
        let Some(alone) = self.queries.try_alone_with(library.library_id).await? else {
            return Ok(());
        };
        let _working = self.scanning.in_flight.begin();
        let scanned = self.scan(LibraryId::new(library.library_id), cancel).await;
        alone.end().await?;
        match scanned {
            // It was deleted meanwhile.
            Err(ProcessorError::NotYet { .. }) => Ok(()),
            scanned => scanned,
        }
    }

    pub(crate) async fn is_library_paused(&self) -> Result<bool, ProcessorError> {
        Ok(self.queries.paused_queues().await?.iter().any(|name| name == LIBRARY))
    }

    /// Asks for a scan of every library.
    pub(crate) async fn request_scans(
        &self,
        correlation_id: Uuid,
        causation_id: Option<Uuid>,
    ) -> Result<(), ProcessorError> {
        for library in self.queries.libraries(false).await? {
            let ctx = self.context(NAME, correlation_id, causation_id);
            self.command(&ctx, &library, &LibraryCommand::RequestScan).await?;
        }
        Ok(())
    }

    /// Deletes the libraries of an account that is being removed.
    pub(crate) async fn delete_libraries_of(&self, owner_id: UserId) -> Result<(), ProcessorError> {
        let all = self.queries.libraries(false).await?;
        for library in all.iter().filter(|library| library.owner_id == owner_id.uuid()) {
            let ctx = self.context(NAME, self.commands.ids().v7(), None);
            self.command(&ctx, library, &LibraryCommand::Delete).await?;
        }
        Ok(())
    }

    async fn command(
        &self,
        ctx: &calotype_commands::CommandContext,
        library: &LibraryRow,
        command: &LibraryCommand,
    ) -> Result<(), ProcessorError> {
        let library_id = LibraryId::new(library.library_id);
        match self.commands.command_library(ctx, library_id, command).await {
            Ok(_) | Err(CommandError::Refused(LibraryError::NotFound)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes the assets of a deleted library, for good. Their files stay.
    async fn end_library(
        &self,
        library: &LibraryRow,
        cancel: &CancellationToken,
    ) -> Result<(), ProcessorError> {
        let (mut after, mut has_gone) = (Uuid::nil(), false);
        while !cancel.is_cancelled() {
            let files =
                self.queries.library_files_after(library.library_id, after, ROUND_ASSETS).await?;
            let Some(last) = files.last() else {
                // What is left is under a legal hold; the next look finds it again.
                if after.is_nil() || !has_gone {
                    return Ok(());
                }
                has_gone = false;
                // The read model forgets them shortly; what came meanwhile is there, too.
                after = Uuid::nil();
                tokio::time::sleep(ROUND_SHOWS_AFTER).await;
                continue;
            };
            after = last.asset_id;
            let _working = self.scanning.in_flight.begin();
            let asset_ids: Vec<Uuid> = files.iter().map(|file| file.asset_id).collect();
            let mut assets = self.queries.assets(&asset_ids).await?;
            let holds = self.commands.holds().await?;
            assets.retain(|asset| {
                let owner_id = UserId::new(asset.owner_id);
                holds.of_asset(AssetId::new(asset.asset_id), owner_id).is_none()
            });
            has_gone |= !assets.is_empty();
            self.purge(assets.iter().map(|asset| (asset, Purging::Library))).await?;
        }
        Ok(())
    }
}

/// Whether the wall clock has passed an instant that cron names.
pub(crate) fn fell_due(cron: &str, since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    let Ok(cron) = Cron::from_str(cron) else { return false };
    let next = cron.find_next_occurrence(&since.with_timezone(&Local), false);
    next.is_ok_and(|next| next <= now.with_timezone(&Local))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cron_names_falls_due_once() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (before, then, after) =
            (at("2026-11-22T11:59:58Z"), at("2026-11-22T12:00:00Z"), at("2026-11-22T12:00:08Z"));
        assert!(fell_due("* * * * *", before, after));
        assert!(fell_due("* * * * *", before, then));
        assert!(!fell_due("* * * * *", then, after));
        assert!(!fell_due("never", before, after));
    }
}
