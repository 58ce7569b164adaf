//! The process manager of deadlines: trash that is over, accounts whose delay is over, sessions that ended.

use std::time::Duration;

use calotype_commands::{CommandError, SyncAcks};
use calotype_domain::album::AlbumError;
use calotype_domain::partner::PartnerError;
use calotype_domain::{AlbumId, AssetId, SessionId, UserId};
use calotype_media::blob::BlobKey;
use chrono::{DateTime, Local, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::error::ProcessorError;
use crate::worker::Worker;

/// Its name in the log.
const NAME: &str = "housekeeping";
/// How often deadlines are looked at.
const EVERY: Duration = Duration::from_secs(60);
/// How long after the start the day's work waits: a server that is just starting has other things to do.
const DAILY_AFTER_START: TimeDelta = TimeDelta::minutes(10);
/// Days looked back for the last start; an hour may be missing on the day that clocks are put forward.
const DAYS_LOOKED_BACK: usize = 3;
/// Things done in one look.
const LOOK_MAX: i64 = 500;

impl Worker {
    /// Looks every minute until cancelled; once a day, at the hour that administrators set, does what is due
    /// daily.
    pub async fn keep_house(self, cancel: CancellationToken) {
        let settled = self.commands.clock().now() + DAILY_AFTER_START;
        let mut done: Option<DateTime<Utc>> = None;
        while !cancel.is_cancelled() {
            let now = self.commands.clock().now();
            let due = self.day_due(now).await;
            if now >= settled && done.is_none_or(|done| done < due) {
                match self.keep_day(now).await {
                    Ok(()) => done = Some(now),
                    Err(error) => {
                        warn!(
                            error = &error as &dyn std::error::Error,
                            "cannot do the day's work now"
                        );
                    }
                }
            }
            if let Err(error) = self.keep_house_once(now).await {
                warn!(error = &error as &dyn std::error::Error, "cannot keep house now");
            }
            tokio::select! {
                () = cancel.cancelled() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Does what is due at `now`.
    ///
    /// # Errors
    /// [`ProcessorError`]; what was done stays done, the rest is due at the next look.
    pub async fn keep_house_once(&self, now: DateTime<Utc>) -> Result<(), ProcessorError> {
        self.empty_old_trash(now).await?;
        self.remove_deleted_users(now).await?;
        for session_id in self.queries.sessions_over(now).await? {
            let ctx = self.context(NAME, self.commands.ids().v7(), None);
            self.commands.close_session(&ctx, SessionId::new(session_id)).await?;
            SyncAcks::new(self.pool.clone()).forget(session_id, None).await?;
        }
        Ok(())
    }

    /// What is due once a day, as far as administrators want it; twice is once.
    ///
    /// # Errors
    /// [`ProcessorError`]; what was done stays done.
    pub async fn keep_day(&self, now: DateTime<Utc>) -> Result<(), ProcessorError> {
        let settings = self.queries.settings().await?;
        if settings.is_on("nightlyTasks.generateMemories") {
            self.make_memories(now.date_naive()).await?;
        }
        if settings.is_on("nightlyTasks.databaseCleanup") {
            self.clean_memories(now).await?;
        }
        Ok(())
    }

    /// Since when the day's work is due. Where the settings cannot be read, since midnight.
    async fn day_due(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let settings = self.queries.settings().await;
        let start =
            settings.as_ref().map_or("", |settings| settings.text("nightlyTasks.startTime"));
        last_start(now.with_timezone(&Local), start).with_timezone(&Utc)
    }

    async fn empty_old_trash(&self, now: DateTime<Utc>) -> Result<(), ProcessorError> {
        let settings = self.queries.settings().await?;
        // Where there is no trash any more, what is in it goes.
        let days = if settings.is_on("trash.enabled") { settings.number("trash.days") } else { 0 };
        let before = days_before(now, days);
        for asset in self.queries.trashed_before(before, LOOK_MAX).await? {
            self.purge(&asset).await?;
        }
        Ok(())
    }

    async fn remove_deleted_users(&self, now: DateTime<Utc>) -> Result<(), ProcessorError> {
        let days = self.queries.settings().await?.number("user.deleteDelay");
        let before = days_before(now, days);
        for user in self.queries.users(true).await? {
            let due =
                user.deleted_at.is_some_and(|deleted_at| user.delete_forced || deleted_at < before);
            if !due {
                continue;
            }
            let assets = self.queries.assets_of(user.user_id, LOOK_MAX).await?;
            if assets.is_empty() {
                self.end_sharing(UserId::new(user.user_id)).await?;
                let ctx = self.context(NAME, self.commands.ids().v7(), None);
                let user_id = UserId::new(user.user_id);
                for key in self.queries.people_pictures_of(user.user_id).await? {
                    if let Ok(key) = BlobKey::parse(&key) {
                        self.blobs.remove(&key).await?;
                    }
                }
                self.commands.purge_user(&ctx, user_id).await?;
                info!(user.id = %user_id, "removed a deleted account");
            }
            for asset in assets {
                self.purge(&asset).await?;
            }
        }
        Ok(())
    }

    /// Takes an account out of all that is shared: its own albums go, others' lose it, partners part.
    async fn end_sharing(&self, user_id: UserId) -> Result<(), ProcessorError> {
        for (album_id, _) in self.queries.album_parts_of(user_id.uuid()).await? {
            let album_id = AlbumId::new(album_id);
            let ctx = self.context(NAME, self.commands.ids().v7(), None);
            match self.commands.remove_album_user(&ctx, None, album_id, user_id).await {
                Err(CommandError::Refused(AlbumError::LastOwner)) => {
                    let ctx = self.context(NAME, self.commands.ids().v7(), None);
                    self.commands.delete_album(&ctx, None, album_id).await?;
                }
                Ok(_)
                | Err(CommandError::Refused(AlbumError::NotFound | AlbumError::HasNoPart(_))) => {}
                Err(error) => return Err(error.into()),
            }
        }
        for (shared_by_id, shared_with_id) in self.queries.partner_pairs_of(user_id.uuid()).await? {
            let ctx = self.context(NAME, self.commands.ids().v7(), None);
            let (by, with) = (UserId::new(shared_by_id), UserId::new(shared_with_id));
            match self.commands.remove_partner(&ctx, None, by, with).await {
                Ok(_) | Err(CommandError::Refused(PartnerError::NotFound)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn purge(
        &self,
        asset: &calotype_projections::assets::AssetRow,
    ) -> Result<(), ProcessorError> {
        let ctx = self.context(NAME, self.commands.ids().v7(), None);
        let asset_id = AssetId::new(asset.asset_id);
        let owner_id = UserId::new(asset.owner_id);
        self.commands.purge_asset(&ctx, None, owner_id, asset_id, &asset.sha1).await?;
        Ok(())
    }
}

/// The last instant at or before `now` at which a clock on the wall shows `start`, such as `23:30`.
fn last_start<Zone: TimeZone>(now: DateTime<Zone>, start: &str) -> DateTime<Zone> {
    let time = NaiveTime::parse_from_str(start, "%H:%M").unwrap_or_default();
    let at = |day: NaiveDate| day.and_time(time).and_local_timezone(now.timezone()).earliest();
    let days = now.date_naive().iter_days().rev();
    days.take(DAYS_LOOKED_BACK).filter_map(at).find(|start| *start <= now).unwrap_or(now)
}

/// Longest delay that is told from forever, in days.
const DAYS_MAX: i64 = 1_000_000;

fn days_before(now: DateTime<Utc>, days: i64) -> DateTime<Utc> {
    TimeDelta::try_days(days.min(DAYS_MAX))
        .and_then(|delay| now.checked_sub_signed(delay))
        .unwrap_or(DateTime::<Utc>::MIN_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_begins_at_the_hour_that_is_set() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let now = at("2026-11-22T12:00:00Z");
        assert_eq!(last_start(now, "09:30"), at("2026-11-22T09:30:00Z"));
        assert_eq!(last_start(now, "12:00"), now);
        assert_eq!(last_start(now, "23:30"), at("2026-11-21T23:30:00Z"));
        assert_eq!(last_start(now, "no time"), at("2026-11-22T00:00:00Z"));
    }
}
