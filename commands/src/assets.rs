//! Wishes about assets. The same bytes of one owner are one asset: the reservation of their SHA-1 and the
//! asset's first event are written in one transaction, so a race has one winner.

use std::collections::{BTreeMap, BTreeSet};

use calotype_domain::asset::{
    Asset, AssetCommand, AssetEditedPicturesRecorded, AssetError, AssetEvent,
    AssetFullSizeRecorded, AssetLivePartsFound, AssetMetadataRecorded, AssetPlaceFound,
    AssetProcessingFailed, AssetThumbnailsRecorded, AssetUploaded, Details, KeyValue, Live,
    Organize, Purging, Stage, TextReader, Visibility,
};
use calotype_domain::event::Aggregate as _;
use calotype_domain::model::ModelRef;
use calotype_domain::reservation::{Reservation, ReservationCommand, ReservationError};
use calotype_domain::{AssetId, TagId, UserId};
use calotype_eventstore::{Revision, StreamId};

use crate::bulk::BULK_ASSETS_MAX;
use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;
use crate::holds;
use crate::stacks::{Work, as_asset_refusal};

/// What became of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uploaded {
    /// It is new.
    Created(Outcome),
    /// The owner has these bytes already.
    Duplicate(AssetId),
}

/// An asset that is to be deleted for good.
#[derive(Clone, Copy, Debug)]
pub struct Doomed<'a> {
    /// Why.
    pub why: Purging,
    /// Whose it is.
    pub owner_id: UserId,
    /// Which.
    pub asset_id: AssetId,
    /// The checksum that it holds.
    pub sha1: &'a str,
}

/// What a processor learned about an asset; recorded in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What the file says about itself.
    pub metadata: Option<AssetMetadataRecorded>,
    /// The tags that the file's keywords name.
    pub tags: Option<BTreeSet<TagId>>,
    /// What makes it a part of a live photo.
    pub live: Option<AssetLivePartsFound>,
    /// What its position lies in.
    pub place: Option<AssetPlaceFound>,
    /// The pictures made of it.
    pub thumbnails: Option<AssetThumbnailsRecorded>,
    /// The picture at full size, or that there is to be none.
    pub full_size: Option<AssetFullSizeRecorded>,
    /// The pictures of the edited photo.
    pub edited: Option<AssetEditedPicturesRecorded>,
    /// Whether a copy of the film is to be made that every player shows.
    pub wants_copy: bool,
    /// The model that is to look at its new pictures.
    pub wants_embedding: Option<ModelRef>,
    /// Who is to read what is written in them.
    pub wants_text: Option<TextReader>,
    /// The model that is to look for faces in it.
    pub wants_faces: Option<ModelRef>,
    /// Steps that failed.
    pub failures: Vec<AssetProcessingFailed>,
}

/// The subject whose key seals what an asset's events say.
#[must_use]
pub fn subject(asset_id: AssetId) -> String {
    format!("asset-{asset_id}")
}

pub(crate) fn stream(asset_id: AssetId) -> StreamId {
    StreamId::new("asset", asset_id)
}

/// Each asset once: a stream is appended to once in a transaction.
pub(crate) fn once(asset_ids: &[AssetId]) -> Vec<AssetId> {
    let mut once = asset_ids.to_vec();
    once.sort_unstable();
    once.dedup();
    once
}

/// What a new asset says to some commands, each after the one before.
pub(crate) fn in_a_row(
    mut asset: Asset,
    commands: &[AssetCommand],
) -> Result<Vec<AssetEvent>, AssetError> {
    let mut events = Vec::with_capacity(commands.len());
    for command in commands {
        for event in asset.decide(command)? {
            asset.evolve(&event);
            events.push(event);
        }
    }
    Ok(events)
}

impl Commands {
    pub(crate) fn checksum_stream(&self, owner_id: UserId, sha1: &str) -> StreamId {
        StreamId::new("reservation", self.keyring.hmac("asset-sha1", &format!("{owner_id}/{sha1}")))
    }

    /// Takes in a file that is stored durably, with what its program keeps with it, unless the owner has its
    /// bytes already.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn upload_asset(
        &self,
        ctx: &CommandContext,
        asset_id: AssetId,
        uploaded: AssetUploaded,
        key_values: Vec<KeyValue>,
    ) -> Result<Uploaded, CommandError<AssetError>> {
        let reserve = ReservationCommand::Reserve { holder_id: asset_id.uuid() };
        let checksum = self.checksum_stream(uploaded.owner_id, &uploaded.original.sha1);
        let film = uploaded.live_photo_video_id;
        let is_locked = uploaded.visibility == Visibility::Locked;
        let by = uploaded.owner_id;
        let mut commands = vec![AssetCommand::Upload(Box::new(uploaded))];
        commands.extend(key_values.into_iter().map(|entry| AssetCommand::Organize {
            by: Some(by),
            wish: Organize::SetKeyValue(entry),
        }));
        let events = in_a_row(Asset::default(), &commands).map_err(CommandError::Refused)?;
        // First as if nobody had these bytes, which is almost always so; the append finds out when not.
        let mut is_free = true;
        for _ in 0..=ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            let reserved = if is_free {
                let (free, stream_id) = (Reservation::default(), checksum.clone());
                unit.decide(&free, None, stream_id, None, std::slice::from_ref(&reserve))
            } else {
                unit.apply::<Reservation>(checksum.clone(), None, &reserve).await.map(drop)
            };
            is_free = false;
            match reserved {
                Ok(()) => {}
                Err(CommandError::Refused(ReservationError::Taken { holder_id })) => {
                    return Ok(Uploaded::Duplicate(AssetId::new(holder_id)));
                }
                Err(error) => return Err(error.map_refusal(|_| AssetError::AlreadyExists)),
            }
            if let Some(film) = film {
                // The film of a still behind the PIN must not be read beside it.
                let place = if is_locked { Visibility::Locked } else { Visibility::Hidden };
                let details = Details { visibility: Some(place), ..Details::default() };
                let hide = AssetCommand::ChangeDetails { by, details: Box::new(details) };
                unit.apply::<Asset>(stream(film), Some(subject(film)), &hide).await?;
            }
            // The asset is new by its random id: nothing to load.
            unit.record(None, stream(asset_id), Some(subject(asset_id)), &events)?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(Uploaded::Created(outcome));
            }
        }
        Err(CommandError::Contended)
    }

    /// Changes the same about some assets: all or none of each [`BULK_ASSETS_MAX`]. What may be in albums
    /// goes behind the PIN by [`Commands::change_each_asset`].
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn change_assets(
        &self,
        ctx: &CommandContext,
        by: UserId,
        asset_ids: &[AssetId],
        details: &Details,
    ) -> Result<Outcome, CommandError<AssetError>> {
        let details = Box::new(details.clone());
        self.bulk(ctx, asset_ids, &[AssetCommand::ChangeDetails { by, details }]).await
    }

    /// Puts assets into the trash. Where one stood for a stack, another does so from now on.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn trash_assets(
        &self,
        ctx: &CommandContext,
        by: UserId,
        asset_ids: &[AssetId],
    ) -> Result<Outcome, CommandError<AssetError>> {
        let mut outcome = Outcome::AlreadyTrue;
        for (part, chunk) in once(asset_ids).chunks(BULK_ASSETS_MAX).enumerate() {
            let ctx = self.part_of(ctx, part);
            outcome = outcome.then(self.trash_part(&ctx, by, chunk).await?);
        }
        Ok(outcome)
    }

    /// Takes assets out of the trash.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn restore_assets(
        &self,
        ctx: &CommandContext,
        by: UserId,
        asset_ids: &[AssetId],
    ) -> Result<Outcome, CommandError<AssetError>> {
        self.bulk(ctx, asset_ids, &[AssetCommand::Restore { by }]).await
    }

    /// Asks for a step of processing to be done again.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn request_processing(
        &self,
        ctx: &CommandContext,
        asset_ids: &[AssetId],
        stage: Stage,
    ) -> Result<Outcome, CommandError<AssetError>> {
        self.bulk(ctx, asset_ids, &[AssetCommand::RequestProcessing { stage }]).await
    }

    /// Lives with it that a step of processing failed; the assets go without.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn dismiss_failure(
        &self,
        ctx: &CommandContext,
        asset_ids: &[AssetId],
        stage: Stage,
    ) -> Result<Outcome, CommandError<AssetError>> {
        self.bulk(ctx, asset_ids, &[AssetCommand::DismissFailure { stage }]).await
    }

    /// Deletes assets for good, all of them or none: lets their checksums go, then destroys their keys.
    /// Their files are removed by the processor that hears of it; those of external libraries stay.
    ///
    /// # Errors
    /// [`AssetError::NotTrashed`] when one of them was taken out of the trash that is emptied, or is the film of
    /// none of the others, [`AssetError::Held`] when one is under a legal hold; see [`CommandError`].
    pub async fn purge_assets(
        &self,
        ctx: &CommandContext,
        doomed: &[Doomed<'_>],
    ) -> Result<Outcome, CommandError<AssetError>> {
        let standing = self.standing_holds().await.map_err(holds::failed)?;
        for one in doomed {
            standing.allow_asset(one.asset_id, one.owner_id)?;
        }
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            let (mut work, mut films) = (Work::new(self), BTreeSet::new());
            work.load_assets(doomed.iter().map(|one| one.asset_id))
                .await
                .map_err(as_asset_refusal)?;
            let mut held: BTreeMap<StreamId, Vec<ReservationCommand>> = BTreeMap::new();
            for one in doomed {
                let release = ReservationCommand::Release { holder_id: one.asset_id.uuid() };
                let checksum = self.checksum_stream(one.owner_id, one.sha1);
                held.entry(checksum).or_default().push(release);
                let asset = work.asset(one.asset_id).await.map_err(as_asset_refusal)?;
                if let Some(file) = asset.external() {
                    // The next scan may find the file anew: it is not ours to delete.
                    let path = self.path_stream(file.library_id, &file.path);
                    held.entry(path).or_default().push(release);
                }
                // It leaves its stack with it.
                let command = AssetCommand::Purge(one.why);
                films.extend(work.purge(one.asset_id, command).await.map_err(as_asset_refusal)?);
            }
            let streams: Vec<StreamId> = held.keys().cloned().collect();
            let none =
                |error: CommandError<ReservationError>| error.map_refusal(|_| AssetError::NotFound);
            let loaded = self.load_each::<Reservation>(&streams).await.map_err(none)?;
            for ((stream, releases), (reservation, last)) in held.into_iter().zip(loaded) {
                // Whoever does not hold it has nothing to let go.
                unit.decide(&reservation, last, stream, None, &releases).map_err(none)?;
            }
            let goes_along = |one: &&Doomed<'_>| one.why == Purging::WithStills;
            if !doomed.iter().filter(goes_along).all(|film| films.contains(&film.asset_id)) {
                return Err(CommandError::Refused(AssetError::NotTrashed));
            }
            work.into_unit(&mut unit).await?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                let subjects: Vec<String> =
                    doomed.iter().map(|one| subject(one.asset_id)).collect();
                self.store.forget_all(&subjects).await?;
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// Loads an asset as the rules see it, for a processor that asks what is still wanted.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn asset(&self, asset_id: AssetId) -> Result<Asset, CommandError<AssetError>> {
        self.load::<Asset>(&stream(asset_id)).await.map(|(asset, _)| asset)
    }

    /// Several assets as they are, in the order of the ids; who is unknown has no owner.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn assets(
        &self,
        asset_ids: &[AssetId],
    ) -> Result<Vec<Asset>, CommandError<AssetError>> {
        let streams: Vec<StreamId> = asset_ids.iter().copied().map(stream).collect();
        let loaded = self.load_each::<Asset>(&streams).await?;
        Ok(loaded.into_iter().map(|(asset, _)| asset).collect())
    }

    /// Those of some assets that the log has, and that were not deleted for good. A read model may not have
    /// heard of that yet: nobody is told on its word that their bytes are safe.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn kept_of(
        &self,
        asset_ids: &[AssetId],
    ) -> Result<BTreeSet<AssetId>, CommandError<AssetError>> {
        let streams: Vec<StreamId> = asset_ids.iter().copied().map(stream).collect();
        let loaded = self.load_each::<Asset>(&streams).await?;
        let kept =
            asset_ids.iter().zip(loaded).filter(|(_, (asset, _))| asset.owner_id().is_some());
        Ok(kept.map(|(asset_id, _)| *asset_id).collect())
    }

    /// Records what a processor learned. What is known already is not recorded again.
    ///
    /// `known` is the asset as the processor read it; where it has changed since, it is loaded again.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn record_findings(
        &self,
        ctx: &CommandContext,
        asset_id: AssetId,
        known: (Asset, Revision),
        findings: &Findings,
    ) -> Result<Outcome, CommandError<AssetError>> {
        let mut commands = Vec::new();
        if let Some(facts) = &findings.metadata {
            commands.push(AssetCommand::RecordMetadata(Box::new(facts.clone())));
        }
        if let Some(tags) = &findings.tags {
            commands.push(AssetCommand::RecordTags(tags.clone()));
        }
        if let Some(found) = &findings.live {
            commands.push(AssetCommand::Live { by: None, wish: Live::Found(found.clone()) });
        }
        if let Some(found) = &findings.place {
            commands.push(AssetCommand::RecordPlace(Box::new(found.clone())));
        }
        if let Some(made) = &findings.thumbnails {
            commands.push(AssetCommand::RecordThumbnails(Box::new(made.clone())));
        }
        if let Some(made) = &findings.full_size {
            commands.push(AssetCommand::RecordFullSize(Box::new(made.clone())));
        }
        if let Some(made) = &findings.edited {
            commands.push(AssetCommand::RecordEditedPictures(Box::new(made.clone())));
        }
        if findings.wants_copy {
            commands.push(AssetCommand::RequestProcessing { stage: Stage::Video });
        }
        if let Some(model) = &findings.wants_embedding {
            commands.push(AssetCommand::WantEmbedding(Box::new(model.clone())));
        }
        if let Some(reader) = &findings.wants_text {
            commands.push(AssetCommand::WantText(Box::new(reader.clone())));
        }
        if let Some(model) = &findings.wants_faces {
            commands.push(AssetCommand::WantFaces(Box::new(model.clone())));
        }
        for failure in &findings.failures {
            commands.push(AssetCommand::RecordFailure(Box::new(failure.clone())));
        }
        let (mut asset, mut last) = (known.0, Some(known.1));
        for _ in 0..=ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            unit.decide(&asset, last, stream(asset_id), Some(subject(asset_id)), &commands)?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
            (asset, last) = self.load::<Asset>(&stream(asset_id)).await?;
        }
        Err(CommandError::Contended)
    }
}
