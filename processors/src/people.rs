//! Cuts the pictures of people out of previews: of the face somebody chose, or else of the largest.
//!
//! Whose picture is missing stands in the read model. A bell only says that it may be time to look; without
//! bells the look is taken every few seconds.

use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use calotype_domain::asset::{DerivedImage, ProcessorRef, Stage};
use calotype_domain::person::{PersonThumbnailFailed, PersonThumbnailRecorded};
use calotype_domain::{FaceId, PersonId};
use calotype_media::blob::BlobKey;
use calotype_media::decoder::DecodeError;
use calotype_media::image::{CropWish, Picture};
use calotype_projections::people::PersonDue;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::develop::failure_code;
use crate::error::ProcessorError;
use crate::worker::Worker;

/// Its name in the log.
const NAME: &str = "people";
/// Rises when the pictures change.
const VERSION: u32 = 1;
/// Side of a picture in pixels, and the quality of its JPEG: Immich's.
const SIDE_PX: u32 = 250;
const QUALITY: u8 = 80;
/// How often a look is taken without a bell.
const EVERY: Duration = Duration::from_secs(5);
/// How far the read model may be behind the bell.
const BEHIND: Duration = Duration::from_millis(250);
/// Pictures made in one look.
const LOOK_MAX: i64 = 100;
/// How often a picture is tried when the fault may not be the photo's.
const TRIES_MAX: u32 = 5;
/// Faces whose failed tries are remembered at once; then all are forgotten.
const TRIES_REMEMBERED_MAX: usize = 10_000;

impl Worker {
    /// Looks at each bell and every few seconds, until cancelled.
    pub async fn picture_people(self, cancel: CancellationToken) {
        while !cancel.is_cancelled() {
            let Some(inside) = self.gate.enter_unless(&cancel).await else { return };
            let looked = tokio::select! {
                () = cancel.cancelled() => return,
                looked = self.picture_people_once() => looked,
            };
            drop(inside);
            let due = looked.unwrap_or_else(|error| {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot make pictures of people now"
                );
                0
            });
            if due == 0 {
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = self.people_bell.notified() => {}
                    () = tokio::time::sleep(EVERY) => {}
                }
            }
            tokio::time::sleep(BEHIND).await;
        }
    }

    /// Makes the pictures that are missing now; says how many were. Former ones are removed by an errand.
    ///
    /// # Errors
    /// When the read model cannot be asked.
    pub async fn picture_people_once(&self) -> Result<usize, ProcessorError> {
        if self.paused_stages().await?.contains(&Stage::Thumbnails) {
            return Ok(0);
        }
        let missing = self.queries.people_due(LOOK_MAX).await?;
        for due in &missing {
            if self.gate.is_closed() {
                break;
            }
            let person_id = PersonId::new(due.person_id);
            if let Err(error) = self.picture(due).await {
                warn!(person.id = %person_id, error = &error as &dyn std::error::Error, "cannot make a picture of a person");
            }
        }
        Ok(missing.len())
    }

    /// Makes one picture.
    async fn picture(&self, due: &PersonDue) -> Result<(), ProcessorError> {
        match self.cut_out(due).await? {
            Ok(picture) => self.store_picture(due, picture).await,
            Err(error) if error.is_worth_retrying() && !self.is_last_try(due) => {
                Err(ProcessorError::Decoder(error))
            }
            Err(error) => self.give_up(due, &error).await,
        }
    }

    /// Puts a picture that is gone back under its key: the log speaks of it already.
    pub(crate) async fn picture_again(
        &self,
        key: &BlobKey,
        due: &PersonDue,
    ) -> Result<(), ProcessorError> {
        let picture = self.cut_out(due).await?.map_err(ProcessorError::Decoder)?;
        self.blobs.put_derived(key, Bytes::from(picture.bytes)).await?;
        Ok(())
    }

    /// The inner error is the preview's, or the decoder's.
    async fn cut_out(
        &self,
        due: &PersonDue,
    ) -> Result<Result<Picture, DecodeError>, ProcessorError> {
        let source = self.source_of(&due.preview_key).await?;
        let (left, top, right, bottom) = (due.x1, due.y1, due.x2, due.y2);
        let wish = CropWish { left, top, right, bottom, side_px: SIDE_PX, quality: QUALITY };
        Ok(self.decoders.apart(due.owner_id).crop(source.path().to_owned(), wish).await)
    }

    async fn store_picture(&self, due: &PersonDue, picture: Picture) -> Result<(), ProcessorError> {
        let key = BlobKey::person(due.owner_id, due.person_id, self.commands.ids().v4());
        let made = PersonThumbnailRecorded {
            processor: processor(),
            face_id: Some(FaceId::new(due.face_id)),
            input_blake3: due.blake3.clone(),
            image: DerivedImage {
                key: key.to_string(),
                size_bytes: u64::try_from(picture.bytes.len()).unwrap_or(u64::MAX),
                width: picture.width,
                height: picture.height,
            },
        };
        self.blobs.put_derived(&key, Bytes::from(picture.bytes)).await?;
        let ctx = self.context(NAME, self.commands.ids().v7(), None);
        let person_id = PersonId::new(due.person_id);
        let outcome = self.commands.record_person_thumbnail(&ctx, person_id, made).await?;
        if outcome.written().is_none() {
            // Somebody else was faster, or the person is gone.
            self.blobs.remove(&key).await?;
        }
        Ok(())
    }

    async fn give_up(&self, due: &PersonDue, error: &DecodeError) -> Result<(), ProcessorError> {
        let failed = PersonThumbnailFailed {
            processor: processor(),
            face_id: FaceId::new(due.face_id),
            code: failure_code(error).to_owned(),
            reason: error.to_string(),
        };
        info!(person.id = %due.person_id, code = failed.code, "no picture of a person: {}", failed.reason);
        let ctx = self.context(NAME, self.commands.ids().v7(), None);
        let person_id = PersonId::new(due.person_id);
        self.commands.record_person_thumbnail_failure(&ctx, person_id, failed).await?;
        Ok(())
    }

    fn is_last_try(&self, due: &PersonDue) -> bool {
        let mut tries = self.people_tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= TRIES_REMEMBERED_MAX {
            tries.clear();
        }
        let count = tries.entry(due.face_id).or_default();
        *count += 1;
        *count >= TRIES_MAX
    }
}

fn processor() -> ProcessorRef {
    ProcessorRef { name: NAME.into(), version: VERSION }
}
