//! Faces that were marked in other programs, with names: read from files, once for each photo.

use std::collections::{BTreeSet, HashMap};

use calotype_domain::faces::{Area, Faces, FacesCommand, PictureSize, Standing};
use calotype_domain::person::{Person, PersonCommand, PersonCreated};
use calotype_domain::reservation::{Reservation, ReservationCommand, ReservationError};
use calotype_domain::{AssetId, FaceId, PersonId, Sealed, UserId};
use calotype_eventstore::StreamId;

use crate::assets::subject;
use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome, Unit};
use crate::error::CommandError;
use crate::faces::{TagError, by_face, by_person, stream};
use crate::people::stream as person_stream;
use crate::users::subject as user_subject;

type Refused = CommandError<TagError>;

/// A face with the name that stands beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedFace {
    /// Who.
    pub name: String,
    /// Where.
    pub area: Area,
}

/// Whom names stand for, while one transaction is decided: each name is looked up, or its person made, once.
pub(crate) struct Named<'a> {
    /// People of the owner by name in small letters.
    known: &'a HashMap<String, PersonId>,
    standing: Standing,
    found: HashMap<String, Option<PersonId>>,
}

impl<'a> Named<'a> {
    pub(crate) fn new(known: &'a HashMap<String, PersonId>, standing: Standing) -> Self {
        Self { known, standing, found: HashMap::new() }
    }

    /// Whom a name stands for; nobody when they were deleted since files named them. Somebody new is made.
    pub(crate) async fn of(
        &mut self,
        commands: &Commands,
        unit: &mut Unit<'_>,
        ctx: &CommandContext,
        owner_id: UserId,
        name: &str,
    ) -> Result<Option<PersonId>, Refused> {
        let folded = name.to_lowercase();
        let person_id = match (self.found.get(&folded), self.known.get(&folded)) {
            (Some(person_id), _) => *person_id,
            (None, Some(person_id)) => self.standing.of(*person_id),
            (None, None) => commands.named(unit, ctx, owner_id, name).await?,
        };
        self.found.insert(folded, person_id);
        Ok(person_id)
    }
}

impl Commands {
    fn person_name_stream(&self, owner_id: UserId, name: &str) -> StreamId {
        let key = format!("{owner_id}/{}", name.to_lowercase());
        StreamId::new("reservation", self.keyring.hmac("person-name", &key))
    }

    /// Takes over the named faces of a file, unless people said anything about the photo's faces already; all in
    /// one transaction. `known` are people of the owner by name in small letters; others are made. Somebody
    /// whom files named before and who was deleted since is not made again.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn import_faces(
        &self,
        ctx: &CommandContext,
        owner_id: UserId,
        asset_id: AssetId,
        size: PictureSize,
        faces: &[NamedFace],
        known: &HashMap<String, PersonId>,
    ) -> Result<Outcome, Refused> {
        // Photos of one series come at once and show the same people.
        let named = faces.iter().filter_map(|face| known.get(&face.name.to_lowercase())).copied();
        let named: BTreeSet<PersonId> = named.collect();
        let mut streams = vec![StreamId::new("people", owner_id)];
        streams.extend(named.iter().copied().map(person_stream));
        let _turn = self.turns.take_everywhere(&streams).await?;
        for _ in 0..ATTEMPTS_MAX {
            let (there, last) = self.load::<Faces>(&stream(asset_id)).await.map_err(by_face)?;
            if there.were_spoken_of() {
                return Ok(Outcome::AlreadyTrue);
            }
            // Merged or deleted since it was looked who is known.
            let standing = self
                .standing(named.iter().copied().chain(there.people()))
                .await
                .map_err(by_person)?;
            let mut unit = self.unit(ctx);
            let mut people = Named::new(known, standing.clone());
            let mut commands = Vec::with_capacity(faces.len());
            // Two names beside each other do not become one face.
            let mut taken: BTreeSet<FaceId> = BTreeSet::new();
            for NamedFace { name, area } in faces {
                let person_id = people.of(self, &mut unit, ctx, owner_id, name).await?;
                let Some(person_id) = person_id else { continue };
                // A model may have found it already.
                let found = there.found_at(area).filter(|face_id| taken.insert(*face_id));
                commands.push(match found {
                    Some(face_id) => {
                        FacesCommand::Confirm { face_id, person_id, standing: standing.clone() }
                    }
                    None => {
                        let face_id = FaceId::new(self.ids.v4());
                        FacesCommand::Draw { face_id, area: Some(*area), size, person_id }
                    }
                });
            }
            let subject = Some(subject(asset_id));
            unit.decide(&there, last, stream(asset_id), subject, &commands).map_err(by_face)?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// Whom a file's name stands for; nobody when they were deleted.
    async fn named(
        &self,
        unit: &mut Unit<'_>,
        ctx: &CommandContext,
        owner_id: UserId,
        name: &str,
    ) -> Result<Option<PersonId>, Refused> {
        let person_id = PersonId::new(self.ids.v4());
        let reserve = ReservationCommand::Reserve { holder_id: person_id.uuid() };
        let reserved = self.person_name_stream(owner_id, name);
        match unit.apply::<Reservation>(reserved, None, &reserve).await {
            Ok(_) => {}
            Err(CommandError::Refused(ReservationError::Taken { holder_id })) => {
                let holder = PersonId::new(holder_id);
                let standing = self.standing([holder]).await.map_err(by_person)?;
                return Ok(standing.of(holder));
            }
            Err(error) => {
                return Err(error.map_refusal(|_| {
                    TagError::Person(calotype_domain::person::PersonError::NotFound)
                }));
            }
        }
        let created = PersonCreated {
            owner_id,
            name: name.to_owned().into(),
            birth_date: Sealed::Known(None),
            is_hidden: false,
            is_favorite: false,
            color: None,
        };
        let today = ctx.now.date_naive();
        let command = PersonCommand::Create { created: Box::new(created), today };
        let subject = Some(user_subject(owner_id));
        unit.apply::<Person>(person_stream(person_id), subject, &command)
            .await
            .map_err(by_person)?;
        Ok(Some(person_id))
    }
}
