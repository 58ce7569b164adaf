//! Wishes about people. Which faces are theirs is said in [`crate::faces`].

use calotype_domain::event::{Aggregate as _, DomainEvent as _};
use calotype_domain::faces::{Faces, Standing};
use calotype_domain::person::{
    Person, PersonCommand, PersonCreated, PersonDetails, PersonError, PersonEvent,
    PersonThumbnailFailed, PersonThumbnailRecorded,
};
use calotype_domain::{AssetId, CommandId, PersonId, UserId};
use calotype_eventstore::{ActorKind, Recorded, Revision, StoreError, StreamId};

use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;
use crate::faces;
use crate::turns::Everywhere;
use crate::users::subject as user_subject;

/// People changed in one transaction; more are done in several.
pub const BULK_PEOPLE_MAX: usize = 500;
/// Merges of merges that are followed; who was merged further is taken for nobody.
const MERGES_MAX: usize = 1_000;

/// Events of somebody that are looked at; who has more is somebody to a person.
const EVENTS_MAX: u32 = 1_000;

/// What became of a change of several people.
#[derive(Debug)]
pub struct PeopleChanged {
    /// Of each, in the order they were named, why not.
    pub refusals: Vec<Option<PersonError>>,
    /// What was written last.
    pub outcome: Outcome,
}

pub(crate) fn stream(person_id: PersonId) -> StreamId {
    StreamId::new("person", person_id)
}

impl Commands {
    /// Tells somebody apart; says their id and where that was written.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn create_person(
        &self,
        ctx: &CommandContext,
        created: PersonCreated,
    ) -> Result<(PersonId, Outcome), CommandError<PersonError>> {
        let person_id = PersonId::new(self.new_id(ctx, "person"));
        let subject = Some(user_subject(created.owner_id));
        let today = ctx.now.date_naive();
        let command = PersonCommand::Create { created: Box::new(created), today };
        let outcome = self.dispatch::<Person>(ctx, stream(person_id), subject, &command).await?;
        Ok((person_id, outcome))
    }

    /// Changes people, each by itself: a refusal holds up nobody else.
    ///
    /// # Errors
    /// See [`CommandError`], but never a refusal; what was written before stays.
    pub async fn change_people(
        &self,
        ctx: &CommandContext,
        by: UserId,
        changes: &[(PersonId, PersonDetails)],
    ) -> Result<PeopleChanged, CommandError<PersonError>> {
        let mut done = PeopleChanged { refusals: Vec::new(), outcome: Outcome::AlreadyTrue };
        let mut rest = changes;
        while !rest.is_empty() {
            let (chunk, later) = rest.split_at(length_without_repeats(rest));
            rest = later;
            let ctx = self.next_command(ctx);
            let (refusals, outcome) = self.change_chunk(&ctx, by, chunk).await?;
            done.refusals.extend(refusals);
            if outcome != Outcome::AlreadyTrue {
                done.outcome = outcome;
            }
        }
        Ok(done)
    }

    async fn change_chunk(
        &self,
        ctx: &CommandContext,
        by: UserId,
        chunk: &[(PersonId, PersonDetails)],
    ) -> Result<(Vec<Option<PersonError>>, Outcome), CommandError<PersonError>> {
        let today = ctx.now.date_naive();
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            let mut refusals = Vec::with_capacity(chunk.len());
            for (person_id, details) in chunk {
                let details = Box::new(details.clone());
                let command = PersonCommand::Change { by, details, today };
                let subject = Some(user_subject(by));
                match unit.apply::<Person>(stream(*person_id), subject, &command).await {
                    Ok(_) => refusals.push(None),
                    Err(CommandError::Refused(refusal)) => refusals.push(Some(refusal)),
                    Err(error) => return Err(error),
                }
            }
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok((refusals, outcome));
            }
        }
        Err(CommandError::Contended)
    }

    /// Lets a person's face on a photo stand for them.
    ///
    /// # Errors
    /// See [`CommandError`]; [`PersonError::NotTheirFace`] when they have none on it.
    pub async fn choose_feature_face(
        &self,
        ctx: &CommandContext,
        by: UserId,
        person_id: PersonId,
        asset_id: AssetId,
    ) -> Result<Outcome, CommandError<PersonError>> {
        let (faces, _) = self
            .load::<Faces>(&faces::stream(asset_id))
            .await
            .map_err(|error| error.map_refusal(|_| PersonError::NotTheirFace))?;
        let standing = self.standing(faces.people()).await?;
        let theirs = faces.of_person(person_id, &standing);
        // Rather a face that can be cut out.
        let face_id = theirs
            .iter()
            .find(|face_id| faces.area_of(**face_id).is_some())
            .or(theirs.first())
            .copied()
            .ok_or(CommandError::Refused(PersonError::NotTheirFace))?;
        let command = PersonCommand::ChooseFeatureFace { by, asset_id, face_id };
        self.dispatch::<Person>(ctx, stream(person_id), Some(user_subject(by)), &command).await
    }

    /// Makes two people one, who keeps what is known of either.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn merge_person(
        &self,
        ctx: &CommandContext,
        by: UserId,
        into_id: PersonId,
        person_id: PersonId,
    ) -> Result<Outcome, CommandError<PersonError>> {
        if into_id == person_id {
            return Err(CommandError::Refused(PersonError::MergedWithThemselves));
        }
        let subject = || Some(user_subject(by));
        let _turn = self.turns_on(&[into_id, person_id]).await?;
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            let merge = PersonCommand::MergeInto { by, into_id };
            let absorbed = unit.apply::<Person>(stream(person_id), subject(), &merge).await?;
            let absorb = PersonCommand::Absorb {
                by,
                person_id,
                name: absorbed.name().map(str::to_owned),
                birth_date: absorbed.birth_date(),
            };
            unit.apply::<Person>(stream(into_id), subject(), &absorb).await?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// Deletes people: all or none of each [`BULK_PEOPLE_MAX`].
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn delete_people(
        &self,
        ctx: &CommandContext,
        by: UserId,
        person_ids: &[PersonId],
    ) -> Result<Outcome, CommandError<PersonError>> {
        let mut person_ids = person_ids.to_vec();
        person_ids.sort_unstable();
        person_ids.dedup();
        let mut last = Outcome::AlreadyTrue;
        for chunk in person_ids.chunks(BULK_PEOPLE_MAX) {
            let outcome = self.delete_chunk(&self.next_command(ctx), by, chunk).await?;
            if outcome != Outcome::AlreadyTrue {
                last = outcome;
            }
        }
        Ok(last)
    }

    async fn delete_chunk(
        &self,
        ctx: &CommandContext,
        by: UserId,
        person_ids: &[PersonId],
    ) -> Result<Outcome, CommandError<PersonError>> {
        let _turn = self.turns_on(person_ids).await?;
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            for person_id in person_ids {
                let command = PersonCommand::Delete { by };
                let subject = Some(user_subject(by));
                unit.apply::<Person>(stream(*person_id), subject, &command).await?;
            }
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// Deletes somebody of whom no person ever said anything; whether they are gone by this.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn delete_untouched_person(
        &self,
        ctx: &CommandContext,
        by: UserId,
        person_id: PersonId,
    ) -> Result<bool, CommandError<PersonError>> {
        let _turn = self.turns_on(&[person_id]).await?;
        for _ in 0..ATTEMPTS_MAX {
            let events =
                self.store.read_stream(&stream(person_id), Revision::FIRST, EVENTS_MAX).await?;
            let is_full = events.len() >= usize::try_from(EVENTS_MAX).unwrap_or(usize::MAX);
            let is_touched = |event: &Recorded| {
                !matches!(event.envelope.actor.kind, ActorKind::Processor | ActorKind::System)
            };
            if is_full || events.iter().any(is_touched) {
                return Ok(false);
            }
            let mut person = Person::default();
            for event in &events {
                let payload = event.payload.as_str();
                person.evolve(&PersonEvent::from_raw(&event.event_type, event.version, payload)?);
            }
            let last = events.last().map(|event| event.revision);
            let mut unit = self.unit(ctx);
            let subject = Some(user_subject(by));
            // At the revision that was looked at: whoever says something meanwhile keeps them.
            let command = [PersonCommand::Delete { by }];
            unit.decide(&person, last, stream(person_id), subject, &command)?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome != Outcome::AlreadyTrue);
            }
        }
        Err(CommandError::Contended)
    }

    /// A turn on some people: while it is held, faces are given to none of them, and nobody else changes whom
    /// they stand for.
    async fn turns_on(&self, person_ids: &[PersonId]) -> Result<Everywhere, StoreError> {
        let streams: Vec<StreamId> = person_ids.iter().copied().map(stream).collect();
        self.turns.take_everywhere(&streams).await
    }

    /// Records the picture of a person, for processors. Of nobody it records nothing.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn record_person_thumbnail(
        &self,
        ctx: &CommandContext,
        person_id: PersonId,
        made: PersonThumbnailRecorded,
    ) -> Result<Outcome, CommandError<PersonError>> {
        let command = PersonCommand::RecordThumbnail(Box::new(made));
        self.dispatch::<Person>(ctx, stream(person_id), None, &command).await
    }

    /// Records that no picture of a person could be made of a face.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn record_person_thumbnail_failure(
        &self,
        ctx: &CommandContext,
        person_id: PersonId,
        failed: PersonThumbnailFailed,
    ) -> Result<Outcome, CommandError<PersonError>> {
        let command = PersonCommand::RecordThumbnailFailure(Box::new(failed));
        self.dispatch::<Person>(ctx, stream(person_id), None, &command).await
    }

    /// Whom people stand for by now.
    ///
    /// # Errors
    /// See [`CommandError`]; never a refusal.
    pub(crate) async fn standing(
        &self,
        people: impl IntoIterator<Item = PersonId> + Send,
    ) -> Result<Standing, CommandError<PersonError>> {
        let mut standing = Standing::default();
        let people: Vec<PersonId> = people.into_iter().collect();
        for person_id in people {
            let mut current = person_id;
            let mut stands_for = None;
            for _ in 0..MERGES_MAX {
                let (person, _) = self.load::<Person>(&stream(current)).await?;
                let Some(into_id) = person.merged_into() else {
                    stands_for = person.owner_id().map(|_| current);
                    break;
                };
                current = into_id;
            }
            if stands_for != Some(person_id) {
                standing.insert(person_id, stands_for);
            }
        }
        Ok(standing)
    }

    /// The same wish under a command id of its own, so that event ids do not collide.
    pub(crate) fn next_command(&self, ctx: &CommandContext) -> CommandContext {
        CommandContext { command_id: CommandId::new(self.ids.v7()), ..ctx.clone() }
    }
}

/// How many changes from the first on name nobody twice; at least one.
fn length_without_repeats(changes: &[(PersonId, PersonDetails)]) -> usize {
    let mut seen = std::collections::BTreeSet::new();
    changes
        .iter()
        .take(BULK_PEOPLE_MAX)
        .take_while(|(person_id, _)| seen.insert(*person_id))
        .count()
        .max(1)
}
