//! Which faces of a library are one person's: all of them compared with one another, within what people said.
//!
//! The outcome depends on the faces and on what is known of them, and neither on their order nor on how the work is
//! divided.
//! People of whom somebody said anything keep the group of faces that most of theirs are in, and each that is
//! mostly theirs. A group of several of them is divided: each face goes to whoever's face it is most like. So no run
//! makes two of them one, and none is lost. Other people are found again by the faces that they share with a group.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use calotype_projections::face_vectors::Gallery;
use uuid::Uuid;

use super::density::{Groups, groups};

/// More faces than this are never asked for, whatever the settings say.
const FACES_MIN_MAX: usize = 1_000;
/// Faces of one person that the faces of a group with several people are compared with.
const ANCHORS_MAX: usize = 200;

/// How alike faces of one person are, and how many it takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    cosine_min: f32,
    faces_min: usize,
}

impl Rules {
    /// `distance_max` is one less the cosine of the angle between two faces of one person; a person has at least
    /// `faces_min` faces.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a setting between 0 and 2")]
    pub fn new(distance_max: f64, faces_min: usize) -> Self {
        Self {
            cosine_min: (1.0 - distance_max) as f32,
            faces_min: faces_min.clamp(1, FACES_MIN_MAX),
        }
    }

    pub(super) const fn cosine_min(self) -> f32 {
        self.cosine_min
    }

    pub(super) const fn faces_min(self) -> usize {
        self.faces_min
    }
}

/// What is known of a face before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Whose it is.
    pub person_id: Option<Uuid>,
    /// Whether a person said so: then it stays.
    pub is_said_by_people: bool,
    /// Whether its photo is on the timeline: others make nobody a person.
    pub is_shown: bool,
}

impl Known {
    /// Whether a person said whose it is.
    pub(super) fn is_fixed(&self) -> bool {
        self.is_said_by_people && self.person_id.is_some()
    }
}

/// Whose a face is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Nobody's.
    Nobody,
    /// Somebody's who is there.
    Person(Uuid),
    /// Somebody's who is not there yet; those of one number are one.
    Fresh(usize),
}

/// Whose every face of a gallery is, by their places. Faces of which nothing is known are left out: they are not
/// there any more. `spoken` are the people of whom somebody said anything; whoever has a face that a person gave
/// them is one, too.
#[must_use]
#[expect(clippy::implicit_hasher, reason = "its callers gather them in the usual one")]
pub fn whole(
    gallery: &Gallery,
    known: &[Option<Known>],
    spoken: &HashSet<Uuid>,
    rules: Rules,
) -> Vec<Target> {
    let mut spoken = spoken.clone();
    let fixed = known.iter().flatten().filter(|face| face.is_fixed());
    spoken.extend(fixed.filter_map(|face| face.person_id));
    let groups = groups(gallery, known, rules);
    let claims = Claims::of(&groups, known, &spoken);
    let mut targets = of_groups(gallery, known, &groups, &claims);
    let settled = targets.clone();
    for (place, face) in known.iter().enumerate() {
        let Some(face) = face else { continue };
        let Some(target) = targets.get_mut(place) else { continue };
        if let Some(person_id) = face.person_id.filter(|_| face.is_fixed()) {
            *target = Target::Person(person_id);
        } else if groups.of_face.get(place).copied().flatten().is_none() {
            // It is like no core. Whoever has no other faces keeps it; else it goes with what it is like.
            let kept =
                face.person_id.filter(|it| spoken.contains(it) && !claims.homes.contains(it));
            let near = groups.near(place).iter();
            let joined = near.filter_map(|other| settled.get(other.place)).copied();
            let joined = joined.into_iter().find(|target| *target != Target::Nobody);
            *target = kept.map(Target::Person).or(joined).unwrap_or(Target::Nobody);
        }
    }
    targets
}

fn of_groups(
    gallery: &Gallery,
    known: &[Option<Known>],
    groups: &Groups,
    claims: &Claims,
) -> Vec<Target> {
    let mut targets = vec![Target::Nobody; known.len()];
    let mut fresh = 0;
    for (number, members) in groups.members.iter().enumerate() {
        let claimants = claims.by_group.get(&number);
        let target = match claimants.map(|people| people.iter().copied().collect::<Vec<_>>()) {
            Some(people) if people.len() > 1 => {
                divide(gallery, known, members, &people, &mut targets);
                continue;
            }
            Some(people) => people.first().copied(),
            None => None,
        };
        let target = target.or_else(|| claims.found_again.get(&number).copied());
        let target = target.map_or(Target::Fresh(fresh), Target::Person);
        fresh += usize::from(matches!(target, Target::Fresh(_)));
        for place in members {
            targets[*place] = target;
        }
    }
    targets
}

/// Divides the faces of a group among several people.
fn divide(
    gallery: &Gallery,
    known: &[Option<Known>],
    members: &[usize],
    people: &[Uuid],
    targets: &mut [Target],
) {
    let whose = |place: usize| {
        let person_id = known.get(place).copied().flatten().and_then(|face| face.person_id);
        person_id.filter(|person_id| people.contains(person_id))
    };
    // What people said comes first.
    let is_fixed =
        |place: &usize| known.get(*place).copied().flatten().is_some_and(|face| face.is_fixed());
    let (fixed, others): (Vec<usize>, Vec<usize>) = members.iter().partition(|it| is_fixed(it));
    let mut anchors: Vec<(usize, Uuid)> = Vec::new();
    let mut counts: HashMap<Uuid, usize> = HashMap::new();
    for place in fixed.iter().chain(&others) {
        let Some(person_id) = whose(*place) else { continue };
        let count = counts.entry(person_id).or_default();
        *count += 1;
        if *count <= ANCHORS_MAX {
            anchors.push((*place, person_id));
        }
    }
    for place in members {
        targets[*place] = match whose(*place) {
            Some(person_id) => Target::Person(person_id),
            None => {
                let alike = anchors.iter().filter_map(|(anchor, person_id)| {
                    Some((gallery.cosine(*place, *anchor)?, *person_id))
                });
                let most =
                    alike.max_by(|one, other| one.0.total_cmp(&other.0).then(other.1.cmp(&one.1)));
                most.map_or(Target::Nobody, |(_, person_id)| Target::Person(person_id))
            }
        };
    }
}

/// Who stays who they are, in which group.
#[derive(Debug, Default)]
struct Claims {
    /// People who were spoken of, by group.
    by_group: BTreeMap<usize, BTreeSet<Uuid>>,
    /// Those of them who have any group.
    homes: HashSet<Uuid>,
    /// Of other people: the group that is theirs.
    found_again: HashMap<usize, Uuid>,
}

impl Claims {
    fn of(groups: &Groups, known: &[Option<Known>], spoken: &HashSet<Uuid>) -> Self {
        let mut claims = Self::default();
        // How many faces of a group are said to be whose: by person, the group with most of theirs first.
        let mut shares: BTreeMap<Uuid, Vec<(usize, usize)>> = BTreeMap::new();
        for (number, members) in groups.members.iter().enumerate() {
            let mut counts: BTreeMap<Uuid, usize> = BTreeMap::new();
            for face in members.iter().filter_map(|place| known.get(*place).copied().flatten()) {
                let Some(person_id) = face.person_id else { continue };
                *counts.entry(person_id).or_default() += 1;
                if face.is_fixed() {
                    claims.claim(number, person_id);
                }
            }
            let said: usize = counts.values().sum();
            for (person_id, count) in counts {
                shares.entry(person_id).or_default().push((number, count));
                if spoken.contains(&person_id) && count * 2 > said {
                    claims.claim(number, person_id);
                }
            }
        }
        let mut others: Vec<(usize, usize, Uuid)> = Vec::new();
        for (person_id, shares) in shares {
            if !spoken.contains(&person_id) {
                others.extend(shares.iter().map(|(number, count)| (*count, *number, person_id)));
                continue;
            }
            let most =
                shares.iter().max_by(|one, other| one.1.cmp(&other.1).then(other.0.cmp(&one.0)));
            if let Some((number, _)) = most {
                claims.claim(*number, person_id);
            }
        }
        others.sort_unstable_by(|one, other| {
            other.0.cmp(&one.0).then(one.1.cmp(&other.1)).then(one.2.cmp(&other.2))
        });
        let mut found: HashSet<Uuid> = HashSet::new();
        for (_, number, person_id) in others {
            let is_free =
                !claims.by_group.contains_key(&number) && !claims.found_again.contains_key(&number);
            if is_free && found.insert(person_id) {
                claims.found_again.insert(number, person_id);
            }
        }
        claims
    }

    fn claim(&mut self, number: usize, person_id: Uuid) {
        self.by_group.entry(number).or_default().insert(person_id);
        self.homes.insert(person_id);
    }
}

#[cfg(test)]
mod tests;
