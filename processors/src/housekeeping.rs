//! The process manager of deadlines: trash that is over, accounts whose delay is over, sessions that ended, uploads
//! that nothing came of.

use std::collections::HashSet;
use std::time::Duration;

use calotype_commands::assets::Doomed;
use calotype_commands::users::AccountError;
use calotype_commands::{CommandError, SyncAcks};
use calotype_domain::album::AlbumError;
use calotype_domain::asset::{AssetError, Purging};
use calotype_domain::hold::Held;
use calotype_domain::partner::PartnerError;
use calotype_domain::user::{User, UserError};
use calotype_domain::{AlbumId, AssetId, SessionId, UserId};
use calotype_eventstore::StreamId;
use calotype_media::blob::BlobKey;
use calotype_projections::assets::AssetRow;
use chrono::{DateTime, Local, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::leave::Leave;
use crate::worker::Worker;

/// Its name in the log.
const NAME: &str = "housekeeping";
/// How often deadlines are looked at.
const EVERY: Duration = Duration::from_secs(60);
/// How long after the start the day's work waits: a server that is just starting has other things to do.
const DAILY_AFTER_START: TimeDelta = TimeDelta::minutes(10);
/// Days looked back for the last start; an hour may be missing on the day that clocks are put forward.
const DAYS_LOOKED_BACK: usize = 3;
/// Things done in one round of emptying the trash or of removing an account.
const LOOK_MAX: i64 = 500;
/// Assets of a removed account that are deleted in one transaction.
const PURGED_TOGETHER_MAX: usize = 200;
/// Rounds of emptying the trash or of removing an account in one look.
const ROUNDS_MAX: u32 = 4_000;
/// How often the read model is asked again, before the rest waits for the next look.
const SHOWS_TRIES_MAX: u32 = 200;
/// How long after a round the read model is asked again.
const PURGE_SHOWS_AFTER: Duration = Duration::from_millis(50);
/// How long a mark that the read model has not heard of is waited for.
const MARK_SHOWS_AFTER: Duration = Duration::from_millis(300);

impl Worker {
    /// Looks every minute until cancelled; once a day, at the hour that administrators set, does what is due
    /// daily.
    pub async fn keep_house(self, cancel: CancellationToken) {
        let settled = self.commands.clock().now() + DAILY_AFTER_START;
        let mut done: Option<DateTime<Utc>> = None;
        while !cancel.is_cancelled() {
            let Some(inside) = self.gate.enter_unless(&cancel).await else { break };
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
            let leave = Leave::of_server(&self, Some(&cancel));
            if let Err(error) = self.keep_house_while(now, leave).await {
                warn!(error = &error as &dyn std::error::Error, "cannot keep house now");
            }
            drop(inside);
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
        self.keep_house_while(now, Leave::of_server(self, None)).await
    }

    pub(crate) async fn keep_house_while(
        &self,
        now: DateTime<Utc>,
        leave: Leave<'_>,
    ) -> Result<(), ProcessorError> {
        self.empty_old_trash_while(now, LOOK_MAX, leave).await?;
        self.forget_deleted_albums(now, leave).await?;
        self.remove_deleted_users(now, leave).await?;
        self.clear_incoming(now, leave).await?;
        for session_id in self.queries.sessions_over(now).await? {
            if leave.is_over().await? {
                break;
            }
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
            self.remove_faceless_people(false, Leave::of_server(self, None)).await?;
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

    /// Deletes for good what was in the trash for long enough: `round_assets` after `round_assets` until nothing
    /// is over, so that a large trash does not take hours.
    ///
    /// # Errors
    /// [`ProcessorError`]; what was done stays done.
    pub async fn empty_old_trash(
        &self,
        now: DateTime<Utc>,
        round_assets: i64,
        cancel: &CancellationToken,
    ) -> Result<(), ProcessorError> {
        self.empty_old_trash_while(now, round_assets, Leave::of_server(self, Some(cancel))).await
    }

    async fn empty_old_trash_while(
        &self,
        now: DateTime<Utc>,
        round_assets: i64,
        leave: Leave<'_>,
    ) -> Result<(), ProcessorError> {
        let settings = self.queries.settings().await?;
        // Where there is no trash any more, what is in it goes.
        let days = if settings.is_on("trash.enabled") { settings.number("trash.days") } else { 0 };
        let before = days_before(now, days);
        let mut gone: HashSet<Uuid> = HashSet::new();
        for _ in 0..ROUNDS_MAX {
            if leave.is_over().await? {
                break;
            }
            let Some(stills) = self.trash_without(before, round_assets, &gone).await? else {
                break;
            };
            let is_last = i64::try_from(stills.len()).is_ok_and(|count| count < round_assets);
            gone = stills.iter().map(|still| still.asset_id).collect();
            self.purge_with_films(stills).await?;
            if is_last {
                break;
            }
        }
        Ok(())
    }

    /// The assets and the accounts that are under a legal hold.
    async fn held(&self) -> Result<(Vec<Uuid>, Vec<Uuid>), ProcessorError> {
        let holds = self.commands.holds().await?;
        let (assets, users): (Vec<Held>, Vec<Held>) =
            holds.all().map(|(held, ..)| held).partition(|held| matches!(held, Held::Asset(_)));
        let ids = |held: Vec<Held>| held.into_iter().map(Held::id).collect();
        Ok((ids(assets), ids(users)))
    }

    /// What is over by now and not under a legal hold, once the read model has forgotten what is gone; nothing while
    /// it has not.
    async fn trash_without(
        &self,
        before: DateTime<Utc>,
        round_assets: i64,
        gone: &HashSet<Uuid>,
    ) -> Result<Option<Vec<AssetRow>>, ProcessorError> {
        let (assets, users) = self.held().await?;
        for _ in 0..SHOWS_TRIES_MAX {
            let stills =
                self.queries.trashed_before(before, round_assets, (&assets, &users)).await?;
            if !stills.iter().any(|still| gone.contains(&still.asset_id)) {
                return Ok(Some(stills));
            }
            tokio::time::sleep(PURGE_SHOWS_AFTER).await;
        }
        Ok(None)
    }

    /// Purges what is in the trash, and its films but for those that another still has. What somebody has taken
    /// out again stays, with its film; others that have this film are due at the next look.
    async fn purge_with_films(&self, stills: Vec<AssetRow>) -> Result<(), ProcessorError> {
        for part in self.queries.with_films(stills).await? {
            let stills = part.stills.iter().map(|still| (still, Purging::Trash { by: None }));
            let film = part.film.iter().map(|film| (film, Purging::WithStills));
            self.purge(stills.chain(film)).await?;
        }
        Ok(())
    }

    /// A deleted album can be taken back for as long as the trash keeps what is in it.
    async fn forget_deleted_albums(
        &self,
        now: DateTime<Utc>,
        leave: Leave<'_>,
    ) -> Result<(), ProcessorError> {
        let settings = self.queries.settings().await?;
        let days = if settings.is_on("trash.enabled") { settings.number("trash.days") } else { 0 };
        let before = days_before(now, days);
        for album_id in self.queries.albums_deleted_before(before, LOOK_MAX).await? {
            if leave.is_over().await? {
                break;
            }
            let ctx = self.context(NAME, self.commands.ids().v7(), None);
            self.commands.purge_album(&ctx, AlbumId::new(album_id)).await?;
        }
        Ok(())
    }

    async fn remove_deleted_users(
        &self,
        now: DateTime<Utc>,
        leave: Leave<'_>,
    ) -> Result<(), ProcessorError> {
        let days = self.queries.settings().await?.number("user.deleteDelay");
        let before = days_before(now, days);
        for user in self.queries.users(true).await? {
            let due =
                user.deleted_at.is_some_and(|deleted_at| user.delete_forced || deleted_at < before);
            if !due {
                continue;
            }
            self.remove_account(UserId::new(user.user_id), leave).await?;
        }
        Ok(())
    }

    /// Removes the accounts that are due when one of them was just marked, so that nobody waits for a minute.
    ///
    /// # Errors
    /// [`ProcessorError::NotYet`] while the read model has not heard of it.
    pub(crate) async fn remove_marked_user(&self, user_id: UserId) -> Result<(), ProcessorError> {
        match self.queries.user(user_id.uuid()).await? {
            None => Ok(()),
            Some(user) if user.deleted_at.is_none() => {
                Err(ProcessorError::NotYet { after: MARK_SHOWS_AFTER })
            }
            Some(_) => {
                let leave = Leave::of_server(self, None);
                self.remove_deleted_users(self.commands.clock().now(), leave).await
            }
        }
    }

    /// Removes everything of an account, and then itself. What is left after so many rounds is due at the next
    /// look.
    async fn remove_account(
        &self,
        user_id: UserId,
        leave: Leave<'_>,
    ) -> Result<(), ProcessorError> {
        if leave.is_over().await?
            || self.is_restored(user_id).await?
            || self.is_held(user_id).await?
        {
            return Ok(());
        }
        self.delete_libraries_of(user_id).await?;
        for _ in 0..ROUNDS_MAX {
            let assets = self.queries.assets_of(user_id.uuid(), LOOK_MAX).await?;
            if assets.is_empty() {
                if leave.is_over().await? || self.is_restored(user_id).await? {
                    return Ok(());
                }
                if self.commands.has_assets(&self.pool, user_id).await? {
                    // The read model has not heard of them, and nobody would find their files afterwards.
                    warn!(user.id = %user_id, "a deleted account has assets that do not show, and is kept until they do");
                    return Ok(());
                }
                self.end_sharing(user_id).await?;
                if !self.remove_incoming_of(user_id).await? {
                    info!(user.id = %user_id, "a deleted account is sending a file, and is kept until that ends");
                    return Ok(());
                }
                let ctx = self.context(NAME, self.commands.ids().v7(), None);
                for key in self.queries.people_pictures_of(user_id.uuid()).await? {
                    if let Ok(key) = BlobKey::parse(&key) {
                        self.blobs.remove(&key).await?;
                    }
                }
                return match self.commands.purge_user(&ctx, user_id).await {
                    Ok(_) => {
                        info!(user.id = %user_id, "removed a deleted account");
                        Ok(())
                    }
                    // Restored after we looked, or another process was faster.
                    Err(CommandError::Refused(AccountError::User(
                        UserError::NotDeleted | UserError::NotFound | UserError::Held(_),
                    ))) => Ok(()),
                    Err(error) => Err(error.into()),
                };
            }
            for some in assets.chunks(PURGED_TOGETHER_MAX) {
                // Whoever restores it meanwhile keeps what is left, whatever the read model still says.
                if leave.is_over().await?
                    || self.is_restored(user_id).await?
                    || self.is_held(user_id).await?
                {
                    return Ok(());
                }
                self.purge(some.iter().map(|asset| (asset, Purging::Account))).await?;
            }
            // The read model forgets them shortly.
            tokio::time::sleep(PURGE_SHOWS_AFTER).await;
        }
        Ok(())
    }

    /// Whether an account or anything in it is under a legal hold: then all of it stays.
    async fn is_held(&self, user_id: UserId) -> Result<bool, ProcessorError> {
        let held = self.commands.holds().await?.of_user(user_id);
        if let Some(held) = held {
            info!(user.id = %user_id, held.kind = held.kind(), held.id = %held.id(), "a deleted account is under a legal hold, and is kept");
        }
        Ok(held.is_some())
    }

    /// Whether an account is anybody's again, as the log says.
    async fn is_restored(&self, user_id: UserId) -> Result<bool, ProcessorError> {
        let (user, _) = self.commands.load::<User>(&StreamId::new("user", user_id)).await?;
        Ok(user.is_active())
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

    /// Deletes assets for good: all of them or none, where one was taken out of the trash or is held.
    pub(crate) async fn purge<'a>(
        &self,
        assets: impl Iterator<Item = (&'a AssetRow, Purging)>,
    ) -> Result<(), ProcessorError> {
        let doomed: Vec<Doomed<'_>> = assets
            .map(|(asset, why)| Doomed {
                why,
                owner_id: UserId::new(asset.owner_id),
                asset_id: AssetId::new(asset.asset_id),
                sha1: &asset.sha1,
            })
            .collect();
        let ctx = self.context(NAME, self.commands.ids().v7(), None);
        match self.commands.purge_assets(&ctx, &doomed).await {
            Ok(_) | Err(CommandError::Refused(AssetError::NotTrashed | AssetError::Held(_))) => {
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
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
