//! Facts about groups of faces, with vectors made by hand: each person has an axis of their own.

use calotype_projections::embeddings::Codes;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};

use super::*;

/// The groups of fresh people, and whose every other face is.
type Outcome = (BTreeSet<BTreeSet<Uuid>>, BTreeMap<Uuid, Target>);

const RULES: Rules = Rules { cosine_min: 0.5, faces_min: 3 };
const DIMS: usize = 32;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A person, by their axis.
fn person(axis: usize) -> Uuid {
    id(1_000 + u128::try_from(axis).unwrap())
}

fn shown() -> Known {
    Known { is_shown: true, ..Known::default() }
}

fn of(axis: usize) -> Known {
    Known { person_id: Some(person(axis)), ..shown() }
}

fn said(axis: usize) -> Known {
    Known { is_said_by_people: true, ..of(axis) }
}

/// Faces and what is known of them.
#[derive(Default)]
struct Library {
    gallery: Gallery,
    known: Vec<Option<Known>>,
}

impl Library {
    fn add(&mut self, values: &[f32], known: Known) -> usize {
        let number = u128::try_from(self.known.len()).unwrap();
        self.gallery.push(id(number), id(number), &Codes::of(values));
        self.known.push(Some(known));
        self.known.len() - 1
    }

    /// A face on an axis, so far away from it along the last one (both at unit length).
    fn face(&mut self, axis: usize, away: f32, known: Known) -> usize {
        let mut values = [0.0; DIMS];
        values[axis] = (1.0 - away * away).sqrt();
        values[DIMS - 1] = away;
        self.add(&values, known)
    }

    /// A face between two axes, as like the one as the other.
    fn between(&mut self, one: usize, other: usize, known: Known) -> usize {
        let mut values = [0.0; DIMS];
        values[one] = 0.5_f32.sqrt();
        values[other] = 0.5_f32.sqrt();
        self.add(&values, known)
    }

    fn whole(&self, spoken: &[usize]) -> Vec<Target> {
        let spoken: HashSet<Uuid> = spoken.iter().map(|axis| person(*axis)).collect();
        whole(&self.gallery, &self.known, &spoken, RULES)
    }
}

#[test]
fn as_many_faces_as_it_takes_are_a_person_and_fewer_are_nobody() {
    let mut library = Library::default();
    for axis in [0, 0, 0, 1, 1] {
        library.face(axis, 0.0, shown());
    }
    let fresh = Target::Fresh(0);
    let nobody = Target::Nobody;
    assert_eq!(library.whole(&[]), [fresh, fresh, fresh, nobody, nobody]);
}

#[test]
fn faces_that_do_not_show_make_nobody_a_person_but_belong_to_one() {
    let mut library = Library::default();
    for _ in 0..3 {
        library.face(0, 0.0, Known::default());
        library.face(1, 0.0, shown());
    }
    let hidden = library.face(1, 0.0, Known::default());
    let targets = library.whole(&[]);
    assert_eq!(targets[0], Target::Nobody);
    assert_eq!((targets[1], targets[hidden]), (Target::Fresh(0), Target::Fresh(0)));
}

#[test]
fn faces_that_are_not_there_any_more_count_for_nothing() {
    let mut library = Library::default();
    for _ in 0..3 {
        library.face(0, 0.0, shown());
    }
    library.known[2] = None;
    assert_eq!(library.whole(&[]), [Target::Nobody; 3]);
}

#[test]
fn people_are_who_they_were() {
    let mut library = Library::default();
    for axis in 0..2 {
        for _ in 0..4 {
            library.face(axis, 0.0, of(axis));
        }
        library.face(axis, 0.3, shown());
    }
    let targets = library.whole(&[]);
    assert!(targets[..5].iter().all(|it| *it == Target::Person(person(0))), "{targets:?}");
    assert!(targets[5..].iter().all(|it| *it == Target::Person(person(1))), "{targets:?}");
}

#[test]
fn nameless_people_who_turn_out_to_be_one_become_one() {
    let mut library = Library::default();
    for axis in [0, 0, 0, 1, 1] {
        library.face(2, 0.0, of(axis));
    }
    assert_eq!(library.whole(&[]), [Target::Person(person(0)); 5]);
}

#[test]
fn people_who_were_spoken_of_are_never_made_one() {
    let mut library = Library::default();
    for axis in [0, 0, 0, 1, 1, 1] {
        library.face(axis, 0.0, of(axis));
    }
    // A chain from one to the other.
    for _ in 0..3 {
        library.between(0, 1, shown());
    }
    let near_one = library.face(1, 0.2, shown());
    let targets = library.whole(&[0, 1]);
    assert!(targets[..3].iter().all(|it| *it == Target::Person(person(0))), "{targets:?}");
    assert!(targets[3..6].iter().all(|it| *it == Target::Person(person(1))), "{targets:?}");
    assert_eq!(targets[near_one], Target::Person(person(1)));
}

#[test]
fn what_people_said_stays_and_draws_what_is_like_it() {
    let mut library = Library::default();
    let told = library.face(0, 0.0, said(5));
    let like_it = library.face(0, 0.2, shown());
    let other = library.face(1, 0.0, of(1));
    let targets = library.whole(&[]);
    assert_eq!(targets[told], Target::Person(person(5)));
    assert_eq!(targets[like_it], Target::Person(person(5)));
    assert_eq!(targets[other], Target::Nobody, "one face is nobody's");
}

#[test]
fn whoever_was_spoken_of_keeps_a_face_that_is_like_no_other() {
    let mut library = Library::default();
    library.face(0, 0.0, of(0));
    library.face(1, 0.0, of(1));
    assert_eq!(library.whole(&[0]), [Target::Person(person(0)), Target::Nobody]);
}

#[test]
fn whoever_was_merged_of_two_groups_keeps_both() {
    let mut library = Library::default();
    for axis in [0, 0, 0, 1, 1, 1] {
        library.face(axis, 0.0, of(7));
    }
    assert_eq!(library.whole(&[7]), [Target::Person(person(7)); 6]);
    let targets = library.whole(&[]);
    assert_eq!((targets[0], targets[3]), (Target::Person(person(7)), Target::Fresh(0)));
}

#[test]
fn wrong_faces_of_somebody_go_to_whom_they_are_like() {
    let mut library = Library::default();
    for axis in [0, 0, 0, 0, 1, 1, 1, 1] {
        library.face(axis, 0.0, of(axis));
    }
    let wrong = library.face(1, 0.1, of(0));
    assert_eq!(library.whole(&[0, 1])[wrong], Target::Person(person(1)));
}

/// Groups of faces by what they became, whatever their order.
fn parts(library: &Library, targets: &[Target]) -> BTreeSet<BTreeSet<Uuid>> {
    let mut parts: HashMap<String, BTreeSet<Uuid>> = HashMap::new();
    for (face_id, target) in library.gallery.face_ids().iter().zip(targets) {
        if *target != Target::Nobody {
            parts.entry(format!("{target:?}")).or_default().insert(*face_id);
        }
    }
    parts.into_values().collect()
}

#[test]
fn order_of_faces_changes_nothing() {
    for seed in 0..20 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut faces: Vec<(u128, Vec<f32>, Known)> = Vec::new();
        for number in 0..150 {
            let axis = random.random_range(0..8);
            let mut values: Vec<f32> =
                (0..DIMS).map(|_| random.random_range(-0.12..0.12)).collect();
            values[axis] += 1.0;
            let known = match random.random_range(0..6) {
                0 => of(axis),
                1 => said(random.random_range(0..8)),
                2 => Known::default(),
                _ => shown(),
            };
            faces.push((number, values, known));
        }
        let mut outcomes: Vec<Outcome> = Vec::new();
        for _ in 0..3 {
            faces.shuffle(&mut random);
            let mut library = Library::default();
            for (number, values, known) in &faces {
                library.gallery.push(id(*number), id(*number), &Codes::of(values));
                library.known.push(Some(*known));
            }
            let targets = library.whole(&[1, 2]);
            let ids = library.gallery.face_ids().iter().copied();
            outcomes.push((parts(&library, &targets), ids.zip(targets.clone()).collect()));
        }
        assert_eq!(outcomes[0], outcomes[1], "seed {seed}");
        assert_eq!(outcomes[0], outcomes[2], "seed {seed}");
        let is_kept = faces.iter().filter(|(_, _, known)| known.is_fixed());
        for (number, _, known) in is_kept {
            let kept = outcomes[0].1[&id(*number)];
            assert_eq!(Some(kept), known.person_id.map(Target::Person), "seed {seed}");
        }
    }
}

#[test]
fn done_twice_is_done_once() {
    let mut library = Library::default();
    for axis in [0, 0, 0, 1, 1, 1, 2] {
        library.face(axis, 0.1, shown());
    }
    let first = library.whole(&[]);
    for (known, target) in library.known.iter_mut().zip(&first) {
        let person_id = match target {
            Target::Fresh(number) => Some(person(*number)),
            Target::Person(person_id) => Some(*person_id),
            Target::Nobody => None,
        };
        *known = Some(Known { person_id, ..shown() });
    }
    let second = library.whole(&[]);
    for (known, target) in library.known.iter().flatten().zip(&second) {
        let is_same = known.person_id.map_or(Target::Nobody, Target::Person) == *target;
        assert!(is_same, "{known:?} became {target:?}");
    }
}
