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

/// A face of which something else is to be said than before.
struct Change {
    asset_id: Uuid,
    face_id: Uuid,
    target: Target,
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
        let gallery = self.queries.gallery(owner_id.uuid(), saying.model.id()).await?;
        let standings = self.queries.face_standings_of(owner_id.uuid()).await?;
        let spoken: HashSet<Uuid> =
            self.queries.people_spoken_of(owner_id.uuid()).await?.into_iter().collect();
        let started = std::time::Instant::now();
        let comparing = tokio::task::spawn_blocking(move || {
            let gallery = gallery.read().unwrap_or_else(PoisonError::into_inner);
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
            let mut changes = Vec::new();
            for (place, (target, known)) in targets.into_iter().zip(known).enumerate() {
                let (Some(known), Some(asset_id), Some(face_id)) =
                    (known, gallery.asset_id(place), gallery.face_ids().get(place).copied())
                else {
                    continue;
                };
                let is_known = match target {
                    Target::Nobody => known.person_id.is_none(),
                    Target::Person(person_id) => known.person_id == Some(person_id),
                    Target::Fresh(_) => false,
                };
                if !is_known && !known.is_said_by_people {
                    changes.push(Change { asset_id, face_id, target });
                }
            }
            (gallery.len(), changes)
        });
        // The program ends.
        let Ok((faces, changes)) = comparing.await else {
            return Err(ProcessorError::NotYet { after: BUSY });
        };
        let took_ms = started.elapsed().as_millis();
        info!(user.id = %owner_id, faces, changes = changes.len(), took_ms, "compared all faces of a library");
        self.say_all(owner_id, changes, saying).await?;
        Ok(everywhere.end().await?)
    }

    async fn say_all(
        &self,
        owner_id: UserId,
        mut changes: Vec<Change>,
        saying: &Saying,
    ) -> Result<(), ProcessorError> {
        changes.sort_unstable_by_key(|change| (change.asset_id, change.face_id));
        let mut fresh: HashMap<usize, PersonId> = HashMap::new();
        let mut said = Said::new();
        for Change { asset_id, face_id, target } in changes {
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
