//! Faces that another model found before are those that count from now on: what follows a switch, photo by photo.
//!
//! A detection that stands in the log and the groups that were made of it are recorded in one go, so that no photo
//! shows the one without the other. What people said stands above both, as with any model's word.

use std::collections::BTreeSet;

use bytes::Bytes;
use calotype_domain::asset::{Asset, AssetCommand, AssetError, AssetFacesSearched};
use calotype_domain::event::Aggregate as _;
use calotype_domain::faces::{Detection, Faces, FacesCommand, FacesEvent, Guesses, Standing};
use calotype_domain::{AssetId, PersonId};

use crate::assets::{stream as asset_stream, subject};
use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;
use crate::faces::{TagError, by_face, by_person, stream};
use crate::found_faces::VECTORS;

/// The faces of one photo as a model found them, and whose they are by it.
#[derive(Clone, Debug)]
pub struct FollowedFaces {
    /// The photo.
    pub asset_id: AssetId,
    /// What the model found.
    pub detection: Detection,
    /// The vectors of what it found: f16, little-endian, a row for each of `detection.found`.
    pub vectors: Option<Bytes>,
    /// Whose it says that they are.
    pub guesses: Guesses,
}

type Refused = CommandError<TagError>;

/// What follows of one photo: what is found, then whose that is.
///
/// # Errors
/// None in fact: both wishes leave out what is against people's decisions.
pub fn follow(
    faces: &Faces,
    detection: &Detection,
    guesses: &Guesses,
    standing: &Standing,
) -> Result<Vec<FacesEvent>, calotype_domain::faces::FacesError> {
    let mut events = faces.decide(&FacesCommand::RecordDetection(Box::new(detection.clone())))?;
    let mut after = faces.clone();
    events.iter().for_each(|event| after.evolve(event));
    events.extend(after.decide(&FacesCommand::RecordGuesses {
        guesses: Box::new(guesses.clone()),
        standing: standing.clone(),
    })?);
    Ok(events)
}

impl Commands {
    /// Records of some photos what a model found before and whose faces those are by it: all or none of them. A
    /// photo whose file is another one by now is left out. Each may be named once; there may be at most as many as
    /// one decision about people may concern.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn follow_faces(
        &self,
        ctx: &CommandContext,
        photos: &[FollowedFaces],
    ) -> Result<Outcome, Refused> {
        let by_photo = |error: CommandError<AssetError>| error.map_refusal(TagError::Photo);
        for _ in 0..ATTEMPTS_MAX {
            let mut loaded = Vec::with_capacity(photos.len());
            let mut people: BTreeSet<PersonId> = BTreeSet::new();
            for photo in photos {
                let asset = self.load::<Asset>(&asset_stream(photo.asset_id)).await;
                let asset = asset.map_err(by_photo)?;
                if !asset.0.is_the_file(&photo.detection.input_blake3) {
                    continue;
                }
                let faces = self.load::<Faces>(&stream(photo.asset_id)).await.map_err(by_face)?;
                people.extend(faces.0.people());
                people.extend(photo.guesses.faces.iter().map(|guess| guess.person_id));
                loaded.push((photo, asset, faces));
            }
            let (standing, _turn) = self.standing_held(people).await.map_err(by_person)?;
            let mut unit = self.unit(ctx);
            for (photo, (asset, asset_last), (faces, last)) in loaded {
                let detection = &photo.detection;
                let events = follow(&faces, detection, &photo.guesses, &standing);
                let events =
                    events.map_err(|error| CommandError::Refused(TagError::Face(error)))?;
                let is_found = matches!(events.first(), Some(FacesEvent::Detected(_)));
                let of_photo = || Some(subject(photo.asset_id));
                unit.record(last, stream(photo.asset_id), of_photo(), &events)?;
                if let (true, Some(vectors)) = (is_found, &photo.vectors) {
                    unit.attach_first(VECTORS, vectors.clone());
                }
                let searched = AssetCommand::RecordFacesSearched(Box::new(AssetFacesSearched {
                    model: detection.model.clone(),
                    input_blake3: detection.input_blake3.clone(),
                    found: u32::try_from(detection.found.len()).unwrap_or(u32::MAX),
                }));
                unit.decide(
                    &asset,
                    asset_last,
                    asset_stream(photo.asset_id),
                    of_photo(),
                    std::slice::from_ref(&searched),
                )
                .map_err(by_photo)?;
            }
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// Whom some people stand for by now.
    ///
    /// # Errors
    /// See [`CommandError`]; never a refusal.
    pub async fn standing_of(&self, people: BTreeSet<PersonId>) -> Result<Standing, Refused> {
        self.standing(people).await.map_err(by_person)
    }
}
