//! Groups of faces that are alike, by density: DBSCAN (Ester and others, 1996).
//!
//! A face that enough others are like is a core; cores that are alike are in one group; what is like a core belongs
//! to the group of the core that it is most like. All pairs are looked at, and none is kept that is not needed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use calotype_projections::face_vectors::{Gallery, Neighbour, Pair};

use super::clusters::{Known, Rules};

/// Threads that compare.
const THREADS: usize = 2;
/// Pieces of pairs that wait to be looked at. One has up to 65,536 pairs of 24 bytes.
const PIECES_WAITING_MAX: usize = 8;
/// Neighbours remembered of a face that cannot be a core.
const REMEMBERED_MAX: usize = 16;

/// Faces that are alike. Places are those of the gallery.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// The faces of each group in the order of their ids; groups in the order of their first faces.
    pub(super) members: Vec<Vec<usize>>,
    /// The group of each face.
    pub(super) of_face: Vec<Option<usize>>,
    /// Of a face without a group: faces it is like that may be somebody's, the most alike first.
    near: Vec<Vec<Neighbour>>,
}

impl Groups {
    /// What a face without a group is like, the most alike first.
    pub(super) fn near(&self, place: usize) -> &[Neighbour] {
        self.near.get(place).map_or(&[], Vec::as_slice)
    }
}

/// One face while pairs come in.
#[derive(Debug, Default)]
struct Face {
    /// Another face of its group; of the first one it is itself.
    parent: usize,
    /// Faces that show and are like it, with itself.
    count: usize,
    is_core: bool,
    /// Until it is a core: those that are or may become one.
    near: Vec<Neighbour>,
}

/// The groups of all faces of which something is known. A face that a person gave somebody is a core, whatever it is
/// like.
pub(super) fn groups(gallery: &Gallery, known: &[Option<Known>], rules: Rules) -> Groups {
    let mut growing = Growing::new(known, rules);
    for_each_pair(gallery, rules.cosine_min(), |one, other| growing.take(gallery, one, other));
    growing.finish(gallery)
}

/// Calls for each pair that is alike enough, once, in no order. Threads compare, and only this one is called.
fn for_each_pair(gallery: &Gallery, cosine_min: f32, mut take: impl FnMut(usize, Neighbour)) {
    let next = AtomicUsize::new(0);
    let (to, from) = mpsc::sync_channel::<Vec<Pair>>(PIECES_WAITING_MAX);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let (to, next) = (to.clone(), &next);
            scope.spawn(move || {
                loop {
                    let tile = next.fetch_add(1, Ordering::Relaxed);
                    if tile >= gallery.tiles() {
                        return;
                    }
                    gallery.pairs_of_tile(tile, cosine_min, |pairs| to.send(pairs).is_ok());
                }
            });
        }
        drop(to);
        for pairs in from {
            for (one, other) in pairs {
                take(one, other);
            }
        }
    });
}

struct Growing<'a> {
    known: &'a [Option<Known>],
    faces_min: usize,
    faces: Vec<Face>,
}

impl<'a> Growing<'a> {
    fn new(known: &'a [Option<Known>], rules: Rules) -> Self {
        let faces_min = rules.faces_min();
        let faces = known.iter().enumerate().map(|(place, known)| {
            let is_fixed = known.is_some_and(|face| face.is_fixed());
            let is_alone_enough = faces_min <= 1 && known.is_some_and(|face| face.is_shown);
            Face { parent: place, count: 1, is_core: is_fixed || is_alone_enough, near: vec![] }
        });
        Self { known, faces_min, faces: faces.collect() }
    }

    fn known(&self, place: usize) -> Option<Known> {
        self.known.get(place).copied().flatten()
    }

    fn take(&mut self, gallery: &Gallery, one: usize, other: Neighbour) {
        let (Some(first), Some(second)) = (self.known(one), self.known(other.place)) else {
            return;
        };
        self.meet(gallery, one, other, second);
        self.meet(gallery, other.place, Neighbour { place: one, ..other }, first);
        if self.faces[one].is_core && self.faces[other.place].is_core {
            self.join(one, other.place);
        }
    }

    /// A face hears of one that it is like.
    fn meet(&mut self, gallery: &Gallery, place: usize, other: Neighbour, known: Known) {
        let can_be_core = self.known(place).is_some_and(|face| face.is_shown);
        let face = &mut self.faces[place];
        face.count += usize::from(known.is_shown);
        if face.is_core {
            return;
        }
        if known.is_shown || known.is_fixed() {
            face.near.push(other);
        }
        if can_be_core && face.count >= self.faces_min {
            face.is_core = true;
            for near in std::mem::take(&mut face.near) {
                if self.faces[near.place].is_core {
                    self.join(place, near.place);
                }
            }
        } else if !can_be_core && face.near.len() > REMEMBERED_MAX * 2 {
            nearest_first(gallery, &mut face.near);
            face.near.truncate(REMEMBERED_MAX);
        }
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.first_of(one), self.first_of(other));
        self.faces[one.max(other)].parent = one.min(other);
    }

    fn first_of(&mut self, mut place: usize) -> usize {
        while self.faces[place].parent != place {
            // Each look makes the way shorter.
            let further = self.faces[self.faces[place].parent].parent;
            self.faces[place].parent = further;
            place = further;
        }
        place
    }

    fn finish(mut self, gallery: &Gallery) -> Groups {
        let count = self.faces.len();
        let mut first: Vec<Option<usize>> = vec![None; count];
        for (place, of) in first.iter_mut().enumerate() {
            let mut near = std::mem::take(&mut self.faces[place].near);
            nearest_first(gallery, &mut near);
            let core = if self.faces[place].is_core {
                Some(place)
            } else {
                near.iter().map(|it| it.place).find(|it| self.faces[*it].is_core)
            };
            *of = core.map(|core| self.first_of(core));
            self.faces[place].near = near;
        }
        let mut by_id: Vec<usize> = (0..count).collect();
        by_id.sort_unstable_by_key(|place| gallery.face_ids().get(*place));
        let mut groups = Groups {
            members: Vec::new(),
            of_face: vec![None; count],
            near: self.faces.into_iter().map(|face| face.near).collect(),
        };
        let mut numbers: Vec<Option<usize>> = vec![None; count];
        for place in by_id {
            let Some(first) = first[place] else { continue };
            let number = *numbers[first].get_or_insert_with(|| {
                groups.members.push(Vec::new());
                groups.members.len() - 1
            });
            groups.members[number].push(place);
            groups.of_face[place] = Some(number);
        }
        groups
    }
}

/// The most alike first; what is as much alike stands in the order of ids.
fn nearest_first(gallery: &Gallery, near: &mut [Neighbour]) {
    near.sort_by(|one, other| {
        let ids = gallery.face_ids();
        other
            .cosine
            .total_cmp(&one.cosine)
            .then_with(|| ids.get(one.place).cmp(&ids.get(other.place)))
    });
}
