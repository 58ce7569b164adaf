//! All faces of one library, compared anew.

use std::collections::{HashMap, HashSet};
use std::sync::PoisonError;

use calotype_domain::{PersonId, UserId};
use tracing::info;
use uuid::Uuid;

use super::clusters::{Known, Target, whole};
use super::{BUSY, Rules, Said, Saying};
use crate::error::ProcessorError;
use crate::worker::Worker;

/// Photos of which is said in one go whose the faces are.
const CHUNK_PHOTOS: usize = 500;

/// A face of a library that was compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compared {
    pub(super) asset_id: Uuid,
    pub(super) face_id: Uuid,
    /// What was known of it before.
    pub(super) known: Known,
    /// Whose it would be.
    pub(super) target: Target,
}

impl Compared {
    /// Whether something else is to be said of it than before.
    pub(super) fn is_changed(&self) -> bool {
        let is_known = match self.target {
            Target::Nobody => self.known.person_id.is_none(),
            Target::Person(person_id) => self.known.person_id == Some(person_id),
            Target::Fresh(_) => false,
        };
        !is_known && !self.known.is_said_by_people
    }
}

impl Worker {
    /// Compares all faces of a library with one another and records what is other than before.
    pub(super) async fn recognise_library(
        &self,
        owner_id: UserId,
        rules: Rules,
        saying: &Saying,
    ) -> Result<(), ProcessorError> {
        let (_turn, everywhere) = self.turn_to_recognise().await?;
        let compared = self.compare_library(owner_id, rules, saying.model.id()).await?;
        self.say_all(owner_id, compared, saying).await?;
        Ok(everywhere.end().await?)
    }

    /// Whose all faces of a library would be. To be called in one's turn to recognise.
    pub(super) async fn compare_library(
        &self,
        owner_id: UserId,
        rules: Rules,
        model_id: Uuid,
    ) -> Result<Vec<Compared>, ProcessorError> {
        let gallery = self.queries.gallery(owner_id.uuid(), model_id).await?;
        let standings = self.queries.face_standings_of(owner_id.uuid()).await?;
        let spoken: HashSet<Uuid> =
            self.queries.people_spoken_of(owner_id.uuid()).await?.into_iter().collect();
        let started = std::time::Instant::now();
        let compared_in = gallery.clone();
        let comparing = tokio::task::spawn_blocking(move || {
            let gallery = compared_in.read().unwrap_or_else(PoisonError::into_inner);
            let standings: HashMap<Uuid, Known> = standings
                .into_iter()
                .map(|it| {
                    let known = Known {
                        person_id: it.person_id,
                        is_said_by_people: it.is_said_by_people,
                        is_shown: it.is_shown,
                    };
                    (it.face_id, known)
                })
                .collect();
            let known: Vec<Option<Known>> =
                gallery.face_ids().iter().map(|face_id| standings.get(face_id).copied()).collect();
            let targets = whole(&gallery, &known, &spoken, rules);
            let mut compared = Vec::with_capacity(targets.len());
            for (place, (target, known)) in targets.into_iter().zip(known).enumerate() {
                if let (Some(known), Some(asset_id), Some(face_id)) =
                    (known, gallery.asset_id(place), gallery.face_ids().get(place).copied())
                {
                    compared.push(Compared { asset_id, face_id, known, target });
                }
            }
            compared
        });
        // The program ends.
        let Ok(mut compared) = comparing.await else {
            return Err(ProcessorError::NotYet { after: BUSY });
        };
        self.heed_refusals(&gallery, rules, &mut compared).await?;
        let took_ms = started.elapsed().as_millis();
        let changes = compared.iter().filter(|face| face.is_changed()).count();
        info!(user.id = %owner_id, faces = compared.len(), changes, took_ms, "compared all faces of a library");
        Ok(compared)
    }

    async fn say_all(
        &self,
        owner_id: UserId,
        mut compared: Vec<Compared>,
        saying: &Saying,
    ) -> Result<(), ProcessorError> {
        compared.retain(Compared::is_changed);
        compared.sort_unstable_by_key(|face| (face.asset_id, face.face_id));
        let mut fresh: HashMap<usize, PersonId> = HashMap::new();
        let mut said = Said::new();
        for Compared { asset_id, face_id, target, .. } in compared {
            let person_id = match target {
                Target::Nobody => None,
                Target::Person(person_id) => Some(PersonId::new(person_id)),
                Target::Fresh(number) => match fresh.get(&number) {
                    Some(person_id) => Some(*person_id),
                    None => {
                        let person_id = self.somebody_new(owner_id, saying).await?;
                        fresh.insert(number, person_id);
                        Some(person_id)
                    }
                },
            };
            if said.len() >= CHUNK_PHOTOS && !said.contains_key(&asset_id) {
                self.say(&said, saying).await?;
                said.clear();
            }
            said.entry(asset_id).or_default().push((face_id, person_id));
        }
        if !said.is_empty() {
            self.say(&said, saying).await?;
        }
        Ok(())
    }
}
