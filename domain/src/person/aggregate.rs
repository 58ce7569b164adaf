//! The rules of a person.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::command::{PersonCommand, PersonDetails};
use super::error::PersonError;
use super::event::{
    FeatureFace, PersonBirthDateChanged, PersonColorChanged, PersonDeleted, PersonEvent,
    PersonFavorited, PersonFeatureFaceChosen, PersonFeatureFaceReset, PersonHidden,
    PersonMergedInto, PersonNamed, PersonShown, PersonUnfavorited, PersonsMerged,
};
use crate::event::{Aggregate, cqrs_aggregate};
use crate::id::{FaceId, PersonId, UserId};

/// What became of somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Fate {
    /// Nobody has heard of them.
    #[default]
    Unheard,
    /// They are told apart.
    There,
    /// They are somebody else.
    Merged(PersonId),
    /// They are nobody.
    Deleted,
}

/// One person, folded from their events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Person {
    pub(super) fate: Fate,
    pub(super) owner_id: Option<UserId>,
    pub(super) name: String,
    pub(super) birth_date: Option<NaiveDate>,
    pub(super) hidden: bool,
    pub(super) favorite: bool,
    pub(super) color: Option<String>,
    pub(super) feature_face: Option<FeatureFace>,
    /// Who turned out to be them.
    pub(super) absorbed: BTreeSet<PersonId>,
    pictured: Option<(Option<FaceId>, u32, String)>,
}

impl Person {
    /// In whose library, while they are told apart.
    #[must_use]
    pub fn owner_id(&self) -> Option<UserId> {
        if self.fate == Fate::There { self.owner_id } else { None }
    }

    /// What they are called, where that is known.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        Some(self.name.as_str()).filter(|name| !name.is_empty())
    }

    /// When they were born, where that is known.
    #[must_use]
    pub fn birth_date(&self) -> Option<NaiveDate> {
        self.birth_date
    }

    /// Who turned out to be them, as far as it was said here.
    pub fn absorbed(&self) -> impl Iterator<Item = PersonId> {
        self.absorbed.iter().copied()
    }

    /// Who they turned out to be.
    #[must_use]
    pub fn merged_into(&self) -> Option<PersonId> {
        if let Fate::Merged(into_id) = self.fate { Some(into_id) } else { None }
    }

    /// Whether somebody may say which faces are theirs.
    ///
    /// # Errors
    /// [`PersonError::NotFound`], [`PersonError::NotOwner`].
    pub fn may_be_recognised(&self, by: UserId) -> Result<(), PersonError> {
        let owner_id = self.owner_id().ok_or(PersonError::NotFound)?;
        if owner_id == by { Ok(()) } else { Err(PersonError::NotOwner { by }) }
    }

    fn change(
        &self,
        details: &PersonDetails,
        today: NaiveDate,
    ) -> Result<Vec<PersonEvent>, PersonError> {
        let mut events: Vec<PersonEvent> = Vec::new();
        if let Some(name) = &details.name
            && *name != self.name
        {
            events.push(PersonNamed { name: name.clone().into() }.into());
        }
        if let Some(birth_date) = details.birth_date {
            not_after(birth_date, today)?;
            if birth_date != self.birth_date {
                events.push(PersonBirthDateChanged { birth_date: birth_date.into() }.into());
            }
        }
        match details.hidden {
            Some(true) if !self.hidden => events.push(PersonHidden {}.into()),
            Some(false) if self.hidden => events.push(PersonShown {}.into()),
            _ => {}
        }
        match details.favorite {
            Some(true) if !self.favorite => events.push(PersonFavorited {}.into()),
            Some(false) if self.favorite => events.push(PersonUnfavorited {}.into()),
            _ => {}
        }
        if let Some(color) = &details.color
            && *color != self.color
        {
            events.push(PersonColorChanged { color: color.clone() }.into());
        }
        Ok(events)
    }
}

fn not_after(birth_date: Option<NaiveDate>, today: NaiveDate) -> Result<(), PersonError> {
    match birth_date {
        Some(birth_date) if birth_date > today => Err(PersonError::BirthDateInFuture),
        _ => Ok(()),
    }
}

impl Aggregate for Person {
    type Command = PersonCommand;
    type Event = PersonEvent;
    type Error = PersonError;

    fn decide(&self, command: &PersonCommand) -> Result<Vec<PersonEvent>, PersonError> {
        match command {
            PersonCommand::Create { .. } if self.fate != Fate::Unheard => {
                Err(PersonError::AlreadyExists)
            }
            PersonCommand::Create { created, today } => {
                not_after(created.birth_date.known().copied().flatten(), *today)?;
                Ok(vec![(**created).clone().into()])
            }
            PersonCommand::Change { by, details, today } => {
                self.may_be_recognised(*by)?;
                self.change(details, *today)
            }
            PersonCommand::ChooseFeatureFace { by, asset_id, face_id } => {
                self.may_be_recognised(*by)?;
                Ok(if self.feature_face.is_some_and(|it| it.face_id == *face_id) {
                    vec![]
                } else {
                    vec![PersonFeatureFaceChosen { asset_id: *asset_id, face_id: *face_id }.into()]
                })
            }
            PersonCommand::Absorb { by, person_id, name, birth_date } => {
                self.may_be_recognised(*by)?;
                let mut events: Vec<PersonEvent> =
                    vec![PersonsMerged { absorbed_id: *person_id }.into()];
                if let Some(name) = name
                    && self.name.is_empty()
                {
                    events.push(PersonNamed { name: name.clone().into() }.into());
                }
                if birth_date.is_some() && self.birth_date.is_none() {
                    let birth_date = (*birth_date).into();
                    events.push(PersonBirthDateChanged { birth_date }.into());
                }
                Ok(events)
            }
            PersonCommand::MergeInto { by, into_id } => {
                self.may_be_recognised(*by)?;
                Ok(vec![PersonMergedInto { into_id: *into_id }.into()])
            }
            PersonCommand::Delete { .. } if self.fate == Fate::Deleted => Ok(vec![]),
            PersonCommand::Delete { by } => {
                self.may_be_recognised(*by)?;
                Ok(vec![PersonDeleted {}.into()])
            }
            PersonCommand::RecordThumbnail(made) => {
                let picture = (made.face_id, made.processor.version, made.input_blake3.clone());
                let is_news = self.fate == Fate::There && self.pictured != Some(picture);
                Ok(if is_news { vec![(**made).clone().into()] } else { vec![] })
            }
            PersonCommand::RecordThumbnailFailure(failed) => {
                Ok(if self.fate == Fate::There { vec![(**failed).clone().into()] } else { vec![] })
            }
        }
    }

    fn evolve(&mut self, event: &PersonEvent) {
        match event {
            PersonEvent::Created(created) => {
                self.fate = Fate::There;
                self.owner_id = Some(created.owner_id);
                self.name = created.name.known().cloned().unwrap_or_default();
                self.birth_date = created.birth_date.known().copied().flatten();
                self.hidden = created.is_hidden;
                self.favorite = created.is_favorite;
                self.color.clone_from(&created.color);
            }
            PersonEvent::Named(named) => {
                self.name = named.name.known().cloned().unwrap_or_default();
            }
            PersonEvent::BirthDateChanged(changed) => {
                self.birth_date = changed.birth_date.known().copied().flatten();
            }
            PersonEvent::Hidden(PersonHidden {}) => self.hidden = true,
            PersonEvent::Shown(PersonShown {}) => self.hidden = false,
            PersonEvent::Favorited(PersonFavorited {}) => self.favorite = true,
            PersonEvent::Unfavorited(PersonUnfavorited {}) => self.favorite = false,
            PersonEvent::ColorChanged(changed) => self.color.clone_from(&changed.color),
            PersonEvent::FeatureFaceChosen(chosen) => {
                let PersonFeatureFaceChosen { asset_id, face_id } = *chosen;
                self.feature_face = Some(FeatureFace { asset_id, face_id });
            }
            PersonEvent::FeatureFaceReset(PersonFeatureFaceReset {}) => self.feature_face = None,
            PersonEvent::Merged(PersonsMerged { absorbed_id }) => {
                self.absorbed.insert(*absorbed_id);
            }
            PersonEvent::Parted(parted) => {
                self.absorbed.remove(&parted.absorbed_id);
            }
            PersonEvent::Restored(restored) => {
                self.fate = Fate::There;
                // Its picture is made anew.
                self.pictured = None;
                self.name = restored.name.known().cloned().unwrap_or_default();
                self.birth_date = restored.birth_date.known().copied().flatten();
                self.hidden = restored.is_hidden;
                self.favorite = restored.is_favorite;
                self.color.clone_from(&restored.color);
                self.feature_face = restored.feature_face;
            }
            PersonEvent::MergedInto(merged) => self.fate = Fate::Merged(merged.into_id),
            PersonEvent::Deleted(PersonDeleted {}) => self.fate = Fate::Deleted,
            PersonEvent::ThumbnailRecorded(made) => {
                self.pictured =
                    Some((made.face_id, made.processor.version, made.input_blake3.clone()));
            }
            PersonEvent::ThumbnailFailed(_) => {}
        }
    }
}

cqrs_aggregate!(Person, PersonCommand, PersonEvent, PersonError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::super::event::PersonCreated;
    use super::*;

    const OWNER: UserId = UserId::new(Uuid::from_u128(1));
    const STRANGER: UserId = UserId::new(Uuid::from_u128(2));
    const OTHER: PersonId = PersonId::new(Uuid::from_u128(3));

    type Given = TestFramework<Person>;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn created(name: &str) -> PersonCreated {
        PersonCreated {
            owner_id: OWNER,
            name: name.to_owned().into(),
            birth_date: None.into(),
            is_hidden: false,
            is_favorite: false,
            color: None,
        }
    }

    fn change(by: UserId, details: PersonDetails) -> PersonCommand {
        PersonCommand::Change { by, details: Box::new(details), today: day("2026-11-22") }
    }

    #[test]
    fn person_is_renamed_once() {
        let rename = || {
            let name = Some("Anna".to_owned());
            change(OWNER, PersonDetails { name, ..PersonDetails::default() })
        };
        let named: PersonEvent = PersonNamed { name: "Anna".to_owned().into() }.into();
        Given::with(())
            .given(vec![created("").into()])
            .when(rename())
            .then_expect_events(vec![named.clone()]);
        Given::with(())
            .given(vec![created("").into(), named])
            .when(rename())
            .then_expect_events(vec![]);
    }

    #[test]
    fn nobody_is_born_tomorrow() {
        let born = |date| PersonDetails { birth_date: Some(Some(day(date))), ..Default::default() };
        Given::with(())
            .given(vec![created("").into()])
            .when(change(OWNER, born("2026-11-23")))
            .then_expect_error(PersonError::BirthDateInFuture);
        let today = Some(day("2026-11-22"));
        Given::with(())
            .given(vec![created("").into()])
            .when(change(OWNER, born("2026-11-22")))
            .then_expect_events(vec![PersonBirthDateChanged { birth_date: today.into() }.into()]);
    }

    #[test]
    fn stranger_changes_nothing() {
        Given::with(())
            .given(vec![created("").into()])
            .when(change(STRANGER, PersonDetails::default()))
            .then_expect_error(PersonError::NotOwner { by: STRANGER });
    }

    #[test]
    fn who_stays_takes_over_what_they_lack() {
        let absorb = |name: &str| PersonCommand::Absorb {
            by: OWNER,
            person_id: OTHER,
            name: Some(name.to_owned()),
            birth_date: None,
        };
        let merged: PersonEvent = PersonsMerged { absorbed_id: OTHER }.into();
        Given::with(()).given(vec![created("").into()]).when(absorb("Anna")).then_expect_events(
            vec![merged.clone(), PersonNamed { name: "Anna".to_owned().into() }.into()],
        );
        Given::with(())
            .given(vec![created("Bert").into()])
            .when(absorb("Anna"))
            .then_expect_events(vec![merged]);
    }

    #[test]
    fn merged_person_is_nobody_and_says_who_they_are() {
        let merged = PersonMergedInto { into_id: OTHER };
        let mut person = Person::default();
        person.evolve(&created("").into());
        person.evolve(&merged.clone().into());
        assert_eq!((person.owner_id(), person.merged_into()), (None, Some(OTHER)));
        Given::with(())
            .given(vec![created("").into(), merged.into()])
            .when(PersonCommand::Delete { by: OWNER })
            .then_expect_error(PersonError::NotFound);
    }

    #[test]
    fn deleting_twice_happens_once() {
        Given::with(())
            .given(vec![created("").into(), PersonDeleted {}.into()])
            .when(PersonCommand::Delete { by: OWNER })
            .then_expect_events(vec![]);
    }
}
