//! What is to be done once after an event, such as removing the files of what was deleted for good.
//!
//! No read model remembers such work, so it is written down: while the checkpoint `errands` moves past an event,
//! its errand is put into `work.errands` in the same transaction, and it leaves that table when it is done.
//! JetStream is not asked. An errand that was cut off is done again; each of them done twice is done once.

mod intake;
mod table;

use calotype_domain::asset::{AssetEvent, Stage};
use calotype_domain::event::DomainEvent as _;
use calotype_domain::person::PersonEvent;
use calotype_domain::queue::{RECOGNITION, STORAGE_TEMPLATE};
use calotype_domain::{AlbumId, AssetId, PersonId};
use calotype_eventstore::{GlobalPosition, Revision, StreamId};
use calotype_media::blob::BlobKey;
use futures::StreamExt as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::duplicates;
use crate::error::ProcessorError;
use crate::looks::look_at_each_move;
use crate::worker::Worker;

pub(crate) use table::Errand;

/// Errands run at once.
const AT_ONCE_MAX: usize = 4;
/// Events of one stream looked at.
const STREAM_EVENTS_MAX: u32 = 10_000;
/// Queues that people may pause, with the errands that wait then.
const PAUSABLE: [(&str, &str); 2] =
    [(duplicates::QUEUE, "AssetEmbedded"), (RECOGNITION, "FacesDetected")];
/// An errand that a processor wrote down itself: pictures that others are about to take the place of.
pub(crate) const FORMER_FILES: &str = "FormerFiles";

impl Worker {
    /// Looks whenever the read models have moved, and every few seconds, until cancelled.
    pub async fn run_errands(
        self,
        applied: watch::Receiver<GlobalPosition>,
        cancel: CancellationToken,
    ) {
        let look = |position| self.run_errands_once(position);
        look_at_each_move(&self.gate, applied, &cancel, "cannot run errands now", look).await;
        info!("errands stopped");
    }

    /// Takes in the errands of what every read model has heard of, and runs those that are due; says whether
    /// more may be.
    ///
    /// # Errors
    /// When a table of work cannot be used. An errand that failed stays, and is due again later.
    pub async fn run_errands_once(&self, applied: GlobalPosition) -> Result<bool, ProcessorError> {
        let is_more = self.take_in_errands(applied).await?;
        let queues = self.queries.paused_queues().await?;
        let paused: Vec<&str> = PAUSABLE
            .into_iter()
            .filter(|(name, _)| queues.iter().any(|queue| queue == name))
            .map(|(_, kind)| kind)
            .collect();
        let mut tx = self.queries.locks().begin().await?;
        let due = table::due_in_tx(&mut tx, &paused).await?;
        if due.is_empty() {
            return Ok(is_more);
        }
        let ran: Vec<(Errand, Result<(), ProcessorError>)> = futures::stream::iter(due)
            .map(|errand| async {
                let result = self.run_errand(&errand).await;
                (errand, result)
            })
            .buffer_unordered(AT_ONCE_MAX)
            .collect()
            .await;
        let mut done = Vec::with_capacity(ran.len());
        for (errand, result) in ran {
            match result {
                Ok(()) => done.push(errand.errand_id),
                Err(ProcessorError::NotYet { after }) => {
                    table::put_off_in_tx(&mut tx, &errand, errand.tries, after).await?;
                }
                Err(error) => {
                    warn!(
                        stream.id = errand.stream_id,
                        kind = errand.kind,
                        tries = errand.tries,
                        error = &error as &dyn std::error::Error,
                        "an errand failed, trying again later"
                    );
                    let after = table::retry_after(errand.tries);
                    table::put_off_in_tx(&mut tx, &errand, errand.tries + 1, after).await?;
                }
            }
        }
        table::forget_in_tx(&mut tx, &done).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn run_errand(&self, errand: &Errand) -> Result<(), ProcessorError> {
        let key = errand.stream_id.split_once('-').map_or("", |(_, key)| key);
        match errand.kind.as_str() {
            "AlbumAssetsAdded" => {
                let Ok(album_id) = key.parse::<AlbumId>() else { return Ok(()) };
                let revision = Revision::new(errand.revision);
                self.tell_album_news(album_id, revision, errand.errand_id).await
            }
            "AssetEditsRemoved" | FORMER_FILES => {
                let Ok(asset_id) = key.parse::<AssetId>() else { return Ok(()) };
                self.sweep_former(asset_id).await
            }
            "AssetEmbedded" => {
                let Ok(asset_id) = key.parse::<AssetId>() else { return Ok(()) };
                self.find_duplicates(asset_id, errand.errand_id).await
            }
            "AssetFailureDismissed" => {
                let Ok(asset_id) = key.parse::<AssetId>() else { return Ok(()) };
                self.forget_settled_of(asset_id).await
            }
            "AssetFilmLinked" => {
                let Ok(asset_id) = key.parse::<AssetId>() else { return Ok(()) };
                self.wish_film_place(asset_id).await
            }
            "AssetMetadataRecorded" => {
                let Ok(asset_id) = key.parse::<AssetId>() else { return Ok(()) };
                self.wish_first_place(asset_id, Revision::new(errand.revision)).await
            }
            "FacesDetected" => {
                let Ok(asset_id) = key.parse::<AssetId>() else { return Ok(()) };
                self.recognise_errand(asset_id, errand.errand_id).await
            }
            "QueueEmptied" if key == STORAGE_TEMPLATE => {
                self.forget_wishes(Revision::new(errand.revision)).await
            }
            "QueueFailuresCleared" if key == STORAGE_TEMPLATE => {
                self.forget_failed_moves(Revision::new(errand.revision)).await
            }
            "QueueEmptied" | "QueueFailuresCleared" => self.forget_settled().await,
            "AssetPurged" => {
                let Ok(asset_id) = key.parse::<AssetId>() else { return Ok(()) };
                self.part_from(asset_id).await?;
                self.sweep(asset_id).await
            }
            "AssetFileDeleted" => {
                let Ok(asset_id) = key.parse::<AssetId>() else { return Ok(()) };
                self.sweep_deleted(asset_id).await
            }
            "AssetVideoEncodingSkipped" => {
                let Ok(asset_id) = key.parse::<AssetId>() else { return Ok(()) };
                self.sweep_copy(asset_id).await
            }
            "PersonDeleted" | "PersonMergedInto" | "PersonThumbnailRecorded" => {
                let Ok(person_id) = key.parse::<PersonId>() else { return Ok(()) };
                self.sweep_person(person_id).await
            }
            _ => Ok(()),
        }
    }

    /// Removes the copy of a film of which none is wanted any more. While one is being made it stays: it is in
    /// the same place.
    pub(crate) async fn sweep_copy(&self, asset_id: AssetId) -> Result<(), ProcessorError> {
        let history = self.asset_events(asset_id).await?;
        let asset = &history.asset;
        if asset.encoded().is_some() || asset.is_asked_for(Stage::Video) {
            return Ok(());
        }
        let copies: Vec<String> = history
            .whats()
            .filter_map(|event| match event {
                AssetEvent::VideoEncoded(made) => Some(made.key.clone()),
                _ => None,
            })
            .collect();
        self.remove_all(&copies).await
    }

    /// Removes the pictures of a person that others took the place of; of somebody who is gone, all.
    async fn sweep_person(&self, person_id: PersonId) -> Result<(), ProcessorError> {
        let stream_id = StreamId::new("person", person_id);
        let recorded =
            self.store.read_stream(&stream_id, Revision::FIRST, STREAM_EVENTS_MAX).await?;
        let (mut former, mut shown) = (Vec::new(), None);
        for event in recorded {
            let decoded =
                PersonEvent::from_raw(&event.event_type, event.version, event.payload.as_str())
                    .map_err(|error| ProcessorError::Command(Box::new(error)))?;
            match decoded {
                PersonEvent::ThumbnailRecorded(made) => {
                    former.extend(shown.replace(made.image.key));
                }
                PersonEvent::Deleted(_) | PersonEvent::MergedInto(_) => former.extend(shown.take()),
                _ => {}
            }
        }
        former.retain(|key| shown.as_ref() != Some(key));
        self.remove_all(&former).await
    }

    /// Removes files. Missing ones count as removed.
    pub(crate) async fn remove_all(&self, keys: &[String]) -> Result<(), ProcessorError> {
        for key in keys {
            if let Ok(key) = BlobKey::parse(key) {
                self.blobs.remove(&key).await?;
            }
        }
        Ok(())
    }
}
