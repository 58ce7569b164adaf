//! What a file says about itself, as it is recorded.

use std::collections::{BTreeSet, HashMap};

use calotype_commands::named_faces::NamedFace;
use calotype_domain::asset::{
    AssetLivePartsFound, AssetMetadataRecorded, AssetPlaceFound, AssetUploaded, DatasetRef,
    EmbeddedFilm, MediaKind, PersonalMetadata, Place, Position, Stage,
};
use calotype_domain::faces::{Area, PictureSize};
use calotype_domain::{AssetId, PersonId, Sealed, TagId};
use calotype_media::gazetteer::Located;
use calotype_media::metadata::{Face, Facts, resolve_dates};
use calotype_projections::config::Settings;
use chrono::{Datelike as _, NaiveDateTime};
use chrono_tz::Tz;

use super::NAME;
use super::wanted::{Wanted, metadata_processor};
use crate::error::ProcessorError;
use crate::worker::Worker;

/// Keywords of one file that become tags.
const KEYWORDS_MAX: usize = 250;
/// Named faces of one file that are taken over.
const FACES_MAX: usize = 100;

impl Worker {
    /// The owner's tags that the keywords of the file name; those that are not there yet are made.
    pub(super) async fn tags_of(
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

    /// Takes over faces that were named in other programs, where administrators want that.
    pub(super) async fn take_faces(
        &self,
        asset_id: AssetId,
        wanted: &Wanted,
        facts: &Facts,
        settings: &Settings,
    ) -> Result<(), ProcessorError> {
        if facts.faces.is_empty() || !settings.is_on("metadata.faces.import") {
            return Ok(());
        }
        let size = PictureSize {
            width: facts.display_width.unwrap_or_default(),
            height: facts.display_height.unwrap_or_default(),
        };
        let owner_id = wanted.uploaded.owner_id;
        let mut known = HashMap::new();
        let mut faces = Vec::with_capacity(facts.faces.len());
        for face in facts.faces.iter().take(FACES_MAX) {
            let folded = face.name.to_lowercase();
            let found = self.queries.people_by_name(owner_id.uuid(), &face.name, true).await?;
            let same = found.into_iter().find(|person| person.name.to_lowercase() == folded);
            if let Some(person) = same {
                known.insert(folded, PersonId::new(person.person_id));
            }
            let Face { name, left, top, right, bottom } = face.clone();
            faces.push(NamedFace { name, area: Area { left, top, right, bottom } });
        }
        let ctx = self.context(NAME, wanted.correlation_id, Some(wanted.event_id));
        self.commands.import_faces(&ctx, owner_id, asset_id, size, &faces, &known).await?;
        Ok(())
    }

    /// The zone at the file's position, and what the asset's position lies in: where a person says that it
    /// was taken, else where the file says so. Where administrators do not want places named, only the zone.
    pub(super) async fn surroundings(
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
}

/// What is recorded of them.
pub(super) fn metadata(
    uploaded: &AssetUploaded,
    facts: &Facts,
    zone: Option<Tz>,
) -> AssetMetadataRecorded {
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

/// What makes it a half of a live photo, or both.
pub(super) fn live_parts(facts: &Facts) -> AssetLivePartsFound {
    let film = facts.embedded_video_offset.zip(facts.embedded_video_bytes);
    AssetLivePartsFound {
        content_id: facts.content_id.clone(),
        film: film.map(|(offset_bytes, size_bytes)| EmbeddedFilm { offset_bytes, size_bytes }),
    }
}

/// Whether a film that has its pictures now is to be looked at for a copy that every player shows.
pub(super) fn wants_copy(wanted: &Wanted, facts: &Facts, settings: &Settings) -> bool {
    // What is called a film may be a picture.
    let is_film = facts.true_mime.as_deref().is_some_and(|it| it.starts_with("video/"));
    is_film
        && wanted.uploaded.kind == MediaKind::Video
        && !wanted.asset.knows(Stage::Video)
        && settings.text("ffmpeg.transcode") != "disabled"
}

fn has_four_digits(date: NaiveDateTime) -> bool {
    (1..=9_999).contains(&date.year())
}
