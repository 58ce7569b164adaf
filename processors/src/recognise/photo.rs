//! The faces of one photo, each compared with all others of the library.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use calotype_domain::{AssetId, PersonId, UserId};
use calotype_projections::face_vectors::{FaceStanding, Gallery};
use uuid::Uuid;

use super::{Rules, Said, Saying, rules};
use crate::error::ProcessorError;
use crate::worker::Worker;

/// Faces that are most like one, whose people are asked for.
const NEAR_MAX: usize = 200;
/// People that one face is tried with: those whom it is like, without those whom somebody said it is not.
const PEOPLE_MAX: usize = 5;
/// Faces looked round from, when nobody's faces become a person.
const GROWN_MAX: usize = 64;

/// What is like a face: the most alike first.
struct Around {
    /// Whether enough faces that show are like it.
    is_core: bool,
    /// Whose they are, each person once.
    people: Vec<PersonId>,
    /// Those that are nobody's, and on which photos.
    nobodys: Vec<FaceStanding>,
}

impl Worker {
    /// Says whose the faces of one photo are that are nobody's.
    pub(super) async fn recognise_on(
        &self,
        asset_id: AssetId,
        correlation_id: Uuid,
        cause: Uuid,
    ) -> Result<(), ProcessorError> {
        let settings = self.queries.settings().await?;
        let Some(rules) = rules(&settings) else { return Ok(()) };
        let (_turn, everywhere) = self.turn_to_recognise().await?;
        let faces = self.commands.faces(asset_id).await?;
        let owner_id = self.commands.asset(asset_id).await?.owner_id();
        if let (Some(model), Some(owner_id)) = (faces.looked_by(), owner_id) {
            let run_id = self.commands.ids().v7();
            let saying = Saying { model: model.clone(), run_id, correlation_id, cause };
            let there = self.queries.face_standings_on(asset_id.uuid()).await?;
            for face in there.into_iter().filter(is_nobodys) {
                self.recognise_face(owner_id, face, rules, &saying).await?;
            }
        }
        Ok(everywhere.end().await?)
    }

    async fn recognise_face(
        &self,
        owner_id: UserId,
        face: FaceStanding,
        rules: Rules,
        saying: &Saying,
    ) -> Result<(), ProcessorError> {
        let gallery = self.queries.gallery(owner_id.uuid(), saying.model.id()).await?;
        let around = self.around(&gallery, face, rules).await?;
        if self.join_one_of(&around.people, &[face], saying).await? {
            return Ok(());
        }
        if !around.people.is_empty() {
            // It is like somebody whom people said it is not: that is no reason for another person.
            return Ok(());
        }
        let mut group: BTreeMap<Uuid, FaceStanding> = BTreeMap::new();
        let mut people: Vec<PersonId> = Vec::new();
        let mut seen = BTreeSet::from([face.face_id]);
        let mut next: VecDeque<FaceStanding> = around.nobodys.iter().copied().collect();
        seen.extend(next.iter().map(|other| other.face_id));
        if around.is_core {
            group.insert(face.face_id, face);
            group.extend(next.iter().map(|other| (other.face_id, *other)));
        }
        // Through this face another one may have become one that enough are like.
        for _ in 0..GROWN_MAX {
            let Some(other) = next.pop_front() else { break };
            let further = self.around(&gallery, other, rules).await?;
            if !further.is_core {
                continue;
            }
            people.extend(further.people);
            group.insert(other.face_id, other);
            for one in further.nobodys {
                group.insert(one.face_id, one);
                if seen.insert(one.face_id) {
                    next.push_back(one);
                }
            }
        }
        // Those that are like others of the group, but this one not.
        if group.is_empty() {
            return Ok(());
        }
        let group: Vec<FaceStanding> = group.into_values().collect();
        if !self.join_one_of(&people, &group, saying).await? && people.is_empty() {
            let person_id = self.somebody_new(owner_id, saying).await?;
            self.say(&said(person_id, &group), saying).await?;
        }
        Ok(())
    }

    /// Lets faces be of the first person for whom that is news and not against what people said; whether there
    /// was one.
    async fn join_one_of(
        &self,
        people: &[PersonId],
        faces: &[FaceStanding],
        saying: &Saying,
    ) -> Result<bool, ProcessorError> {
        for person_id in people.iter().take(PEOPLE_MAX) {
            if self.say(&said(*person_id, faces), saying).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is like a face.
    async fn around(
        &self,
        gallery: &Arc<RwLock<Gallery>>,
        face: FaceStanding,
        rules: Rules,
    ) -> Result<Around, ProcessorError> {
        let gallery = Arc::clone(gallery);
        let most = NEAR_MAX.max(rules.faces_min());
        let looking = tokio::task::spawn_blocking(move || {
            let gallery = gallery.read().unwrap_or_else(PoisonError::into_inner);
            let near = match gallery.place_of(face.face_id) {
                Some(place) => gallery.near(place, rules.cosine_min()),
                None => Vec::new(),
            };
            let ids = gallery.face_ids();
            let near = near.iter().take(most).filter_map(|other| ids.get(other.place).copied());
            near.collect::<Vec<Uuid>>()
        });
        let Ok(near) = looking.await else {
            // The program ends.
            return Err(ProcessorError::NotYet { after: super::BUSY });
        };
        let standings = self.queries.face_standings(&near).await?;
        let standings: HashMap<Uuid, FaceStanding> =
            standings.into_iter().map(|standing| (standing.face_id, standing)).collect();
        let near: Vec<FaceStanding> =
            near.iter().filter_map(|face_id| standings.get(face_id).copied()).collect();
        let shown = near.iter().filter(|other| other.is_shown).count();
        let mut people: Vec<PersonId> = Vec::new();
        for person_id in near.iter().filter_map(|other| other.person_id).map(PersonId::new) {
            if !people.contains(&person_id) {
                people.push(person_id);
            }
        }
        Ok(Around {
            is_core: face.is_shown && shown + 1 >= rules.faces_min(),
            people,
            nobodys: near.into_iter().filter(is_nobodys).collect(),
        })
    }
}

fn is_nobodys(face: &FaceStanding) -> bool {
    face.person_id.is_none() && !face.is_said_by_people
}

fn said(person_id: PersonId, faces: &[FaceStanding]) -> Said {
    let mut said = Said::new();
    for face in faces {
        said.entry(face.asset_id).or_default().push((face.face_id, Some(person_id)));
    }
    said
}
