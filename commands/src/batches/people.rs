//! The people of a commit: who is on the photos that it makes.

use std::collections::{BTreeSet, HashMap};

use calotype_domain::batch::BatchError;
use calotype_domain::faces::{Faces, FacesCommand, PictureSize};
use calotype_domain::{FaceId, PersonId};

use super::commit::{Attempt, Error, NewEntry};
use crate::assets::subject;
use crate::error::CommandError;
use crate::faces::stream;
use crate::named_faces::Named;

impl Attempt<'_> {
    /// Says of new photos who is on them, as if their owner had drawn the faces; people who are not known are made.
    /// Of photos that were there before nothing is said.
    pub(super) async fn people(
        &mut self,
        known: &HashMap<String, PersonId>,
        fresh: &[&NewEntry],
    ) -> Result<(), Error> {
        if fresh.iter().all(|entry| entry.people.is_empty()) {
            return Ok(());
        }
        let named: BTreeSet<PersonId> = known.values().copied().collect();
        let standing = self.commands.standing(named).await;
        let standing = standing.map_err(|error| error.map_refusal(|_| BatchError::Person))?;
        let mut people = Named::new(known, standing);
        for entry in fresh {
            let done = self.done(entry)?;
            if !done.is_new {
                continue;
            }
            let mut draws = Vec::with_capacity(entry.people.len());
            for person in &entry.people {
                let (commands, ctx, unit) = (self.commands, self.ctx, &mut self.unit);
                let person_id = people
                    .of(commands, unit, ctx, self.by, &person.name)
                    .await
                    .map_err(|error| error.map_refusal(|_| BatchError::Person))?;
                let Some(person_id) = person_id else { continue };
                let (area, size) = person
                    .face
                    .map_or((None, PictureSize::default()), |(area, size)| (Some(area), size));
                let face_id = FaceId::new(commands.ids.v4());
                draws.push(FacesCommand::Draw { face_id, area, size, person_id });
            }
            let (nobody, subject) = (Faces::default(), Some(subject(done.asset_id)));
            let drawn = self.unit.decide(&nobody, None, stream(done.asset_id), subject, &draws);
            drawn.map_err(|error: CommandError<_>| error.map_refusal(|_| BatchError::Person))?;
        }
        Ok(())
    }
}
