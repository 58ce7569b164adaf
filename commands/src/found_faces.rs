//! Wishes about faces on photos: what models found and guessed. What people decide is in [`crate::faces`].

use std::collections::BTreeSet;

use bytes::Bytes;
use calotype_domain::asset::{Asset, AssetCommand, AssetError, AssetFacesSearched};
use calotype_domain::faces::{Detection, Faces, FacesCommand, Guesses};
use calotype_domain::model::{VectorError, pack};
use calotype_domain::{AssetId, PersonId};

use crate::assets::{stream as asset_stream, subject};
use crate::bulk::BULK_ASSETS_MAX;
use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;
use crate::faces::{TagError, by_face, by_person, stream};

/// The name of the attachment that holds a detection's vectors.
pub const VECTORS: &str = "vectors";

type Refused = CommandError<TagError>;

/// Vectors of faces as they are attached, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaceVectors {
    /// f16, little-endian, unit length, one row for each face.
    pub bytes: Bytes,
    /// Numbers of each.
    pub dims: u32,
    /// BLAKE3 of the bytes, lower-case hex.
    pub blake3: String,
}

impl FaceVectors {
    /// Of faces in the order in which they were found; `None` without a face.
    ///
    /// # Errors
    /// [`VectorError`]; vectors of one model that differ in length are none.
    pub fn new(vectors: &[Vec<f32>]) -> Result<Option<Self>, VectorError> {
        let Some(first) = vectors.first() else { return Ok(None) };
        let dims = u32::try_from(first.len()).map_err(|_| VectorError::Dims(first.len()))?;
        let mut bytes = Vec::with_capacity(vectors.len() * first.len() * 2);
        for vector in vectors {
            if vector.len() != first.len() {
                return Err(VectorError::Dims(vector.len()));
            }
            bytes.extend(pack(vector)?);
        }
        let blake3 = blake3::hash(&bytes).to_hex().to_string();
        Ok(Some(Self { bytes: bytes.into(), dims, blake3 }))
    }
}

impl Commands {
    /// The faces of a photo as they are.
    ///
    /// # Errors
    /// See [`CommandError`]; never a refusal.
    pub async fn faces(&self, asset_id: AssetId) -> Result<Faces, Refused> {
        let (faces, _) = self.load::<Faces>(&stream(asset_id)).await.map_err(by_face)?;
        Ok(faces)
    }

    /// Records what a model found on a photo, with the vectors of the faces: f16, little-endian, one row
    /// for each of `detection.found`; and that it looked. What is known already is not recorded again, and
    /// nothing of a file that the asset is not any more.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn record_faces(
        &self,
        ctx: &CommandContext,
        asset_id: AssetId,
        detection: Detection,
        vectors: Option<Bytes>,
    ) -> Result<Outcome, Refused> {
        let searched = AssetCommand::RecordFacesSearched(Box::new(AssetFacesSearched {
            model: detection.model.clone(),
            input_blake3: detection.input_blake3.clone(),
            found: u32::try_from(detection.found.len()).unwrap_or(u32::MAX),
        }));
        let input_blake3 = detection.input_blake3.clone();
        let command = FacesCommand::RecordDetection(Box::new(detection));
        for _ in 0..ATTEMPTS_MAX {
            let by_photo = |error: CommandError<AssetError>| error.map_refusal(TagError::Photo);
            let (asset, asset_last) =
                self.load::<Asset>(&asset_stream(asset_id)).await.map_err(by_photo)?;
            if !asset.is_the_file(&input_blake3) {
                return Ok(Outcome::AlreadyTrue);
            }
            let (faces, last) = self.load::<Faces>(&stream(asset_id)).await.map_err(by_face)?;
            let mut unit = self.unit(ctx);
            unit.decide(
                &faces,
                last,
                stream(asset_id),
                Some(subject(asset_id)),
                std::slice::from_ref(&command),
            )
            .map_err(by_face)?;
            // Before anything else is decided: it goes to the event that was decided last.
            if let Some(vectors) = &vectors {
                unit.attach(VECTORS, vectors.clone());
            }
            unit.decide(
                &asset,
                asset_last,
                asset_stream(asset_id),
                Some(subject(asset_id)),
                std::slice::from_ref(&searched),
            )
            .map_err(by_photo)?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// Records whose faces a model thinks these are, without what people said otherwise: all or none of
    /// each [`BULK_ASSETS_MAX`] photos. Each photo may be named once.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn assign_faces(
        &self,
        ctx: &CommandContext,
        guesses: &[(AssetId, Guesses)],
    ) -> Result<Outcome, Refused> {
        let mut last = Outcome::AlreadyTrue;
        for chunk in guesses.chunks(BULK_ASSETS_MAX) {
            let outcome = self.assign_chunk(&self.next_command(ctx), chunk).await?;
            if outcome != Outcome::AlreadyTrue {
                last = outcome;
            }
        }
        Ok(last)
    }

    async fn assign_chunk(
        &self,
        ctx: &CommandContext,
        chunk: &[(AssetId, Guesses)],
    ) -> Result<Outcome, Refused> {
        for _ in 0..ATTEMPTS_MAX {
            let mut loaded = Vec::with_capacity(chunk.len());
            let mut people: BTreeSet<PersonId> = BTreeSet::new();
            let streams: Vec<_> = chunk.iter().map(|(asset_id, _)| stream(*asset_id)).collect();
            let each = self.load_each::<Faces>(&streams).await.map_err(by_face)?;
            for ((asset_id, guesses), (faces, last)) in chunk.iter().zip(each) {
                people.extend(faces.people());
                people.extend(guesses.faces.iter().map(|guess| guess.person_id));
                loaded.push((asset_id, faces, last, guesses));
            }
            // One look at each person of the whole chunk.
            let (standing, _turn) = self.standing_held(people).await.map_err(by_person)?;
            let mut unit = self.unit(ctx);
            for (asset_id, faces, last, guesses) in loaded {
                let guesses = Box::new(guesses.clone());
                let command = FacesCommand::RecordGuesses { guesses, standing: standing.clone() };
                unit.decide(
                    &faces,
                    last,
                    stream(*asset_id),
                    Some(subject(*asset_id)),
                    std::slice::from_ref(&command),
                )
                .map_err(by_face)?;
            }
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }
}
