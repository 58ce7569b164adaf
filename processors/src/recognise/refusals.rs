//! Faces of which people said that they are not somebody's, when a whole library is compared: each goes to the next
//! whom it is like.
//!
//! Who was refused where stands in the streams of the photos alone, so those are read of which something is to be
//! said.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use calotype_domain::faces::{Faces, Standing};
use calotype_domain::{FaceId, PersonId};
use calotype_eventstore::StreamId;
use calotype_projections::face_vectors::Gallery;
use uuid::Uuid;

use super::clusters::Target;
use super::library::Compared;
use super::{BUSY, Rules};
use crate::error::ProcessorError;
use crate::worker::Worker;

/// Photos whose streams are read at once.
const CHUNK_PHOTOS: usize = 100;
/// Faces for which the next is looked for in one run; further ones are nobody's.
const REFUSED_MAX: usize = 1_000;
/// People whom such a face is tried with.
const NEXT_MAX: usize = 5;

/// A face that is not whose it would be.
struct Refused {
    /// Its place in the list.
    at: usize,
    photo: Arc<Faces>,
}

impl Worker {
    /// Lets no face be of somebody whose it is not, as people said.
    pub(super) async fn heed_refusals(
        &self,
        gallery: &Arc<RwLock<Gallery>>,
        rules: Rules,
        compared: &mut [Compared],
    ) -> Result<(), ProcessorError> {
        let refused = self.refused(compared).await?;
        if refused.is_empty() {
            return Ok(());
        }
        let next = next_alike(gallery, rules, compared, &refused).await?;
        for (Refused { at, photo }, next) in refused.into_iter().zip(next) {
            let Some(face) = compared.get_mut(at) else { continue };
            let people = next.iter().filter_map(person).chain(photo.people()).collect();
            let standing = self.commands.standing_of(people).await?;
            let is_possible =
                |target: &Target| !is_refused(&photo, face.face_id, target, &standing);
            face.target = next.into_iter().find(is_possible).unwrap_or(Target::Nobody);
        }
        Ok(())
    }

    /// Faces that are not whose they would be.
    async fn refused(&self, compared: &[Compared]) -> Result<Vec<Refused>, ProcessorError> {
        let mut by_photo: BTreeMap<Uuid, Vec<usize>> = BTreeMap::new();
        for (at, face) in compared.iter().enumerate() {
            if face.is_changed() && person(&face.target).is_some() {
                by_photo.entry(face.asset_id).or_default().push(at);
            }
        }
        let photos: Vec<(Uuid, Vec<usize>)> = by_photo.into_iter().collect();
        let mut refused = Vec::new();
        for some in photos.chunks(CHUNK_PHOTOS) {
            let streams: Vec<StreamId> =
                some.iter().map(|(asset_id, _)| StreamId::new("faces", asset_id)).collect();
            let loaded = self.commands.load_each::<Faces>(&streams).await?;
            let mut people: BTreeSet<PersonId> =
                loaded.iter().flat_map(|(faces, _)| faces.people()).collect();
            let places = some.iter().flat_map(|(_, places)| places);
            people.extend(places.filter_map(|at| person(&compared.get(*at)?.target)));
            let standing = self.commands.standing_of(people).await?;
            for ((_, places), (faces, _)) in some.iter().zip(loaded) {
                let photo = Arc::new(faces);
                for at in places {
                    let Some(face) = compared.get(*at) else { continue };
                    if is_refused(&photo, face.face_id, &face.target, &standing) {
                        refused.push(Refused { at: *at, photo: Arc::clone(&photo) });
                    }
                }
            }
        }
        Ok(refused)
    }
}

/// Whose else each of some faces may be: whoever's faces it is like, the most alike first.
async fn next_alike(
    gallery: &Arc<RwLock<Gallery>>,
    rules: Rules,
    compared: &[Compared],
    refused: &[Refused],
) -> Result<Vec<Vec<Target>>, ProcessorError> {
    let gallery = Arc::clone(gallery);
    let targets: HashMap<Uuid, Target> =
        compared.iter().map(|face| (face.face_id, face.target)).collect();
    let face_ids: Vec<Option<Uuid>> =
        refused.iter().map(|it| compared.get(it.at).map(|face| face.face_id)).collect();
    let looking = tokio::task::spawn_blocking(move || {
        let gallery = gallery.read().unwrap_or_else(PoisonError::into_inner);
        let next_of = |(count, face_id): (usize, Option<Uuid>)| {
            let place = face_id.filter(|_| count < REFUSED_MAX).and_then(|id| gallery.place_of(id));
            let near = place.map(|place| gallery.near(place, rules.cosine_min()));
            let mut next: Vec<Target> = Vec::new();
            for other in near.into_iter().flatten() {
                let target = gallery.face_ids().get(other.place).and_then(|id| targets.get(id));
                let Some(target) = target.filter(|target| **target != Target::Nobody) else {
                    continue;
                };
                if !next.contains(target) {
                    next.push(*target);
                }
                if next.len() >= NEXT_MAX {
                    break;
                }
            }
            next
        };
        face_ids.into_iter().enumerate().map(next_of).collect()
    });
    // The program ends.
    looking.await.map_err(|_ended| ProcessorError::NotYet { after: BUSY })
}

fn person(target: &Target) -> Option<PersonId> {
    match target {
        Target::Person(person_id) => Some(PersonId::new(*person_id)),
        Target::Nobody | Target::Fresh(_) => None,
    }
}

fn is_refused(photo: &Faces, face_id: Uuid, target: &Target, standing: &Standing) -> bool {
    let person_id = person(target);
    person_id.is_some_and(|it| photo.is_not_of(FaceId::new(face_id), it, standing))
}
