//! Develops an asset: reads what the file says about itself, and makes thumbnail, preview and thumbhash,
//! with one read and one decode for both.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use calotype_commands::assets::Findings;
use calotype_domain::asset::{
    Asset, AssetEvent, AssetMetadataRecorded, AssetPlaceFound, AssetProcessingFailed,
    AssetThumbnailsRecorded, AssetUploaded, DatasetRef, DerivedImage, PersonalMetadata, Place,
    Position, ProcessorRef, Stage,
};
use calotype_domain::event::{Aggregate as _, DomainEvent as _};
use calotype_domain::{AssetId, Sealed, TagId};
use calotype_eventstore::{Revision, StreamId};
use calotype_media::blob::BlobKey;
use calotype_media::decoder::{DecodeError, Job, Report, Want};
use calotype_media::gazetteer::Located;
use calotype_media::image::{Derived, ImageFormat, ImageWish, Picture};
use calotype_media::metadata::{Facts, resolve_dates};
use calotype_projections::config::Settings;
use chrono::{Datelike as _, NaiveDateTime};
use chrono_tz::Tz;
use tracing::{info, warn};
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::parked;
use crate::priority::Urgency;
use crate::worker::Worker;

/// Its name in logs, consumers and the table of parked work.
pub const NAME: &str = "develop";
/// Rises when what is read of a file changes.
const METADATA_VERSION: u32 = 3;
/// Rises when the pictures made of a file change.
const THUMBNAILS_VERSION: u32 = 2;
/// Events of one asset looked at.
const ASSET_EVENTS_MAX: u32 = 10_000;
/// Sides of pictures that are made, in pixels, whatever the settings say.
const SIDE_PX_MIN: u32 = 16;
const SIDE_PX_MAX: u32 = 8_192;
/// Keywords of one file that become tags.
const KEYWORDS_MAX: usize = 250;
/// How long to wait before an asset in hand is tried again.
const IN_HAND_WAIT: Duration = Duration::from_secs(2);

/// What became of one asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Developed {
    /// Results were recorded.
    Done,
    /// Nothing was wanted (any more).
    NothingWanted,
    /// The file cannot be processed; that was recorded and the asset is parked.
    Parked,
}

struct Wanted {
    asset: Asset,
    revision: Revision,
    uploaded: AssetUploaded,
    metadata: bool,
    thumbnails: bool,
    correlation_id: Uuid,
    event_id: Uuid,
}

/// Which program reads metadata.
fn metadata_processor() -> ProcessorRef {
    ProcessorRef { name: "metadata".into(), version: METADATA_VERSION }
}

/// Which program makes pictures.
fn thumbnails_processor() -> ProcessorRef {
    ProcessorRef { name: "thumbnails".into(), version: THUMBNAILS_VERSION }
}

impl Worker {
    /// Does what is still wanted of an asset.
    ///
    /// # Errors
    /// [`ProcessorError`]: try again later; nothing was recorded.
    #[tracing::instrument(name = "processors.develop", skip_all, fields(asset.id = %asset_id))]
    pub async fn develop(
        &self,
        asset_id: AssetId,
        urgency: Urgency,
        last_try: bool,
    ) -> Result<Developed, ProcessorError> {
        let Some(_in_hand) = self.take(asset_id) else {
            return Err(ProcessorError::NotYet { after: IN_HAND_WAIT });
        };
        self.places.resize(places(&*self.queries.settings().await?, self.places_max));
        let Some(_place) = self.places.take(urgency).await else {
            return Err(ProcessorError::NotYet { after: IN_HAND_WAIT });
        };
        let Some(wanted) = self.wanted(asset_id).await? else {
            return Ok(Developed::NothingWanted);
        };
        let _working = self.in_flight.begin();
        let started = std::time::Instant::now();
        let source = self.path_of(&wanted.uploaded.original.key)?;
        let sidecar = match wanted.asset.sidecar() {
            Some(sidecar) => Some(self.path_of(&sidecar.key)?),
            None => None,
        };
        let settings = self.queries.settings().await?;
        let want = Want {
            metadata: wanted.metadata,
            images: wanted.thumbnails.then(|| image_wish(&settings)),
        };
        let findings = match self.decoders.run(&Job { source, sidecar, want }).await {
            Ok(report) => self.findings(asset_id, &wanted, report, &settings).await?,
            Err(error) if error.is_worth_retrying() && !last_try => {
                return Err(ProcessorError::Decoder(error));
            }
            Err(error) => failed(&wanted, &error, true),
        };
        let ctx = self.context(NAME, wanted.correlation_id, Some(wanted.event_id));
        let known = (wanted.asset.clone(), wanted.revision);
        self.commands.record_findings(&ctx, asset_id, known, &findings).await?;
        metrics::histogram!("calotype_develop_seconds").record(started.elapsed().as_secs_f64());
        if let Some(failure) = findings.failures.first() {
            info!(asset.id = %asset_id, code = failure.code, "parked an asset: {}", failure.reason);
            parked::park(
                &self.pool,
                NAME,
                asset_id,
                wanted.event_id,
                &failure.code,
                &failure.reason,
            )
            .await?;
            return Ok(Developed::Parked);
        }
        if wanted.was_parked() {
            parked::unpark(&self.pool, NAME, asset_id).await?;
        }
        Ok(Developed::Done)
    }

    fn path_of(&self, key: &str) -> Result<std::path::PathBuf, ProcessorError> {
        BlobKey::parse(key).ok().and_then(|key| self.blobs.local_path(&key)).ok_or_else(|| {
            ProcessorError::Decoder(DecodeError::Unavailable {
                reason: "the blob store has no local path for the file".into(),
            })
        })
    }

    /// Reads the asset's stream and says what is still to be done; `None` when nothing is.
    async fn wanted(&self, asset_id: AssetId) -> Result<Option<Wanted>, ProcessorError> {
        let stream_id = StreamId::new("asset", asset_id);
        let recorded =
            self.store.read_stream(&stream_id, Revision::new(0), ASSET_EVENTS_MAX).await?;
        let mut asset = Asset::default();
        let mut uploaded = None;
        let mut last = None;
        let mut requested: BTreeMap<Stage, i64> = BTreeMap::new();
        for event in recorded {
            last = Some((event.envelope.correlation_id, event.event_id, event.revision));
            let decoded = AssetEvent::from_raw(&event.event_type, event.version, event.payload)
                .map_err(|error| ProcessorError::Command(Box::new(error)))?;
            asset.evolve(&decoded);
            if let AssetEvent::ProcessingRequested(request) = &decoded {
                requested.insert(request.stage, event.revision.get());
            }
            if let AssetEvent::Uploaded(first) = decoded {
                uploaded = Some(first);
            }
        }
        let (Some(uploaded), Some((correlation_id, event_id, revision))) = (uploaded, last) else {
            return Ok(None);
        };
        let left = self.queries.steps_left(asset_id.uuid()).await?;
        let wants = |stage: Stage, processor: ProcessorRef| {
            // What the read model has not heard of yet was asked for after the step was taken off.
            let is_left = left.missing.iter().any(|left| left == stage.as_str())
                && requested.get(&stage).is_none_or(|revision| *revision <= left.revision);
            asset.wants(stage, &processor) && !is_left
        };
        let metadata = wants(Stage::Metadata, metadata_processor());
        let thumbnails = wants(Stage::Thumbnails, thumbnails_processor());
        Ok((metadata || thumbnails).then_some(Wanted {
            asset,
            revision,
            uploaded,
            metadata,
            thumbnails,
            correlation_id,
            event_id,
        }))
    }

    async fn findings(
        &self,
        asset_id: AssetId,
        wanted: &Wanted,
        report: Report,
        settings: &Settings,
    ) -> Result<Findings, ProcessorError> {
        let mut findings = Findings::default();
        if wanted.metadata {
            let named = settings.is_on("reverseGeocoding.enabled");
            let (zone, place) = self.surroundings(wanted, &report.facts, named).await?;
            findings.metadata = Some(metadata(&wanted.uploaded, &report.facts, zone));
            findings.tags = Some(self.tags_of(wanted, &report.facts).await?);
            findings.place = place;
        }
        match report.images {
            Some(Ok(derived)) => {
                let shown = (
                    report.facts.display_width.unwrap_or(derived.preview.width),
                    report.facts.display_height.unwrap_or(derived.preview.height),
                );
                findings.thumbnails = Some(
                    self.store_pictures(asset_id, wanted, derived, shown, image_wish(settings))
                        .await?,
                );
            }
            Some(Err(error)) => {
                findings.failures = failed(wanted, &error, false).failures;
            }
            None => {}
        }
        Ok(findings)
    }

    /// The owner's tags that the keywords of the file name; those that are not there yet are made.
    async fn tags_of(
        &self,
        wanted: &Wanted,
        facts: &Facts,
    ) -> Result<BTreeSet<TagId>, ProcessorError> {
        let keywords: Vec<String> = facts.keywords.iter().take(KEYWORDS_MAX).cloned().collect();
        if keywords.is_empty() {
            return Ok(BTreeSet::new());
        }
        let ctx = self.context(NAME, wanted.correlation_id, Some(wanted.event_id));
        let owner_id = wanted.uploaded.owner_id;
        let (tag_ids, _) = self.commands.upsert_tags(&ctx, owner_id, &keywords).await?;
        Ok(tag_ids.into_iter().collect())
    }

    /// The zone at the file's position, and what the asset's position lies in: where a person says that it
    /// was taken, else where the file says so. Where administrators do not want places named, only the zone.
    async fn surroundings(
        &self,
        wanted: &Wanted,
        facts: &Facts,
        names_places: bool,
    ) -> Result<(Option<Tz>, Option<AssetPlaceFound>), ProcessorError> {
        let of_file = facts.position.map(|position| Position {
            latitude: position.latitude,
            longitude: position.longitude,
        });
        let position = wanted.asset.position_by_person().or(of_file);
        let (Some(gazetteer), Some(position)) = (self.gazetteer.clone(), position) else {
            return Ok((None, None));
        };
        let look = move || {
            let zone = match of_file {
                Some(position) => gazetteer.zone_at(position.latitude, position.longitude)?,
                None => None,
            };
            if !names_places {
                return Ok((zone, None));
            }
            let located = gazetteer.locate(position.latitude, position.longitude)?;
            let dataset = DatasetRef {
                name: gazetteer.dataset().to_owned(),
                version: gazetteer.version().to_owned(),
            };
            let Located { city, state, country } = located;
            let place = Place { position, city, state, country };
            Ok((zone, Some(AssetPlaceFound { dataset, place: place.into() })))
        };
        tokio::task::spawn_blocking(look)
            .await
            .map_err(|error| ProcessorError::Command(Box::new(error)))?
            .map_err(ProcessorError::Places)
    }

    async fn store_pictures(
        &self,
        asset_id: AssetId,
        wanted: &Wanted,
        derived: Derived,
        (display_width, display_height): (u32, u32),
        ImageWish { preview_format, thumbnail_format, .. }: ImageWish,
    ) -> Result<AssetThumbnailsRecorded, ProcessorError> {
        let owner = wanted.uploaded.owner_id.uuid();
        let preview_key = BlobKey::preview(owner, asset_id.uuid(), preview_format);
        let thumbnail_key = BlobKey::thumbnail(owner, asset_id.uuid(), thumbnail_format);
        let preview = named(&preview_key, &derived.preview);
        let thumbnail = named(&thumbnail_key, &derived.thumbnail);
        self.blobs.put_derived(&preview_key, Bytes::from(derived.preview.bytes)).await?;
        self.blobs.put_derived(&thumbnail_key, Bytes::from(derived.thumbnail.bytes)).await?;
        Ok(AssetThumbnailsRecorded {
            processor: thumbnails_processor(),
            input_blake3: wanted.uploaded.original.blake3.clone(),
            thumbhash: STANDARD.encode(&derived.thumbhash),
            thumbnail,
            preview,
            display_width,
            display_height,
        })
    }
}

impl Wanted {
    /// What has only just been uploaded cannot have been parked before.
    fn was_parked(&self) -> bool {
        self.revision > Revision::new(0)
    }
}

/// How many assets are worked on at once: what an administrator says, within what the machine can do.
fn places(settings: &Settings, most: usize) -> usize {
    ["job.thumbnailGeneration.concurrency", "job.metadataExtraction.concurrency"]
        .into_iter()
        .filter_map(|path| usize::try_from(settings.own_number(path)?).ok())
        .max()
        .map_or(most, |wish| wish.clamp(1, most))
}

/// Sizes, formats and qualities as administrators set them.
fn image_wish(settings: &Settings) -> ImageWish {
    let pixels = |path: &str| u32::try_from(settings.number(path)).unwrap_or(u32::MAX);
    let quality = |path: &str| u8::try_from(settings.number(path)).unwrap_or(u8::MAX);
    let format = |path: &str| match settings.text(path) {
        "webp" => ImageFormat::Webp,
        _ => ImageFormat::Jpeg,
    };
    ImageWish {
        thumbnail_px: pixels("image.thumbnail.size").clamp(SIDE_PX_MIN, SIDE_PX_MAX),
        thumbnail_format: format("image.thumbnail.format"),
        preview_format: format("image.preview.format"),
        preview_px: pixels("image.preview.size").clamp(SIDE_PX_MIN, SIDE_PX_MAX),
        thumbnail_quality: quality("image.thumbnail.quality").clamp(1, 100),
        preview_quality: quality("image.preview.quality").clamp(1, 100),
    }
}

fn named(key: &BlobKey, picture: &Picture) -> DerivedImage {
    DerivedImage {
        key: key.as_str().to_owned(),
        size_bytes: u64::try_from(picture.bytes.len()).unwrap_or(u64::MAX),
        width: picture.width,
        height: picture.height,
    }
}

fn metadata(uploaded: &AssetUploaded, facts: &Facts, zone: Option<Tz>) -> AssetMetadataRecorded {
    let mut dates = resolve_dates(facts, uploaded.file_created_at, |_, _| zone);
    if !has_four_digits(dates.file_created_at.naive_utc())
        || !has_four_digits(dates.local_date_time.naive_utc())
    {
        // On UTC's clock the last evening of 9999 is in a year that neither JSON nor PostgreSQL spells.
        let dateless = Facts { taken: None, ..facts.clone() };
        dates = resolve_dates(&dateless, uploaded.file_created_at, |_, _| None);
    }
    AssetMetadataRecorded {
        processor: metadata_processor(),
        input_blake3: uploaded.original.blake3.clone(),
        mime_type: facts.true_mime.clone().unwrap_or_default(),
        width: facts.width,
        height: facts.height,
        orientation: facts.orientation,
        taken_at: dates.file_created_at,
        local_date_time: dates.local_date_time.naive_utc(),
        time_zone: dates.time_zone,
        date_from_file: facts.taken.is_some(),
        make: facts.make.clone(),
        model: facts.model.clone(),
        lens_model: facts.lens_model.clone(),
        f_number: facts.f_number,
        focal_length_mm: facts.focal_length_mm,
        iso: facts.iso,
        exposure_time: facts.exposure_time.clone(),
        fps: facts.fps,
        duration_ms: facts.duration_ms,
        projection_type: facts.projection_type.clone(),
        rating: facts.rating,
        personal: Sealed::Known(PersonalMetadata {
            description: facts.description.clone(),
            position: facts.position.map(|position| Position {
                latitude: position.latitude,
                longitude: position.longitude,
            }),
        }),
    }
}

fn has_four_digits(date: NaiveDateTime) -> bool {
    (1..=9_999).contains(&date.year())
}

/// The short code that failures are recorded with.
pub(crate) fn failure_code(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::Crashed { .. } => "crashed",
        DecodeError::TimedOut => "timed_out",
        DecodeError::OutOfMemory => "out_of_memory",
        DecodeError::Unsupported { .. } => "unsupported",
        DecodeError::Corrupt { .. } => "corrupt",
        DecodeError::TooLarge { .. } => "too_large",
        DecodeError::Unreadable { .. } => "unreadable",
        DecodeError::Unavailable { .. } => "unavailable",
    }
}

/// What is recorded when the file could not be processed: of all that was wanted, or of the pictures alone.
fn failed(wanted: &Wanted, error: &DecodeError, metadata_too: bool) -> Findings {
    let code = failure_code(error);
    if code == "unavailable" {
        warn!(error = error as &dyn std::error::Error, "the decoder program is not available");
    }
    let failure = |stage, processor| AssetProcessingFailed {
        stage,
        processor,
        input_blake3: wanted.uploaded.original.blake3.clone(),
        code: code.to_owned(),
        reason: error.to_string(),
    };
    let mut failures = Vec::new();
    if wanted.metadata && metadata_too {
        failures.push(failure(Stage::Metadata, metadata_processor()));
    }
    if wanted.thumbnails {
        failures.push(failure(Stage::Thumbnails, thumbnails_processor()));
    }
    Findings { failures, ..Findings::default() }
}
