//! One film: look at it, plan, encode, look at what was made, put it in its place, record it.

use std::path::Path;
use std::time::{Duration, Instant};

use calotype_commands::encoded::FilmFound;
use calotype_domain::AssetId;
use calotype_domain::asset::{
    AssetProcessingFailed, AssetUploaded, AssetVideoEncoded, AssetVideoEncodingSkipped,
    ProcessorRef, Stage,
};
use calotype_media::blob::BlobKey;
use calotype_media::decoder::DecodeError;
use calotype_media::transcode::{Film, Plan, Run, TranscodeWish, pass_folder, passes, recipe};
use tracing::{info, warn};
use uuid::Uuid;

use super::{Became, NAME};
use crate::develop::failure_code;
use crate::error::ProcessorError;
use crate::history::History;
use crate::library::as_it_lies;
use crate::parked;
use crate::worker::Worker;

/// Rises when the copies change.
const VERSION: u32 = 1;
/// How much shorter or longer than the film a copy may be, in milliseconds or as a part of it.
const DURATION_OFF_MS: u64 = 2_000;
const DURATION_OFF_PART: u64 = 10;
/// Room on the disk that is left alone, in bytes.
const SPACE_KEPT_BYTES: u64 = 256 << 20;

/// How often a film may be moved while one try lasts.
const MOVES_MAX: u32 = 3;
/// How long a film waits that is moved more often.
const MOVED_WAIT: Duration = Duration::from_secs(60);

/// What came of a film; the error is the film's or the encoder's.
type Copied = Result<FilmFound, DecodeError>;

/// A film that somebody asked a copy of.
struct Wanted {
    /// Its first event, with where it lay when the log was read.
    uploaded: AssetUploaded,
    correlation_id: Uuid,
    event_id: Uuid,
}

fn processor() -> ProcessorRef {
    ProcessorRef { name: NAME.into(), version: VERSION }
}

impl Worker {
    /// Makes the copy of one film, or finds that none is wanted.
    ///
    /// # Errors
    /// [`ProcessorError`]: try again later; nothing was recorded.
    #[tracing::instrument(name = "processors.encode", skip_all, fields(asset.id = %asset_id))]
    pub(super) async fn encode(
        &self,
        asset_id: AssetId,
        last_try: bool,
    ) -> Result<Became, ProcessorError> {
        let Some((wanted, copied)) = self.copy_from_where_it_lies(asset_id).await? else {
            return Ok(Became::NothingWanted);
        };
        let ctx = self.context(NAME, wanted.correlation_id, Some(wanted.event_id));
        let found = match copied {
            Ok(found) => found,
            Err(error) if error.is_worth_retrying() && !last_try => {
                return Err(ProcessorError::Decoder(error));
            }
            Err(error) => {
                let (code, reason) = (failure_code(&error).to_owned(), error.to_string());
                info!(code, "parked a film: {reason}");
                parked::park(&self.pool, NAME, asset_id, wanted.event_id, &code, &reason).await?;
                FilmFound::Failed(AssetProcessingFailed {
                    stage: Stage::Video,
                    processor: processor(),
                    input_blake3: wanted.uploaded.original.blake3.clone(),
                    code,
                    reason,
                })
            }
        };
        let failed = matches!(found, FilmFound::Failed(_));
        self.commands.record_film(&ctx, asset_id, found).await?;
        let is_gone = self.commands.asset(asset_id).await?.owner_id().is_none();
        // Of one that is there no more the copy was put in place too late to be removed with the rest.
        if is_gone {
            self.blobs.remove(&key(asset_id, &wanted.uploaded)).await?;
        }
        if is_gone || !failed {
            parked::unpark(&self.pool, NAME, asset_id).await?;
        }
        Ok(Became::Recorded)
    }

    /// The copy. A film may be moved while it is encoded, and encoders open it several times, minutes apart: one
    /// that failed while the film was moved, or may have read another, is begun anew from where it lies by then.
    async fn copy_from_where_it_lies(
        &self,
        asset_id: AssetId,
    ) -> Result<Option<(Wanted, Copied)>, ProcessorError> {
        let Some(mut wanted) = self.film_wanted(asset_id).await? else { return Ok(None) };
        for _ in 0..MOVES_MAX {
            let copied = self.copy(asset_id, &wanted).await?;
            if copied.is_ok() && self.nothing_else_lies_at(asset_id, &wanted).await? {
                return Ok(Some((wanted, copied)));
            }
            let Some(again) = self.film_wanted(asset_id).await? else { return Ok(None) };
            if again.uploaded.original.key == wanted.uploaded.original.key {
                return Ok(Some((wanted, copied)));
            }
            info!("a film was moved while it was encoded: beginning anew");
            wanted = again;
        }
        Err(ProcessorError::NotYet { after: MOVED_WAIT })
    }

    /// Whether nothing but this film can have been read where it lay at the beginning.
    async fn nothing_else_lies_at(
        &self,
        asset_id: AssetId,
        wanted: &Wanted,
    ) -> Result<bool, ProcessorError> {
        let key = &wanted.uploaded.original.key;
        if self.lies_still(asset_id, key).await? {
            return Ok(true);
        }
        let Ok(key) = BlobKey::parse(key) else { return Ok(true) };
        Ok(self.blobs.stat(&key).await?.is_none())
    }

    async fn film_wanted(&self, asset_id: AssetId) -> Result<Option<Wanted>, ProcessorError> {
        let History { asset, uploaded, events } = self.asset_events(asset_id).await?;
        let (Some(uploaded), Some(last)) = (uploaded, events.last()) else { return Ok(None) };
        let (correlation_id, event_id) = (last.correlation_id, last.event_id);
        let Some(uploaded) = as_it_lies(&asset, uploaded) else { return Ok(None) };
        let is_wanted = asset.is_asked_for(Stage::Video);
        Ok(is_wanted.then_some(Wanted { uploaded, correlation_id, event_id }))
    }

    /// The copy, or word that none is wanted. The inner error is the film's or the encoder's.
    async fn copy(&self, asset_id: AssetId, wanted: &Wanted) -> Result<Copied, ProcessorError> {
        let settings = self.queries.settings().await?;
        let wish = TranscodeWish::of_settings(&settings.document()["ffmpeg"]);
        let source = self.source_of(&wanted.uploaded.original.key).await?;
        let film = match self.transcoder.probe(source.path()).await {
            Ok(film) => film,
            Err(error) => return Ok(Err(error)),
        };
        let plan = Plan::of(&film, &wish);
        if plan == Plan::Nothing {
            return Ok(Ok(FilmFound::Skipped(AssetVideoEncodingSkipped {
                processor: processor(),
                input_blake3: wanted.uploaded.original.blake3.clone(),
                video_codec: film.video.map(|it| it.codec),
                audio_codec: film.audio.map(|it| it.codec),
            })));
        }
        let space = self.blobs.space().await?;
        let needed = wanted.uploaded.original.size_bytes.saturating_add(SPACE_KEPT_BYTES);
        if space.available_bytes < needed {
            let reason = "there is no room on the disk for a copy of the film".to_owned();
            return Ok(Err(DecodeError::Unavailable { reason }));
        }
        let (started, made) = (Instant::now(), self.blobs.begin_derived().await?);
        let making = self.make(asset_id, &film, &wish, plan, (source.path(), made.path()));
        let (recipe, copy) = match self.gate.unless_closed(making).await? {
            Ok(made) => made,
            Err(error) => return Ok(Err(error)),
        };
        let Some(picture) = copy.video else {
            return Ok(Err(corrupt("the copy has no picture")));
        };
        let key = key(asset_id, &wanted.uploaded);
        let size_bytes = made.commit(&key).await?;
        metrics::histogram!("calotype_encode_seconds").record(started.elapsed().as_secs_f64());
        metrics::counter!("calotype_encoded_bytes_total").increment(size_bytes);
        Ok(Ok(FilmFound::Encoded(AssetVideoEncoded {
            processor: processor(),
            input_blake3: wanted.uploaded.original.blake3.clone(),
            recipe,
            key: key.to_string(),
            size_bytes,
            video_codec: picture.codec,
            audio_codec: copy.audio.map(|it| it.codec),
            width: picture.width,
            height: picture.height,
            duration_ms: copy.duration_ms,
        })))
    }

    /// Encodes with the hardware that administrators want, else without it; says how, and what came
    /// of it.
    async fn make(
        &self,
        asset_id: AssetId,
        film: &Film,
        wish: &TranscodeWish,
        plan: Plan,
        (source, made): (&Path, &Path),
    ) -> Result<(String, Film), DecodeError> {
        let _logs = PassLogs(made);
        let mut last = corrupt("nothing was tried");
        for attempt in wish.attempts() {
            let passes = passes(film, &attempt, plan);
            match self.make_once(asset_id, film, &attempt, &passes, (source, made)).await {
                Ok(copy) => return Ok((recipe(&passes), copy)),
                Err(error @ DecodeError::Unavailable { .. }) => return Err(error),
                Err(error) => {
                    if attempt.accel.is_some() {
                        warn!(
                            error = &error as &dyn std::error::Error,
                            "hardware did not encode a film"
                        );
                    }
                    last = error;
                }
            }
        }
        Err(last)
    }

    async fn make_once(
        &self,
        asset_id: AssetId,
        film: &Film,
        attempt: &TranscodeWish,
        passes: &[Vec<String>],
        (source, made): (&Path, &Path),
    ) -> Result<Film, DecodeError> {
        let count = u64::try_from(passes.len()).unwrap_or(1).max(1);
        let whole_ms = film.duration_ms.unwrap_or(u64::MAX).saturating_mul(count).max(1);
        let mut before_ms = 0;
        for args in passes {
            let run = Run {
                args,
                film: source,
                made,
                duration_ms: film.duration_ms,
                is_hardware: attempt.accel.is_some(),
            };
            let tell = |made_ms: u64| {
                let percent = (before_ms + made_ms).saturating_mul(100) / whole_ms;
                self.encoding.tell(asset_id, Some(u8::try_from(percent.min(100)).unwrap_or(100)));
            };
            self.transcoder.run(run, tell).await?;
            before_ms += film.duration_ms.unwrap_or(0);
        }
        let copy = self.transcoder.probe(made).await?;
        if let (Some(film_ms), Some(copy_ms)) = (film.duration_ms, copy.duration_ms)
            && film_ms.abs_diff(copy_ms) > (film_ms / DURATION_OFF_PART).max(DURATION_OFF_MS)
        {
            return Err(corrupt(&format!("the film ends after {copy_ms} of {film_ms} ms")));
        }
        Ok(copy)
    }
}

fn key(asset_id: AssetId, uploaded: &AssetUploaded) -> BlobKey {
    BlobKey::encoded_video(uploaded.owner_id.uuid(), asset_id.uuid())
}

fn corrupt(reason: &str) -> DecodeError {
    DecodeError::Corrupt { reason: reason.to_owned() }
}

/// What two passes leave beside the copy; removed when dropped.
struct PassLogs<'a>(&'a Path);

impl Drop for PassLogs<'_> {
    fn drop(&mut self) {
        std::fs::remove_dir_all(pass_folder(self.0)).unwrap_or_default();
    }
}
