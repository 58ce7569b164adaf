//! Cuts the pictures of people out of previews: of the face somebody chose, or else of the largest.
//!
//! Whose picture is missing stands in the read model. A bell only says that it may be time to look; without
//! bells the look is taken every few seconds.

use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use calotype_domain::asset::{DerivedImage, ProcessorRef};
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

/// What one look did.
#[derive(Debug, Default)]
pub struct Looked {
    /// People whose picture was missing.
    pub due: usize,
    /// Keys of pictures that nobody needs any more.
    replaced: Vec<BlobKey>,
}

impl Worker {
    /// Looks at each bell and every few seconds, until cancelled.
    pub async fn picture_people(self, cancel: CancellationToken) {
        while !cancel.is_cancelled() {
            let looked = tokio::select! {
                () = cancel.cancelled() => return,
                looked = self.picture_people_once() => looked,
            };
            let looked = looked.unwrap_or_else(|error| {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot make pictures of people now"
                );
                Looked::default()
            });
            if looked.due == 0 {
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = self.people_bell.notified() => {}
                    () = tokio::time::sleep(EVERY) => {}
                }
            }
            tokio::time::sleep(BEHIND).await;
            for key in looked.replaced {
                if let Err(error) = self.blobs.remove(&key).await {
                    warn!(%error, "a former picture of a person is left over");
                }
            }
        }
    }

    /// Makes the pictures that are missing now.
    ///
    /// # Errors
    /// When the read model cannot be asked.
    pub async fn picture_people_once(&self) -> Result<Looked, ProcessorError> {
        let mut looked = Looked::default();
        if self.is_paused().await? {
            return Ok(looked);
        }
        for due in self.queries.people_due(LOOK_MAX).await? {
            looked.due += 1;
            let person_id = PersonId::new(due.person_id);
            match self.picture(&due).await {
                Ok(replaced) => looked.replaced.extend(replaced),
                Err(error) => {
                    warn!(person.id = %person_id, error = &error as &dyn std::error::Error, "cannot make a picture of a person");
                }
            }
        }
        Ok(looked)
    }

    /// Makes one picture; says the key of the one it replaces.
    async fn picture(&self, due: &PersonDue) -> Result<Option<BlobKey>, ProcessorError> {
        let source = BlobKey::parse(&due.preview_key)
            .ok()
            .and_then(|key| self.blobs.local_path(&key))
            .ok_or_else(|| DecodeError::Unavailable {
                reason: "the blob store has no local path for the preview".into(),
            });
        let (left, top, right, bottom) = (due.x1, due.y1, due.x2, due.y2);
        let wish = CropWish { left, top, right, bottom, side_px: SIDE_PX, quality: QUALITY };
        let cut = match source {
            Ok(source) => self.decoders.crop(source, wish).await,
            Err(error) => Err(error),
        };
        match cut {
            Ok(picture) => self.store_picture(due, picture).await,
            Err(error) if error.is_worth_retrying() && !self.is_last_try(due) => {
                Err(ProcessorError::Decoder(error))
            }
            Err(error) => self.give_up(due, &error).await.map(|()| None),
        }
    }

    async fn store_picture(
        &self,
        due: &PersonDue,
        picture: Picture,
    ) -> Result<Option<BlobKey>, ProcessorError> {
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
            return Ok(None);
        }
        Ok(due.thumbnail_key.as_deref().and_then(|key| BlobKey::parse(key).ok()))
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
