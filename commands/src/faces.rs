//! Wishes about faces on photos: what people decide. What models found and guessed is in [`crate::found_faces`].

use std::collections::{BTreeMap, BTreeSet};

use calotype_domain::asset::{Asset, AssetError};
use calotype_domain::faces::{Area, Faces, FacesCommand, FacesError, PictureSize, Standing};
use calotype_domain::person::{Person, PersonError};
use calotype_domain::{AssetId, FaceId, PersonId, UserId};
use calotype_eventstore::{Revision, StreamId};

use crate::assets::{stream as asset_stream, subject};
use crate::bulk::BULK_ASSETS_MAX;
use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;
use crate::people::stream as person_stream;
use crate::turns::Everywhere;

/// Why a wish about faces was refused: by the photo, the person or the face.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// The photo.
    #[error("the photo refused")]
    Photo(#[source] AssetError),
    /// The person.
    #[error("the person refused")]
    Person(#[source] PersonError),
    /// The face.
    #[error("the face refused")]
    Face(#[source] FacesError),
}

/// A face that a person draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawing {
    /// Where; nothing for somebody who is on the photo without a place.
    pub area: Option<Area>,
    /// The size of the picture it is drawn on; zero without a place.
    pub size: PictureSize,
    /// Whose.
    pub person_id: PersonId,
}

type Refused = CommandError<TagError>;

pub(crate) fn stream(asset_id: AssetId) -> StreamId {
    StreamId::new("faces", asset_id)
}

pub(crate) fn by_person(error: CommandError<PersonError>) -> Refused {
    error.map_refusal(TagError::Person)
}

pub(crate) fn by_face(error: CommandError<FacesError>) -> Refused {
    error.map_refusal(TagError::Face)
}

impl Commands {
    /// Draws a face; says its id and where that was written.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn draw_face(
        &self,
        ctx: &CommandContext,
        by: UserId,
        asset_id: AssetId,
        drawing: Drawing,
    ) -> Result<(FaceId, Outcome), Refused> {
        self.may_tag(by, asset_id).await?;
        let face_id = FaceId::new(self.ids.v4());
        let Drawing { area, size, person_id } = drawing;
        let command = FacesCommand::Draw { face_id, area, size, person_id };
        for _ in 0..ATTEMPTS_MAX {
            let (faces, last) = self.load::<Faces>(&stream(asset_id)).await.map_err(by_face)?;
            let (_, _turn) = self.standing_held([person_id].into()).await.map_err(by_person)?;
            self.may_recognise(by, person_id).await?;
            if let Some(outcome) =
                self.decide_faces(ctx, asset_id, (&faces, last), &command).await?
            {
                return Ok((face_id, outcome));
            }
        }
        Err(CommandError::Contended)
    }

    /// Lets a photo's faces, loaded at a revision, decide one command, and writes it. `None` says that somebody
    /// else wrote first.
    async fn decide_faces(
        &self,
        ctx: &CommandContext,
        asset_id: AssetId,
        (faces, last): (&Faces, Option<Revision>),
        command: &FacesCommand,
    ) -> Result<Option<Outcome>, Refused> {
        let mut unit = self.unit(ctx);
        let subject = Some(subject(asset_id));
        let commands = std::slice::from_ref(command);
        unit.decide(faces, last, stream(asset_id), subject, commands).map_err(by_face)?;
        unit.commit().await.map_err(CommandError::Append)
    }

    /// Whom people stand for by now, and a turn on each of them and on whom they stand for: while it is held,
    /// nobody merges or deletes them, here or in another process.
    pub(crate) async fn standing_held(
        &self,
        people: BTreeSet<PersonId>,
    ) -> Result<(Standing, Everywhere), CommandError<PersonError>> {
        let mut held = people.clone();
        loop {
            let streams: Vec<StreamId> = held.iter().copied().map(person_stream).collect();
            let turn = self.turns.take_everywhere(&streams).await?;
            let standing = self.standing(people.iter().copied()).await?;
            let known = held.len();
            held.extend(people.iter().filter_map(|person_id| standing.of(*person_id)));
            if held.len() == known {
                return Ok((standing, turn));
            }
            // Turns on several are taken all at once: these are given back first.
        }
    }

    /// Says whose faces these are: all or none of each [`BULK_ASSETS_MAX`] photos.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn confirm_faces(
        &self,
        ctx: &CommandContext,
        by: UserId,
        person_id: PersonId,
        faces: &[(AssetId, FaceId)],
    ) -> Result<Outcome, Refused> {
        let mut by_asset: BTreeMap<AssetId, BTreeSet<FaceId>> = BTreeMap::new();
        for (asset_id, face_id) in faces {
            by_asset.entry(*asset_id).or_default().insert(*face_id);
        }
        let by_asset: Vec<_> = by_asset.into_iter().collect();
        let mut last = Outcome::AlreadyTrue;
        for chunk in by_asset.chunks(BULK_ASSETS_MAX) {
            let ctx = self.next_command(ctx);
            let outcome = self.confirm_chunk(&ctx, by, person_id, chunk).await?;
            if outcome != Outcome::AlreadyTrue {
                last = outcome;
            }
        }
        Ok(last)
    }

    async fn confirm_chunk(
        &self,
        ctx: &CommandContext,
        by: UserId,
        person_id: PersonId,
        chunk: &[(AssetId, BTreeSet<FaceId>)],
    ) -> Result<Outcome, Refused> {
        for (asset_id, _) in chunk {
            self.may_tag(by, *asset_id).await?;
        }
        for _ in 0..ATTEMPTS_MAX {
            let mut loaded = Vec::with_capacity(chunk.len());
            let mut people = BTreeSet::from([person_id]);
            let streams: Vec<_> = chunk.iter().map(|(asset_id, _)| stream(*asset_id)).collect();
            let each = self.load_each::<Faces>(&streams).await.map_err(by_face)?;
            for ((asset_id, face_ids), (faces, last)) in chunk.iter().zip(each) {
                people.extend(faces.people());
                loaded.push((asset_id, face_ids, faces, last));
            }
            let (standing, _turn) = self.standing_held(people).await.map_err(by_person)?;
            self.may_recognise(by, person_id).await?;
            let mut unit = self.unit(ctx);
            for (asset_id, face_ids, faces, last) in loaded {
                let commands: Vec<FacesCommand> = face_ids
                    .iter()
                    .map(|face_id| FacesCommand::Confirm {
                        face_id: *face_id,
                        person_id,
                        standing: standing.clone(),
                    })
                    .collect();
                let subject = Some(subject(*asset_id));
                unit.decide(&faces, last, stream(*asset_id), subject, &commands)
                    .map_err(by_face)?;
            }
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// Says whose face it is not.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn reject_face(
        &self,
        ctx: &CommandContext,
        by: UserId,
        asset_id: AssetId,
        face_id: FaceId,
        person_id: PersonId,
    ) -> Result<Outcome, Refused> {
        self.may_tag(by, asset_id).await?;
        for _ in 0..ATTEMPTS_MAX {
            let (faces, last) = self.load::<Faces>(&stream(asset_id)).await.map_err(by_face)?;
            let mut people = faces.people();
            people.insert(person_id);
            let (standing, _turn) = self.standing_held(people).await.map_err(by_person)?;
            let command = FacesCommand::Reject { face_id, person_id, standing };
            if let Some(outcome) =
                self.decide_faces(ctx, asset_id, (&faces, last), &command).await?
            {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// Says that there is no face.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn remove_face(
        &self,
        ctx: &CommandContext,
        by: UserId,
        asset_id: AssetId,
        face_id: FaceId,
    ) -> Result<Outcome, Refused> {
        self.may_tag(by, asset_id).await?;
        let command = FacesCommand::Remove { face_id };
        self.dispatch::<Faces>(ctx, stream(asset_id), Some(subject(asset_id)), &command)
            .await
            .map_err(by_face)
    }

    async fn may_tag(&self, by: UserId, asset_id: AssetId) -> Result<(), Refused> {
        let (asset, _) = self
            .load::<Asset>(&asset_stream(asset_id))
            .await
            .map_err(|error| error.map_refusal(TagError::Photo))?;
        asset.may_be_tagged(by).map_err(|refusal| CommandError::Refused(TagError::Photo(refusal)))
    }

    async fn may_recognise(&self, by: UserId, person_id: PersonId) -> Result<(), Refused> {
        let (person, _) =
            self.load::<Person>(&person_stream(person_id)).await.map_err(by_person)?;
        person
            .may_be_recognised(by)
            .map_err(|refusal| CommandError::Refused(TagError::Person(refusal)))
    }
}
