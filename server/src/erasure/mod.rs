//! Erasing somebody or something: what is deleted for good goes the way of every deletion, and then what that leaves
//! is scrubbed, and a receipt signed (DESIGN: forgetting).
//!
//! Nothing here is written down on the way. Asked for again, an erasure begins anew, and finds done what was done.

mod rows;
mod scrub;
mod told;

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use async_trait::async_trait;
use calotype_api::{Erasing, ErasurePreview, NotErased};
use calotype_commands::assets::Doomed;
use calotype_commands::users::AccountError;
use calotype_commands::{CommandContext, CommandError};
use calotype_domain::album::Album;
use calotype_domain::asset::{AssetError, Purging};
use calotype_domain::erasure::ErasureDone;
use calotype_domain::hold::Held;
use calotype_domain::user::{UserCommand, UserError};
use calotype_domain::{AlbumId, AssetId, CommandId, ErasureId, UserId};
use calotype_eventstore::{EventStore as _, StreamId};
use chrono::SecondsFormat;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::info;

use self::rows::Of;
use self::scrub::{ScrubError, Scrubbed};
use crate::proofs::LogProofs;
use crate::wiring::{Core, Places};

/// How long the work of others is waited for: removing an account, its files, and what the read models keep.
const SETTLES_WITHIN: Duration = Duration::from_secs(1_800);
/// How often that is looked at.
const SETTLES_POLL: Duration = Duration::from_millis(100);
/// Deleted albums that are looked at for those of an account.
const ALBUMS_MAX: i64 = 100_000;
/// What the relay calls its stream.
const STREAM: &str = "CALOTYPE_EVENTS";

/// Erases, one thing at a time.
pub struct Eraser {
    core: Core,
    url: String,
    is_superuser: bool,
    jetstream: Option<jetstream::Context>,
    proofs: LogProofs,
    running: Arc<Mutex<()>>,
}

impl Eraser {
    /// Over the rooms. With a database of somebody else's, what only a superuser may is left to them.
    #[must_use]
    pub fn new(
        core: Core,
        places: &Places,
        jetstream: Option<jetstream::Context>,
        proofs: LogProofs,
    ) -> Self {
        let (url, is_superuser) = match &places.admin_url {
            Some(url) => (url.clone(), true),
            None => (places.owner_url.clone(), false),
        };
        Self { core, url, is_superuser, jetstream, proofs, running: Arc::default() }
    }

    /// Whether it was ever there; an error where it is held.
    async fn ensure_may(&self, erased: Held) -> Result<(), NotErased> {
        let was_there = self.core.queries.has_history(erased.kind(), erased.id()).await;
        if !was_there.map_err(failed)? {
            return Err(NotErased::NotFound);
        }
        let holds = self.core.commands.holds().await.map_err(failed)?;
        let held = match erased {
            Held::User(user_id) => holds.of_user(user_id),
            Held::Asset(asset_id) => {
                let owner_id = self.core.commands.owner_of_held(erased).await.map_err(failed)?;
                owner_id.and_then(|owner_id| holds.of_asset(asset_id, owner_id))
            }
        };
        held.map_or(Ok(()), |held| Err(NotErased::Held(held)))
    }

    /// Deletes an asset for good, with the film that is only its own.
    async fn purge_asset(&self, ctx: &CommandContext, asset_id: AssetId) -> Result<(), NotErased> {
        let known = self.core.queries.asset(asset_id.uuid()).await.map_err(failed)?;
        let Some(row) = known else {
            let there = self.core.commands.owner_of_held(Held::Asset(asset_id)).await;
            return match there.map_err(failed)? {
                Some(_) => Err(NotErased::NotYet("the read models do not show the asset".into())),
                None => Ok(()),
            };
        };
        let parts = self.core.queries.with_films(vec![row]).await.map_err(failed)?;
        for part in &parts {
            let stills = part.stills.iter().map(|still| (still, Purging::Account));
            let film = part.film.iter().map(|film| (film, Purging::WithStills));
            let doomed: Vec<Doomed<'_>> = stills
                .chain(film)
                .map(|(asset, why)| Doomed {
                    why,
                    owner_id: UserId::new(asset.owner_id),
                    asset_id: AssetId::new(asset.asset_id),
                    sha1: &asset.sha1,
                })
                .collect();
            match self.core.commands.purge_assets(ctx, &doomed).await {
                Ok(_) => {}
                Err(CommandError::Refused(AssetError::Held(held))) => {
                    return Err(NotErased::Held(held));
                }
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    /// Marks an account as deleted by force, and waits until it was removed with all that is in it.
    async fn purge_user(&self, ctx: &CommandContext, user_id: UserId) -> Result<(), NotErased> {
        let commands = &self.core.commands;
        match commands.user(ctx, user_id, UserCommand::Delete { force: true }).await {
            // Gone for good already.
            Ok(_) | Err(CommandError::Refused(AccountError::User(UserError::NotFound))) => {}
            Err(error) => return Err(failed(error)),
        }
        let (what, patience) = (Held::User(user_id), Patience::begun());
        loop {
            self.ensure_may(what).await?;
            if commands.owner_of_held(what).await.map_err(failed)?.is_none() {
                break;
            }
            patience.wait("the account is being removed").await?;
        }
        // Albums that were deleted before, and could be taken back for a while.
        let now = commands.clock().now();
        let albums = self.core.queries.albums_deleted_before(now, ALBUMS_MAX).await;
        for album_id in albums.map_err(failed)?.into_iter().map(AlbumId::new) {
            let stream_id = StreamId::new("album", album_id);
            let (album, _) = commands.load::<Album>(&stream_id).await.map_err(failed)?;
            if album.owners().any(|owner_id| owner_id == user_id) {
                commands.purge_album(&self.next(ctx), album_id).await.map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Waits until the read models have heard of everything, and the files are removed.
    async fn settle(&self) -> Result<(), NotErased> {
        let patience = Patience::begun();
        // What was written has no position for a moment, and is not in the head then.
        let last: Option<i64> = sqlx::query_scalar("select max(seq) from log.outbox")
            .fetch_one(&self.core.pool)
            .await
            .map_err(failed)?;
        loop {
            let is_placed: bool =
                sqlx::query_scalar("select not exists (select from log.outbox where seq <= $1)")
                    .bind(last)
                    .fetch_one(&self.core.pool)
                    .await
                    .map_err(failed)?;
            if is_placed {
                break;
            }
            patience.wait("events are being placed").await?;
        }
        let head = self.core.store.head().await.map_err(failed)?;
        let mut names = checkpoint_names();
        names.extend(["errands", "relay"].map(str::to_owned));
        loop {
            let is_settled: bool = sqlx::query_scalar(
                "select not exists (select from work.checkpoints
                                     where position < $1 and name = any($2))
                    and not exists (
                        select from work.rebuilds
                         where state = 'running' and position between 1 and $1 - 1)
                    and not exists (
                        select from work.errands
                         where kind in ('AssetPurged', 'PersonDeleted', 'PersonMergedInto'))",
            )
            .bind(head.get())
            .bind(&names)
            .fetch_one(&self.core.pool)
            .await
            .map_err(failed)?;
            if is_settled {
                return Ok(());
            }
            patience.wait("files and rows are being removed").await?;
        }
    }

    /// A read model that could not apply an event of it shows what was before, and its checkpoint goes on all the
    /// same: its rows would outlive the receipt.
    async fn ensure_nothing_waits(&self, erased: Held, of: &Of) -> Result<(), NotErased> {
        let waits = rows::held_up_by(&self.core.pool, erased, of, &checkpoint_names()).await;
        match waits.map_err(failed)? {
            None => Ok(()),
            Some(name) => Err(NotErased::NotYet(format!(
                "events of it wait for the read model {name}: retry or discard what is parked first"
            ))),
        }
    }

    /// Removes the messages about it; they hold ids alone. What others of an account waited for is found again.
    async fn purge_messages(&self, erased: Held) -> Result<(), NotErased> {
        let Some(jetstream) = &self.jetstream else { return Ok(()) };
        let stream = jetstream.get_stream(STREAM).await.map_err(failed)?;
        match erased {
            Held::Asset(asset_id) => {
                let subject = format!("events.*.*.{asset_id}");
                stream.purge().filter(subject).await.map_err(failed)?;
            }
            Held::User(_) => {
                stream.purge().await.map_err(failed)?;
            }
        }
        Ok(())
    }

    async fn scrub(&self) -> Result<Scrubbed, NotErased> {
        scrub::scrub(&self.url, self.is_superuser).await.map_err(|error| match error {
            ScrubError::Older | ScrubError::Segments => NotErased::NotYet(error.to_string()),
            ScrubError::Database(error) => failed(error),
        })
    }

    fn next(&self, ctx: &CommandContext) -> CommandContext {
        CommandContext { command_id: CommandId::new(self.core.commands.ids().v7()), ..ctx.clone() }
    }
}

#[async_trait]
impl Erasing for Eraser {
    async fn preview(&self, erased: Held) -> Result<ErasurePreview, NotErased> {
        self.ensure_may(erased).await?;
        let of = rows::gather(&self.core.pool, erased).await.map_err(failed)?;
        let albums = match erased {
            Held::Asset(_) => 0,
            Held::User(user_id) => sqlx::query_scalar(
                "select count(*) from read.album_users_v1 mine
                  where user_id = $1 and role = 'owner' and not exists (
                    select from read.album_users_v1 theirs
                     where theirs.album_id = mine.album_id and theirs.role = 'owner'
                       and theirs.user_id <> $1)",
            )
            .bind(user_id.uuid())
            .fetch_one(&self.core.pool)
            .await
            .map_err(failed)?,
        };
        Ok(ErasurePreview {
            assets: i64::try_from(of.assets.len()).unwrap_or(i64::MAX),
            original_bytes: of.original_bytes,
            albums,
            rows: rows::count(&self.core.pool, erased, &of).await.map_err(failed)?,
        })
    }

    async fn erase(&self, ctx: &CommandContext, erased: Held) -> Result<ErasureDone, NotErased> {
        let Ok(_alone) = self.running.try_lock() else {
            return Err(NotErased::NotYet("another erasure is being done".into()));
        };
        self.ensure_may(erased).await?;
        let mut of = rows::gather(&self.core.pool, erased).await.map_err(failed)?;
        match erased {
            Held::Asset(asset_id) => self.purge_asset(ctx, asset_id).await?,
            Held::User(user_id) => {
                let albums = told::albums_of(&self.core.pool, user_id).await.map_err(failed)?;
                told::take_away(&self.core, ctx, user_id, &albums).await?;
                self.purge_user(ctx, user_id).await?;
                self.settle().await?;
                // Of what was told while the account went.
                told::take_away(&self.core, ctx, user_id, &albums).await?;
            }
        }
        self.settle().await?;
        of.take_films(&self.core.pool).await.map_err(failed)?;
        if let Held::User(user_id) = erased {
            of.take_former(&self.core.pool, user_id.uuid()).await.map_err(failed)?;
        }
        self.ensure_nothing_waits(erased, &of).await?;
        calotype_projections::rebuild::forget_deleted(&self.core.pool).await.map_err(failed)?;
        let work = rows::remove_work(&self.core.pool, erased, &of).await.map_err(failed)?;
        self.purge_messages(erased).await?;
        let scrubbed = self.scrub().await?;
        let left = rows::count(&self.core.pool, erased, &of).await.map_err(failed)?;
        let erasure_id = ErasureId::new(self.core.commands.ids().v4());
        let done_at = self.core.commands.clock().now();
        let mut lines = vec![
            format!("{} {}", erased.kind(), erased.id()),
            format!("erasure {erasure_id}"),
            format!("done {}", done_at.to_rfc3339_opts(SecondsFormat::Micros, true)),
        ];
        lines.extend(destroyed(erased, &of, work));
        lines.extend(scrubbed_lines(scrubbed));
        lines.extend(left.iter().map(|(table, rows)| format!("kept rows of ids {table} {rows}")));
        lines.push(
            "kept events: types, ids, times, digests of files, sealed values without their key"
                .into(),
        );
        let receipt = self.proofs.log().sign_receipt(&lines).await.map_err(failed)?;
        let done = ErasureDone { erasure_id, erased, done_at, receipt };
        self.core.commands.record_erasure(&self.next(ctx), done.clone()).await.map_err(failed)?;
        info!(erased.kind = erased.kind(), erased.id = %erased.id(), erasure.id = %erasure_id, "erased");
        Ok(done)
    }
}

/// The read models of this release: those of former versions stand still.
fn checkpoint_names() -> Vec<String> {
    calotype_projections::projection::all()
        .iter()
        .map(|one| calotype_projections::projection::checkpoint_name(&**one))
        .collect()
}

/// Waits for the work of others, not for ever.
struct Patience {
    deadline: Instant,
}

impl Patience {
    fn begun() -> Self {
        Self { deadline: Instant::now() + SETTLES_WITHIN }
    }

    async fn wait(&self, what: &str) -> Result<(), NotErased> {
        if Instant::now() > self.deadline {
            return Err(NotErased::NotYet(what.to_owned()));
        }
        tokio::time::sleep(SETTLES_POLL).await;
        Ok(())
    }
}

/// What of it was destroyed, a line each. Of what was gone before, only its key is told.
fn destroyed(erased: Held, of: &Of, work: u64) -> Vec<String> {
    let mut lines = vec![format!("destroyed key {}-{}", erased.kind(), erased.id())];
    if !of.assets.is_empty() {
        lines.push(format!(
            "destroyed assets {} with their keys, originals of {} bytes, pictures, copies, vectors and texts",
            of.assets.len(),
            of.original_bytes
        ));
    }
    lines.push(format!("destroyed rows of work {work}"));
    lines.push("destroyed rows of read models, messages".into());
    lines
}

fn scrubbed_lines(scrubbed: Scrubbed) -> Vec<String> {
    let mut lines = vec![format!("scrubbed tables {}", scrubbed.tables)];
    lines.push(if scrubbed.is_whole {
        "scrubbed samples of the planner, write-ahead log".into()
    } else {
        "not scrubbed samples of the planner, write-ahead log: the database is not the server's own"
            .into()
    });
    lines
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> NotErased {
    NotErased::Failed(error.into())
}
