//! Develops an asset: reads what the file says about itself, and makes thumbnail, preview and thumbhash,
//! with one read and one decode for both.

mod facts;
mod failures;
mod pictures;
mod wanted;

use std::time::Duration;

use calotype_commands::assets::Findings;
use calotype_domain::AssetId;
use calotype_media::blob::LocalFile;
use calotype_media::decoder::{DecodeError, Job, Report, Want};
use calotype_media::image::ImageWish;
use calotype_projections::config::Settings;
use tracing::info;

use crate::error::ProcessorError;
use crate::parked;
use crate::priority::Urgency;
use crate::worker::Worker;

use failures::failed;
pub(crate) use failures::failure_code;
pub(crate) use wanted::Wanted;

/// Its name in logs, consumers and the table of parked work.
pub const NAME: &str = "develop";
/// How far the read models may be behind: they may still name pictures that others took the place of.
const BEHIND: Duration = Duration::from_millis(500);
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
        let Some(place) = self.places.take(urgency).await else {
            return Err(ProcessorError::NotYet { after: IN_HAND_WAIT });
        };
        let Some(wanted) = self.wanted(asset_id).await? else {
            return Ok(Developed::NothingWanted);
        };
        let _working = self.in_flight.begin();
        let started = std::time::Instant::now();
        let settings = self.queries.settings().await?;
        let mut findings = self.look_at(asset_id, &wanted, &settings, last_try).await?;
        if wanted.edits {
            self.edit(asset_id, &wanted, &settings, last_try, &mut findings).await?;
        }
        let ctx = self.context(NAME, wanted.correlation_id, Some(wanted.event_id));
        let known = (wanted.asset.clone(), wanted.revision);
        let former =
            if wanted.made.is_empty() { None } else { Some(self.note_former(asset_id).await?) };
        self.commands.record_findings(&ctx, asset_id, known, &findings).await?;
        metrics::histogram!("calotype_develop_seconds").record(started.elapsed().as_secs_f64());
        drop(place);
        if let Some(errand_id) = former {
            tokio::time::sleep(BEHIND).await;
            self.sweep_former(asset_id).await?;
            self.forget_errand(errand_id).await?;
        }
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
        parked::unpark(&self.pool, NAME, asset_id).await?;
        Ok(Developed::Done)
    }

    /// Reads the file and makes its pictures, as far as that is wanted, with one decode for both.
    async fn look_at(
        &self,
        asset_id: AssetId,
        wanted: &Wanted,
        settings: &Settings,
        last_try: bool,
    ) -> Result<Findings, ProcessorError> {
        if !wanted.metadata && !wanted.thumbnails {
            return Ok(Findings::default());
        }
        // The small one first: nobody who holds a large one waits for room.
        let sidecar = match wanted.asset.places().sidecar() {
            Some(key) => Some(self.source_of(key).await?),
            None => self.sidecar_beside(&wanted.uploaded.original.key).await?,
        };
        let source = self.source_of(&wanted.uploaded.original.key).await?;
        let wish = wanted.image_wish(settings);
        let want = Want { metadata: wanted.metadata, images: wanted.thumbnails.then_some(wish) };
        let path_of = |file: &LocalFile| file.path().to_owned();
        let job = Job { source: path_of(&source), sidecar: sidecar.as_ref().map(path_of), want };
        let decoders = self.decoders.apart(wanted.uploaded.owner_id.uuid());
        let mut report = self.gate.unless_closed(decoders.run(&job)).await?;
        let is_too_large = |report: &Result<Report, DecodeError>| {
            let images = report.as_ref().map(|report| report.images.as_ref());
            matches!(images, Ok(Some(Err(DecodeError::TooLarge { .. }))))
        };
        if wish.full.is_some() && (is_too_large(&report) || report.is_err()) {
            // Smaller pictures may be possible where the one at full size is not.
            let images = job.want.images.map(|wish| ImageWish { full: None, ..wish });
            let smaller = Job { want: Want { images, ..want }, ..job };
            report = self.gate.unless_closed(decoders.run(&smaller)).await?;
        }
        if !self.lies_still(asset_id, &wanted.uploaded.original.key).await? {
            return Err(ProcessorError::NotYet { after: IN_HAND_WAIT });
        }
        match report {
            Ok(report) => self.findings(asset_id, wanted, report, settings).await,
            Err(error) if error.is_worth_retrying() && !last_try => {
                Err(ProcessorError::Decoder(error))
            }
            Err(error) => Ok(failed(wanted, &error, true)),
        }
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
            findings.metadata = Some(facts::metadata(&wanted.uploaded, &report.facts, zone));
            findings.tags = Some(self.tags_of(wanted, &report.facts).await?);
            self.take_faces(asset_id, wanted, &report.facts, settings).await?;
            findings.live = Some(facts::live_parts(&report.facts));
            findings.place = place;
        }
        match report.images {
            Some(Ok(derived)) => {
                let shown = (
                    report.facts.display_width.unwrap_or(derived.preview.width),
                    report.facts.display_height.unwrap_or(derived.preview.height),
                );
                findings.wants_copy = facts::wants_copy(wanted, &report.facts, settings);
                findings.wants_embedding = self.model_for_new(settings).await;
                findings.wants_text = self.reader_for_new(settings).await;
                findings.wants_faces = self.model_for_faces(settings).await;
                let wish = wanted.image_wish(settings);
                self.store_pictures(asset_id, wanted, derived, shown, wish, &mut findings).await?;
            }
            Some(Err(error)) => {
                findings.failures = failed(wanted, &error, false).failures;
            }
            None => {}
        }
        Ok(findings)
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
