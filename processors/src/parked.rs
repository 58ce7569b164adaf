//! Work that processors gave up on, with its reason: rows of `work.parked` of the kind `processor`.

use std::collections::BTreeMap;

use calotype_domain::AssetId;
use calotype_domain::asset::{AssetEvent, Stage};
use calotype_domain::event::DomainEvent as _;
use calotype_domain::queue::{NAMES, stage_of};
use calotype_eventstore::{GlobalPosition, Recorded, Revision, StreamId};
use sqlx::PgPool;
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::worker::Worker;
use crate::{develop, embed, encode, faces, text};

/// Parked streams looked at in one go.
const LOOK_STREAMS: i64 = 500;
/// Events of one stream read in one go.
const PAGE_EVENTS: u32 = 1_000;

/// Parks an asset for a processor, in the place of what was parked of it before.
pub(crate) async fn park(
    pool: &PgPool,
    processor: &str,
    asset_id: AssetId,
    event_id: Uuid,
    code: &str,
    reason: &str,
) -> Result<(), ProcessorError> {
    sqlx::query(
        "with before as (
             delete from work.parked
              where kind = 'processor' and name = $1 and stream_id = $2 and event_id <> $3
             returning attempts
         )
         insert into work.parked as parked
                (kind, name, stream_id, event_id, position, type, reason, code, attempts, parked_at)
         select 'processor', $1, $2, $3, 0, '', $4, $5, coalesce(max(attempts), 0) + 1, now()
           from before
         on conflict (kind, name, stream_id, event_id)
         do update set reason = excluded.reason, code = excluded.code,
                       attempts = parked.attempts + 1, parked_at = excluded.parked_at",
    )
    .bind(processor)
    .bind(format!("asset-{asset_id}"))
    .bind(event_id)
    .bind(reason)
    .bind(code)
    .execute(pool)
    .await?;
    metrics::counter!("calotype_parked_total", "processor" => processor.to_owned()).increment(1);
    Ok(())
}

/// Forgets that an asset was parked, because it went well or is gone.
pub(crate) async fn unpark(
    pool: &PgPool,
    processor: &str,
    asset_id: AssetId,
) -> Result<(), ProcessorError> {
    sqlx::query(
        "delete from work.parked where kind = 'processor' and name = $1 and stream_id = $2",
    )
    .bind(processor)
    .bind(format!("asset-{asset_id}"))
    .execute(pool)
    .await?;
    Ok(())
}

impl Worker {
    /// Forgets what is parked of every asset that has no open step any more: somebody lived with it, or asked for
    /// it again and it went well.
    ///
    /// Asks the log alone: what read models show may be from before, or be empty while they are made anew.
    ///
    /// # Errors
    /// [`ProcessorError`]; what was not looked at stays parked.
    pub async fn forget_settled(&self) -> Result<(), ProcessorError> {
        let cleared = self.cleared().await?;
        let mut after = String::new();
        loop {
            let streams: Vec<String> = sqlx::query_scalar(
                "select distinct stream_id from work.parked
                  where kind = 'processor' and stream_id like 'asset-%' and stream_id > $1
                  order by stream_id limit $2",
            )
            .bind(&after)
            .bind(LOOK_STREAMS)
            .fetch_all(&self.pool)
            .await?;
            let Some(last) = streams.last().cloned() else { return Ok(()) };
            for asset_id in streams.iter().filter_map(|id| id.strip_prefix("asset-")?.parse().ok())
            {
                self.forget_if_settled(asset_id, &cleared).await?;
            }
            after = last;
        }
    }

    /// The same of one asset.
    pub(crate) async fn forget_settled_of(&self, asset_id: AssetId) -> Result<(), ProcessorError> {
        self.forget_if_settled(asset_id, &self.cleared().await?).await
    }

    async fn forget_if_settled(
        &self,
        asset_id: AssetId,
        cleared: &Cleared,
    ) -> Result<(), ProcessorError> {
        let mut open = OpenSteps::default();
        for event in self.events_of(&StreamId::new("asset", asset_id)).await? {
            let at = event.position.map_or(i64::MAX, GlobalPosition::get);
            let decoded =
                AssetEvent::from_raw(&event.event_type, event.version, event.payload.as_str())
                    .map_err(|error| ProcessorError::Command(Box::new(error)))?;
            open.take(&decoded, at);
        }
        if open.are_all_cleared(cleared) {
            for processor in [develop::NAME, encode::NAME, embed::NAME, text::NAME, faces::NAME] {
                unpark(&self.pool, processor, asset_id).await?;
            }
        }
        Ok(())
    }

    /// Where each queue was emptied last, and its failures cleared.
    async fn cleared(&self) -> Result<Cleared, ProcessorError> {
        let mut cleared = Cleared::new();
        for (name, stage) in NAMES.iter().filter_map(|name| Some((name, stage_of(name)?))) {
            for event in self.events_of(&StreamId::new("queue", name)).await? {
                let at = event.position.map_or(i64::MAX, GlobalPosition::get);
                match event.event_type.as_str() {
                    "QueueEmptied" => cleared.insert((stage, Step::Waiting), at),
                    "QueueFailuresCleared" => cleared.insert((stage, Step::Failed), at),
                    _ => None,
                };
            }
        }
        Ok(cleared)
    }

    async fn events_of(&self, stream_id: &StreamId) -> Result<Vec<Recorded>, ProcessorError> {
        let (mut events, mut from) = (Vec::new(), Revision::FIRST);
        loop {
            let page = self.store.read_stream(stream_id, from, PAGE_EVENTS).await?;
            let is_last = page.len() < usize::try_from(PAGE_EVENTS).unwrap_or(usize::MAX);
            from = page.last().map_or(from, |last| Revision::new(last.revision.get() + 1));
            events.extend(page);
            if is_last {
                return Ok(events);
            }
        }
    }
}

/// Why a step is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Waiting,
    Failed,
}

/// Positions at which somebody let every asset go without a step that waited or had failed.
type Cleared = BTreeMap<(Stage, Step), i64>;

/// The steps of an asset that wait or failed, and since which position.
#[derive(Debug, Default)]
struct OpenSteps(BTreeMap<Stage, (Step, i64)>);

impl OpenSteps {
    fn take(&mut self, event: &AssetEvent, at: i64) {
        match event {
            AssetEvent::Uploaded(_) => {
                self.0.extend(Stage::OF_UPLOADS.map(|stage| (stage, (Step::Waiting, at))));
            }
            AssetEvent::Edited(_) => drop(self.0.insert(Stage::Edits, (Step::Waiting, at))),
            AssetEvent::ProcessingRequested(asked) => {
                self.0.insert(asked.stage, (Step::Waiting, at));
            }
            AssetEvent::ProcessingFailed(failed) => {
                self.0.insert(failed.stage, (Step::Failed, at));
            }
            AssetEvent::FailureDismissed(left) => drop(self.0.remove(&left.stage)),
            AssetEvent::MetadataRecorded(_) => drop(self.0.remove(&Stage::Metadata)),
            AssetEvent::ThumbnailsRecorded(_) => drop(self.0.remove(&Stage::Thumbnails)),
            AssetEvent::EditedPicturesRecorded(_) | AssetEvent::EditsRemoved(_) => {
                self.0.remove(&Stage::Edits);
            }
            AssetEvent::VideoEncoded(_) | AssetEvent::VideoEncodingSkipped(_) => {
                self.0.remove(&Stage::Video);
            }
            AssetEvent::Embedded(_) => drop(self.0.remove(&Stage::Embedding)),
            AssetEvent::TextRead(_) => drop(self.0.remove(&Stage::Text)),
            AssetEvent::FacesSearched(_) => drop(self.0.remove(&Stage::Faces)),
            AssetEvent::Purged(_) => self.0.clear(),
            _ => {}
        }
    }

    fn are_all_cleared(&self, cleared: &Cleared) -> bool {
        self.0
            .iter()
            .all(|(stage, (step, at))| cleared.get(&(*stage, *step)).is_some_and(|it| at < it))
    }
}
