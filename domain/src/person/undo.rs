//! Taking back what was done to a person. Who was merged or deleted is told apart again, with their faces.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::aggregate::{Fate, Person};
use super::event::{
    FeatureFace, PersonBirthDateChanged, PersonColorChanged, PersonDeleted, PersonEvent,
    PersonFavorited, PersonFeatureFaceChosen, PersonFeatureFaceReset, PersonHidden,
    PersonMergedInto, PersonNamed, PersonRestored, PersonShown, PersonUnfavorited, PersonsMerged,
    PersonsParted,
};
use crate::access::Object;
use crate::id::{PersonId, UserId};
use crate::permission::Permission;
use crate::undo::way::{Row, back, follows};
use crate::undo::{Asked, Need, Plan, States, Undo};

const PICTURE: &str = "made by the server from the face that stands for them";
const UPDATE: Need = Need::of(Permission::PersonUpdate);
const DELETE: Need = Need::of(Permission::PersonDelete);
const MERGE: Need = Need::of(Permission::PersonMerge);
const FEATURE: &[&str] = &["PersonFeatureFaceChosen", "PersonFeatureFaceReset"];

/// How events of people go back.
pub(crate) const WAYS: &[Row] = &[
    back("PersonBirthDateChanged", "birthDate", &["PersonBirthDateChanged"], UPDATE),
    back("PersonColorChanged", "color", &["PersonColorChanged"], UPDATE),
    back("PersonCreated", "created", &["PersonDeleted"], Need::of(Permission::PersonCreate)),
    back("PersonDeleted", "deleted", &["PersonRestored"], DELETE),
    back("PersonFavorited", "favorite", &["PersonUnfavorited"], UPDATE),
    back("PersonFeatureFaceChosen", "featureFace", FEATURE, UPDATE),
    back("PersonFeatureFaceReset", "featureFace", FEATURE, UPDATE),
    back("PersonHidden", "hidden", &["PersonShown"], UPDATE),
    back("PersonMergedInto", "merged", &["PersonRestored"], MERGE),
    back("PersonNamed", "name", &["PersonNamed"], UPDATE),
    // Parted, two are merged again by the other's own event.
    back("PersonRestored", "deleted", &["PersonDeleted", "PersonMergedInto"], DELETE),
    back("PersonShown", "hidden", &["PersonHidden"], UPDATE),
    back("PersonUnfavorited", "favorite", &["PersonFavorited"], UPDATE),
    back("PersonsMerged", "merged", &["PersonsParted"], MERGE),
    back("PersonsParted", "merged", &["PersonsMerged"], MERGE),
    follows("PersonThumbnailFailed", PICTURE),
    follows("PersonThumbnailRecorded", PICTURE),
];

impl Person {
    fn there(&self) -> Option<Told<'_>> {
        (self.fate == Fate::There).then_some(Told {
            name: &self.name,
            details: (self.birth_date, self.hidden, self.favorite),
            color: self.color.as_deref(),
            others: (self.feature_face, &self.absorbed),
        })
    }

    fn anew(&self, asked: &Asked) -> Option<PersonEvent> {
        let restored = PersonRestored {
            owner_id: self.owner_id?,
            name: self.name.clone().into(),
            birth_date: self.birth_date.into(),
            is_hidden: self.hidden,
            is_favorite: self.favorite,
            color: self.color.clone(),
            feature_face: self.feature_face,
            created_at: asked.began_at,
            // The use case looks up who of them is merged into whom.
            stand_for: self.absorbed.iter().copied().collect(),
        };
        Some(restored.into())
    }
}

/// What people say about somebody; a new picture changes nothing of it.
#[derive(Clone, Copy, PartialEq)]
struct Told<'a> {
    name: &'a str,
    details: (Option<NaiveDate>, bool, bool),
    color: Option<&'a str>,
    others: (Option<FeatureFace>, &'a BTreeSet<PersonId>),
}

impl Undo for Person {
    fn object(&self, _by: UserId) -> Option<Object> {
        self.owner_id.map(|owner_id| Object::Owned { owner_id })
    }

    fn undo(states: &States<Self>, asked: &Asked) -> Plan<PersonEvent> {
        let mut plan = Plan::default();
        let States { before, after, now } = states;
        let there = states.map(Self::there);
        match (before.fate, after.fate) {
            (was, Fate::There) if was != Fate::There => {
                // A merge that was parted is merged again, whatever was said about either since.
                if let Fate::Merged(into_id) = was {
                    plan.facet("merged", &states.map(|it| it.fate), |_| {
                        vec![PersonMergedInto { into_id }.into()]
                    });
                } else {
                    plan.facet("created", &there, |_| vec![PersonDeleted {}.into()]);
                }
            }
            (Fate::There, Fate::There) => {
                merges(&mut plan, states);
                if now.fate == Fate::There {
                    details(&mut plan, states);
                } else if there.before != there.after {
                    plan.changed_since.push("deleted");
                }
            }
            (Fate::There, fate) => {
                let what = if fate == Fate::Deleted { "deleted" } else { "merged" };
                plan.facet(what, &states.map(|it| it.fate), |_| {
                    before.anew(asked).into_iter().collect()
                });
            }
            _ => {}
        }
        plan
    }
}

/// Who was merged is told apart again, and who was parted merged, each by itself.
fn merges(plan: &mut Plan<PersonEvent>, states: &States<Person>) {
    let all = [&states.before, &states.after];
    let ids: BTreeSet<PersonId> = all.iter().flat_map(|person| &person.absorbed).copied().collect();
    for absorbed_id in ids {
        let merged = states.map(|person| person.absorbed.contains(&absorbed_id));
        plan.facet("merged", &merged, |merged| {
            vec![if *merged {
                PersonsMerged { absorbed_id }.into()
            } else {
                PersonsParted { absorbed_id }.into()
            }]
        });
    }
}

fn details(plan: &mut Plan<PersonEvent>, states: &States<Person>) {
    plan.facet("name", &states.map(|person| &person.name), |name| {
        vec![PersonNamed { name: (*name).clone().into() }.into()]
    });
    plan.facet("birthDate", &states.map(|person| person.birth_date), |birth_date| {
        vec![PersonBirthDateChanged { birth_date: (*birth_date).into() }.into()]
    });
    plan.facet("hidden", &states.map(|person| person.hidden), |hidden| {
        vec![if *hidden { PersonHidden {}.into() } else { PersonShown {}.into() }]
    });
    plan.facet("favorite", &states.map(|person| person.favorite), |favorite| {
        vec![if *favorite { PersonFavorited {}.into() } else { PersonUnfavorited {}.into() }]
    });
    plan.facet("color", &states.map(|person| &person.color), |color| {
        vec![PersonColorChanged { color: (*color).clone() }.into()]
    });
    plan.facet("featureFace", &states.map(|person| person.feature_face), |face| {
        vec![face.map_or_else(
            || PersonFeatureFaceReset {}.into(),
            |face| {
                PersonFeatureFaceChosen { asset_id: face.asset_id, face_id: face.face_id }.into()
            },
        )]
    });
}
