//! From the log to `work.errands`: which events are followed by an errand, each once.

use calotype_domain::queue::RECOGNITION;
use calotype_eventstore::{GlobalPosition, Recorded, StreamId};
use sqlx::PgConnection;

use crate::error::ProcessorError;
use crate::moves::ENABLED;
use crate::worker::Worker;

/// Name in `work.checkpoints`.
const CHECKPOINT: &str = "errands";
/// Events looked at in one transaction.
const INTAKE_EVENTS_MAX: u32 = 1_000;
/// The types of events that are followed by an errand.
const KINDS: [&str; 13] = [
    "AlbumAssetsAdded",
    "AssetEditsRemoved",
    "AssetEmbedded",
    "AssetFailureDismissed",
    "AssetFileDeleted",
    "AssetPurged",
    "AssetVideoEncodingSkipped",
    "FacesDetected",
    "PersonDeleted",
    "PersonMergedInto",
    "PersonThumbnailRecorded",
    "QueueEmptied",
    "QueueFailuresCleared",
];
/// Those that are followed by one while a storage template is switched on: there is one of them for every upload.
const OF_TEMPLATES: [&str; 2] = ["AssetFilmLinked", "AssetMetadataRecorded"];

impl Worker {
    /// Moves the checkpoint at most up to what every read model has applied, because errands ask those, and
    /// writes the errands of what it passes; says whether there is more.
    ///
    /// A lost checkpoint starts from zero: every errand of the log is run again, and changes nothing.
    pub(super) async fn take_in_errands(
        &self,
        applied: GlobalPosition,
    ) -> Result<bool, ProcessorError> {
        let known: Option<i64> =
            sqlx::query_scalar("select position from work.checkpoints where name = $1")
                .bind(CHECKPOINT)
                .fetch_optional(&self.pool)
                .await?;
        if known.is_some_and(|known| known >= applied.get()) {
            return Ok(false);
        }
        let has_template = self.queries.settings().await?.is_on(ENABLED);
        // Begun before the log is read: a position from before a crash of the database may be given to other
        // events since, and this connection does not outlive one. Nothing is locked while the log is read.
        let mut tx = self.pool.begin().await?;
        let stored: Option<i64> =
            sqlx::query_scalar("select position from work.checkpoints where name = $1")
                .bind(CHECKPOINT)
                .fetch_optional(&mut *tx)
                .await?;
        let after = GlobalPosition::new(stored.unwrap_or_default());
        let limit = applied.min(self.store.head().await?);
        if limit <= after {
            return Ok(false);
        }
        let events = self.store.read_all(after, INTAKE_EVENTS_MAX).await?;
        let is_full = events.len() >= usize::try_from(INTAKE_EVENTS_MAX).unwrap_or(usize::MAX);
        let last = events.last().and_then(|event| event.position).filter(|_| is_full);
        let to = last.map_or(limit, |last| last.min(limit));
        let wanted = events.iter().filter(|event| {
            event.position.is_some_and(|position| position <= to)
                && (KINDS.contains(&event.event_type.as_str())
                    || (has_template && OF_TEMPLATES.contains(&event.event_type.as_str())))
        });
        let wanted: Vec<&Recorded> = wanted.collect();
        let text = |of: fn(&Recorded) -> &str| -> Vec<String> {
            wanted.iter().map(|event| of(event).to_owned()).collect()
        };
        // Whoever moved it meanwhile has written these errands, or has reset the log.
        let is_mine = sqlx::query(
            "insert into work.checkpoints as checkpoints (name, position) values ($1, $2)
             on conflict (name) do update set position = excluded.position, updated_at = now()
              where checkpoints.position = $3",
        )
        .bind(CHECKPOINT)
        .bind(to.get())
        .bind(after.get())
        .execute(&mut *tx)
        .await?
        .rows_affected();
        if is_mine == 0 {
            return Ok(false);
        }
        sqlx::query(
            "insert into work.errands (errand_id, kind, stream_id, revision, position)
             select * from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
             on conflict (errand_id) do nothing",
        )
        .bind(wanted.iter().map(|event| event.event_id).collect::<Vec<_>>())
        .bind(text(|event| &event.event_type))
        .bind(text(|event| event.stream_id.as_str()))
        .bind(wanted.iter().map(|event| event.revision.get()).collect::<Vec<_>>())
        .bind(
            wanted
                .iter()
                .map(|event| event.position.map_or(0, GlobalPosition::get))
                .collect::<Vec<_>>(),
        )
        .execute(&mut *tx)
        .await?;
        let recognition = StreamId::new("queue", RECOGNITION);
        let emptied = wanted
            .iter()
            .rfind(|event| event.event_type == "QueueEmptied" && event.stream_id == recognition);
        if let Some(position) = emptied.and_then(|event| event.position) {
            forget_recognitions_in_tx(&mut tx, position).await?;
        }
        tx.commit().await?;
        Ok(to < limit)
    }
}

/// Takes the photos off the queue whose faces wait since before it was emptied, but for those in hand.
async fn forget_recognitions_in_tx(
    tx: &mut PgConnection,
    emptied: GlobalPosition,
) -> Result<(), ProcessorError> {
    sqlx::query(
        "delete from work.errands
          where errand_id in (
            select errand_id from work.errands
             where kind = 'FacesDetected' and position < $1
               for update skip locked)",
    )
    .bind(emptied.get())
    .execute(tx)
    .await?;
    Ok(())
}
