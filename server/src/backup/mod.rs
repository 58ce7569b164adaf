//! `calotype backup`: copies of everything that is no print, to a folder or a bucket, beside a running server.
//!
//! A backup is a manifest, which is written last: `backups/<time>-<position>-<digest>.json`. It names
//! - pieces of the log (`log/`), written once and kept for good; each backup adds those that are new,
//! - the keys of subjects at that moment (`keys/`), small tables that are no prints (`work/`) and the list of files
//!   (`files/`), which go with the manifest when it expires,
//! - files by their digest (`blobs/`), which go when no manifest names them any more.

mod digest;
mod expire;
mod files;
mod keep;
mod log;
mod manifest;
mod part;
mod place;
mod progress;
mod tables;

use anyhow::{Context as _, ensure};
use calotype_domain::Clock as _;
use calotype_eventstore::backup::{LogIs, begin_moment, log_is};
use calotype_media::objects::Objects;
use clap::Args;

use crate::clock::SystemClock;
use crate::operator::{Live, Target, say};
use keep::Keep;

pub(crate) use digest::Digest;
pub(crate) use files::{Entry, FileKind, blob_name, entries};
pub(crate) use log::PART as LOG;
pub(crate) use manifest::{Manifest, Manifests};
pub(crate) use part::{Part, PartReader, read as read_part};
pub(crate) use place::{StoreWords, open as open_place};
pub(crate) use progress::{Progress, count, remark, size};
pub(crate) use tables::{KEYS, SECRETS, SUBJECT_KEYS, WORK, is_kept, table as table_of};

/// `calotype backup …`
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Backup {
    /// Where to: a folder, or `s3://BUCKET/FOLDER`.
    to: String,
    /// How long keys, small tables and the files of what was deleted stay in the backup; later backups remove what
    /// is older. `30d`, `12h`, `4w`.
    #[arg(long, value_name = "TIME", default_value = "30d")]
    keys_keep: Keep,
    /// Put the master key and the key that signs into the backup, too. Whoever has it can then read everything.
    #[arg(long)]
    with_master_key: bool,
    #[command(flatten)]
    store: StoreWords,
}

/// Makes a backup. False where an original was missing or damaged: the backup is whole without it.
///
/// # Errors
/// When the folder, its database or the place of the backup cannot be used; what was copied stays, and the next
/// backup goes on from there.
pub async fn backup(target: &Target, wish: Backup) -> anyhow::Result<bool> {
    let live = Box::pin(Live::open(target)).await?;
    let done = Box::pin(run(&live, &wish)).await;
    live.close().await;
    done
}

async fn run(live: &Live, wish: &Backup) -> anyhow::Result<bool> {
    let objects = place::open(&wish.to, &wish.store, &live.config)?;
    place::require_apart(&wish.to, live)?;
    let held = objects.lock().await?;
    let done = match held.during(copy(live, wish, &objects)).await {
        Ok(done) => done,
        Err(lost) => Err(lost.into()),
    };
    // Whatever was copied stays; the next backup need not wait for the end of the lease.
    if let Err(error) = held.release().await {
        remark(&format!("{:#}", anyhow::Error::new(error).context("the place was not let go")));
    }
    done
}

async fn copy(live: &Live, wish: &Backup, objects: &Objects) -> anyhow::Result<bool> {
    let known = Manifests::read(objects).await?;
    for name in &known.damaged {
        remark(&format!("{name} is damaged, and does not count as a backup"));
    }
    live.settle().await?;
    let mut manifest = begin(live, wish, &known, objects).await?;
    log::copy(live, &mut manifest, known.last(), objects).await?;
    live.wait_applied(manifest.position).await?;
    let copied = files::copy(live, &mut manifest, objects).await?;
    if wish.with_master_key {
        manifest.secrets = Some(tables::copy_secrets(live, &manifest.id, objects).await?);
    }
    manifest.write(objects).await?;
    let gone = expire::expire(objects, &known, &manifest, wish.keys_keep).await?;
    tell(&manifest, known.last(), &copied, &gone);
    Ok(copied.lost.is_empty() && copied.parked == 0)
}

/// Fixes the position, and copies what belongs to that moment.
async fn begin(
    live: &Live,
    wish: &Backup,
    known: &Manifests,
    objects: &Objects,
) -> anyhow::Result<Manifest> {
    let proofs = live.proofs();
    let head = match proofs.log().sign().await {
        Ok(signed) => signed.map(|signed| signed.note.text),
        Err(error) => {
            let error = anyhow::Error::new(error);
            remark(&format!(
                "no head of the log could be signed, see `calotype verify`: {error:#}"
            ));
            None
        }
    };
    let now = SystemClock.now();
    let mut moment = begin_moment(&live.core.pool).await?;
    let LogIs { log_id, position } = log_is(&mut moment).await?;
    if let Some(last) = known.last() {
        ensure!(
            last.log_id == log_id,
            "the backup there is of another log: each server needs a place of its own"
        );
        require_continued(last, position, &mut moment).await?;
    }
    let mut manifest = Manifest::begin(now, wish.keys_keep.until(now), log_id, position);
    manifest.head = head;
    manifest.public_key = proofs.log().public_key().await.ok();
    manifest.last_event_id = tables::event_at(&mut moment, position).await?;
    manifest.keys = Some(tables::copy_keys(&mut moment, &manifest.id, objects).await?);
    manifest.work = Some(tables::copy_work(&mut moment, &manifest.id, objects).await?);
    moment.rollback().await.context("failed to end the moment")?;
    Ok(manifest)
}

/// Refuses to go on from a backup whose last event is not where it was: a database that was set back has another
/// history from there on.
async fn require_continued(
    last: &Manifest,
    position: i64,
    moment: &mut sqlx::PgConnection,
) -> anyhow::Result<()> {
    let there = tables::event_at(moment, last.position).await?;
    ensure!(
        last.position <= position && there == last.last_event_id,
        "the log is not the one that the last backup ({}) is of: at position {} stands another event, or none. It may \
         have been restored from before that backup; make a backup in another place",
        last.id,
        last.position
    );
    Ok(())
}

fn tell(
    manifest: &Manifest,
    last: Option<&Manifest>,
    copied: &files::Copied,
    gone: &expire::Expired,
) {
    let after = last.map_or(0, |last| last.position);
    let events = u64::try_from(manifest.position - after).unwrap_or_default();
    say(&format!("backup {}", manifest.id));
    say(&format!("log: positions 1 to {}, of them {} new", manifest.position, count(events)));
    say(&format!(
        "files: {}, of them {} new with {}",
        count(copied.files),
        count(copied.new),
        size(copied.new_bytes)
    ));
    if copied.gone > 0 {
        say(&format!("{} were deleted for good meanwhile", count(copied.gone)));
    }
    if gone.backups > 0 {
        say(&format!(
            "expired: {} backups with their keys, and {} files that no other names",
            count(gone.backups),
            count(gone.files)
        ));
    }
    if manifest.secrets.is_some() {
        say("The master key is in this backup: whoever has it can read everything.");
    }
    for lost in &copied.lost {
        say(&lost.line());
    }
    if copied.parked > 0 {
        say(&format!(
            "{} PHOTOS ARE PARKED: their files may not be in it, see `calotype parked list`.",
            count(copied.parked)
        ));
    }
    if copied.lost.is_empty() && copied.parked == 0 {
        say("The backup is whole.");
    } else if !copied.lost.is_empty() {
        let lost = u64::try_from(copied.lost.len()).unwrap_or_default();
        say(&format!("{} ORIGINALS ARE NOT IN IT.", count(lost)));
    }
}
