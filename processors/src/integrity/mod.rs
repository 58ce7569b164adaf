//! Checks whether the stored files are those that the log speaks of, when somebody asks and when it is time.
//!
//! Which checks wait stands in the read model; a bell only says that it may be time to look. A check that is
//! cut off is begun anew. Files of external libraries are nobody's business here.

mod clear;
mod look;
mod made;
mod walk;

use std::time::{Duration, Instant};

use calotype_commands::integrity::Findings;
use calotype_domain::integrity::{Check, CheckWork, IntegrityCheckDone};
use calotype_projections::integrity::CheckDue;
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::library::fell_due;
use crate::worker::Worker;

/// Its name in the log.
const NAME: &str = "integrity";
/// The queue that people may pause.
const QUEUE: &str = "integrityCheck";
/// How often a look is taken without a bell.
const EVERY: Duration = Duration::from_secs(10);
/// How far the read model may be behind the bell.
const BEHIND: Duration = Duration::from_millis(250);
/// Assets or findings that are looked at together.
const PAGE: i64 = 1_000;

/// The settings of a check.
const fn settings_of(check: Check) -> &'static str {
    match check {
        Check::MissingFile => "missingFiles",
        Check::UntrackedFile => "untrackedFiles",
        Check::ChecksumMismatch => "checksumFiles",
    }
}

impl Worker {
    /// Does the checks that wait until cancelled, and asks for some when it is time.
    pub async fn check_files(self, cancel: CancellationToken) {
        let mut looked_at = self.commands.clock().now();
        while !cancel.is_cancelled() {
            let Some(inside) = self.gate.enter_unless(&cancel).await else { break };
            let now = self.commands.clock().now();
            if let Err(error) = self.check_files_once((looked_at, now), &cancel).await {
                warn!(error = &error as &dyn std::error::Error, "cannot check files now");
            }
            drop(inside);
            looked_at = now;
            tokio::select! {
                () = cancel.cancelled() => {}
                () = self.scanning.checks_bell.notified() => tokio::time::sleep(BEHIND).await,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
        info!("checking of files stopped");
    }

    async fn check_files_once(
        &self,
        (since, now): (DateTime<Utc>, DateTime<Utc>),
        cancel: &CancellationToken,
    ) -> Result<(), ProcessorError> {
        let settings = self.queries.settings().await?;
        for check in Check::ALL {
            let of = |name: &str| format!("integrityChecks.{}.{name}", settings_of(check));
            if settings.is_on(&of("enabled"))
                && fell_due(settings.text(&of("cronExpression")), since, now)
            {
                let ctx = self.context(NAME, self.commands.ids().v7(), None);
                self.commands.request_check(&ctx, check, CheckWork::Look).await?;
            }
        }
        for due in self.queries.checks_due().await? {
            if cancel.is_cancelled() || self.are_checks_paused().await? {
                break;
            }
            self.check_alone(due, cancel).await?;
        }
        Ok(())
    }

    async fn are_checks_paused(&self) -> Result<bool, ProcessorError> {
        Ok(self.queries.paused_queues().await?.iter().any(|name| name == QUEUE))
    }

    async fn check_alone(
        &self,
        due: CheckDue,
        cancel: &CancellationToken,
    ) -> Result<(), ProcessorError> {
        let thing = Uuid::new_v5(&Uuid::NAMESPACE_OID, NAME.as_bytes());
        let Some(alone) = self.queries.try_alone_with(thing).await? else { return Ok(()) };
        let _working = self.scanning.checking.begin();
        let started = Instant::now();
        let files = match (due.work, due.check) {
            (CheckWork::Look, Check::MissingFile) => {
                let files = self.look_for_lost(cancel).await?;
                self.make_lost_pictures_again(cancel).await?;
                files
            }
            (CheckWork::Look, Check::UntrackedFile) => self.look_for_untracked(cancel).await?,
            (CheckWork::Look, Check::ChecksumMismatch) => self.compare_digests(cancel).await?,
            (CheckWork::LookAgain, check) => self.look_again(check, cancel).await?,
            (CheckWork::Clear, check) => self.clear(check, cancel).await?,
        };
        alone.end().await?;
        if cancel.is_cancelled() {
            return Ok(());
        }
        let counts = self.report_store().counts().await?;
        let name = due.check.as_str();
        let found = counts.iter().find(|(check, _)| check == name).map_or(0, |(_, count)| *count);
        let found = u64::try_from(found).unwrap_or_default();
        let ctx = self.context(NAME, self.commands.ids().v7(), None);
        let done = IntegrityCheckDone { upto: due.number, files, found };
        self.commands.record_check(&ctx, due.check, done).await?;
        metrics::histogram!("calotype_check_seconds", "check" => name)
            .record(started.elapsed().as_secs_f64());
        if found > 0 {
            warn!(check = name, files, found, "stored files are not as they should be");
        } else {
            info!(check = name, files, "stored files are as they should be");
        }
        Ok(())
    }

    pub(crate) fn report_store(&self) -> Findings {
        Findings::new(self.pool.clone())
    }
}
