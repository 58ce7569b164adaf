//! Facts about faces: single rules, and people's decisions against any order of runs of models.

use std::collections::BTreeSet;

use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::*;
use crate::event::Aggregate as _;
use crate::id::{FaceId, PersonId};

const ANNA: PersonId = PersonId::new(Uuid::from_u128(1));
const BERT: PersonId = PersonId::new(Uuid::from_u128(2));
const SIZE: PictureSize = PictureSize { width: 1_000, height: 1_000 };

type Given = TestFramework<Faces>;

fn face(number: u128) -> FaceId {
    FaceId::new(Uuid::from_u128(number))
}

fn at(left: i32, top: i32) -> Area {
    Area::from_pixels((left, top), (left + 100, top + 100), SIZE).unwrap()
}

fn model(name: &str) -> ModelRef {
    ModelRef { name: name.into(), revision: "1".into(), sha256: "0".repeat(64) }
}

fn looks(name: &str, found: &[(u128, Area)]) -> FacesCommand {
    let found = found
        .iter()
        .map(|(number, area)| Found { fresh_id: face(*number), area: *area, score: 0.9 })
        .collect();
    let input_blake3 = "b".into();
    let detection = Detection {
        model: model(name),
        input_blake3,
        size: SIZE,
        found,
        vectors_blake3: None,
        dims: None,
    };
    FacesCommand::RecordDetection(Box::new(detection))
}

fn guesses(number: u128, person_id: PersonId, standing: Standing) -> FacesCommand {
    let faces = vec![FaceAssignment { face_id: face(number), person_id }];
    let run_id = Uuid::from_u128(9);
    let guesses = Box::new(Guesses { model: model("a"), run_id, faces, nobodys: vec![] });
    FacesCommand::RecordGuesses { guesses, standing }
}

fn confirms(number: u128, person_id: PersonId) -> FacesCommand {
    FacesCommand::Confirm { face_id: face(number), person_id, standing: Standing::default() }
}

/// The aggregate after some commands, none of which may be refused.
fn after(commands: &[FacesCommand]) -> Faces {
    let mut faces = Faces::default();
    for command in commands {
        apply(&mut faces, command).unwrap();
    }
    faces
}

fn apply(faces: &mut Faces, command: &FacesCommand) -> Result<(), FacesError> {
    for event in faces.decide(command)? {
        faces.evolve(&event);
    }
    Ok(())
}

#[test]
fn same_model_on_the_same_bytes_says_nothing_new() {
    let first = looks("a", &[(1, at(0, 0))]);
    assert_eq!(after(std::slice::from_ref(&first)).decide(&first), Ok(vec![]));
}

#[test]
fn same_model_that_must_be_less_or_more_sure_says_what_changes() {
    let (one, two) = ((1, at(0, 0)), (2, at(500, 0)));
    let faces = after(&[looks("a", &[one])]);
    assert_eq!(faces.decide(&looks("a", &[one, two])).unwrap().len(), 1);
    let faces = after(&[looks("a", &[one, two])]);
    assert_eq!(faces.decide(&looks("a", &[one])).unwrap().len(), 1);
    let again = looks("a", &[(3, at(5, 5)), (4, at(500, 5))]);
    assert_eq!(faces.decide(&again), Ok(vec![]), "the same faces");
}

#[test]
fn model_may_take_back_what_it_said_and_nothing_else() {
    let faces = after(&[
        looks("a", &[(1, at(0, 0)), (2, at(300, 0)), (3, at(600, 0))]),
        guesses(1, BERT, Standing::default()),
        confirms(2, ANNA),
    ]);
    let guesses = Guesses {
        model: model("a"),
        run_id: Uuid::from_u128(9),
        faces: vec![],
        nobodys: vec![face(1), face(2), face(3), face(4)],
    };
    let command =
        FacesCommand::RecordGuesses { guesses: Box::new(guesses), standing: Standing::default() };
    let (model, run_id) = (model("a"), Uuid::from_u128(9));
    let taken_back = FacesUnassigned { model, run_id, faces: vec![face(1)] };
    assert_eq!(faces.decide(&command), Ok(vec![taken_back.into()]));
    let mut faces = faces;
    apply(&mut faces, &command).unwrap();
    assert_eq!(faces.person_of(face(1)), Some(None));
}

#[test]
fn face_at_the_same_place_keeps_its_id() {
    let faces = after(&[looks("a", &[(1, at(0, 0))]), looks("b", &[(2, at(10, 10))])]);
    assert_eq!(faces.ids().collect::<Vec<_>>(), [face(1)]);
    assert_eq!(faces.area_of(face(1)), Some(at(10, 10)));
}

#[test]
fn face_that_is_not_found_again_is_lost() {
    let faces = after(&[looks("a", &[(1, at(0, 0))]), looks("b", &[(2, at(500, 0))])]);
    assert_eq!(faces.ids().collect::<Vec<_>>(), [face(2)]);
}

#[test]
fn confirmed_face_is_not_guessed_otherwise_and_stays_where_it_was() {
    let mut faces = after(&[looks("a", &[(1, at(0, 0))]), confirms(1, ANNA)]);
    assert_eq!(faces.decide(&guesses(1, BERT, Standing::default())), Ok(vec![]));
    apply(&mut faces, &looks("b", &[(2, at(20, 0))])).unwrap();
    assert_eq!(faces.area_of(face(1)), Some(at(0, 0)));
    apply(&mut faces, &looks("c", &[])).unwrap();
    assert_eq!(faces.person_of(face(1)), Some(Some(ANNA)));
}

#[test]
fn rejected_person_is_not_guessed_even_for_a_face_found_anew() {
    let reject =
        FacesCommand::Reject { face_id: face(1), person_id: ANNA, standing: Standing::default() };
    let faces = after(&[
        looks("a", &[(1, at(0, 0))]),
        guesses(1, ANNA, Standing::default()),
        reject,
        looks("b", &[]),
        looks("c", &[(7, at(5, 5))]),
    ]);
    assert_eq!(faces.person_of(face(7)), Some(None));
    assert_eq!(faces.decide(&guesses(7, ANNA, Standing::default())), Ok(vec![]));
    assert_eq!(faces.decide(&guesses(7, BERT, Standing::default())).unwrap().len(), 1);
}

#[test]
fn rejection_holds_for_whoever_they_turn_out_to_be() {
    let reject =
        FacesCommand::Reject { face_id: face(1), person_id: ANNA, standing: Standing::default() };
    let faces = after(&[looks("a", &[(1, at(0, 0))]), reject]);
    let merged = Standing::from_iter([(ANNA, Some(BERT))]);
    assert_eq!(faces.decide(&guesses(1, BERT, merged)), Ok(vec![]));
}

#[test]
fn of_a_deleted_person_nobody_said_anything() {
    let faces = after(&[looks("a", &[(1, at(0, 0))]), confirms(1, ANNA)]);
    let deleted = Standing::from_iter([(ANNA, None)]);
    assert_eq!(faces.decide(&guesses(1, BERT, deleted.clone())).unwrap().len(), 1);
    assert_eq!(faces.decide(&guesses(1, ANNA, deleted)), Ok(vec![]));
}

#[test]
fn removed_face_stays_away_until_it_is_drawn() {
    let remove = FacesCommand::Remove { face_id: face(1) };
    let mut faces = after(&[looks("a", &[(1, at(0, 0))]), remove, looks("b", &[(2, at(10, 0))])]);
    assert_eq!(faces.ids().count(), 0);
    let draw =
        FacesCommand::Draw { face_id: face(3), area: Some(at(0, 0)), size: SIZE, person_id: ANNA };
    apply(&mut faces, &draw).unwrap();
    apply(&mut faces, &looks("c", &[(4, at(10, 0))])).unwrap();
    assert_eq!(faces.ids().collect::<Vec<_>>(), [face(3)]);
}

#[test]
fn moving_a_face_to_somebody_rejects_who_it_was() {
    let assigned = FacesAssigned {
        model: model("a"),
        run_id: Uuid::from_u128(9),
        faces: vec![FaceAssignment { face_id: face(1), person_id: BERT }],
    };
    let detected = after(&[]).decide(&looks("a", &[(1, at(0, 0))])).unwrap();
    let area = Some(at(0, 0));
    Given::with(())
        .given(detected.into_iter().chain([assigned.into()]).collect())
        .when(confirms(1, ANNA))
        .then_expect_events(vec![
            FaceRejected { face_id: face(1), area: area.into(), person_id: BERT }.into(),
            FaceConfirmed { face_id: face(1), area: area.into(), person_id: ANNA }.into(),
        ]);
}

#[test]
fn confirming_twice_happens_once() {
    let faces = after(&[looks("a", &[(1, at(0, 0))]), confirms(1, ANNA)]);
    assert_eq!(faces.decide(&confirms(1, ANNA)), Ok(vec![]));
}

#[test]
fn box_off_the_photo_and_face_that_is_not_there_are_refused() {
    let nowhere = Area { left: 0.5, top: 0.5, right: 0.5, bottom: 0.6 };
    let draw =
        FacesCommand::Draw { face_id: face(1), area: Some(nowhere), size: SIZE, person_id: ANNA };
    Given::with(()).given_no_previous_events().when(draw).then_expect_error(FacesError::BadArea);
    Given::with(())
        .given_no_previous_events()
        .when(confirms(1, ANNA))
        .then_expect_error(FacesError::NotFound);
}

/// Numbers that look random and are the same at every run: xorshift, 64 bits (Marsaglia 2003).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn shift(&mut self) -> i32 {
        i32::try_from(self.below(11)).unwrap() - 5
    }
}

/// What people said about one place, the last word counting.
#[derive(Debug, Default)]
struct Said {
    is: Option<PersonId>,
    is_not: BTreeSet<PersonId>,
    nobody: bool,
}

/// Places in a row, 150 pixels apart, so that faces of two places never meet.
const PLACES: u64 = 6;
const PEOPLE: u64 = 4;

fn middle(number: u64) -> Area {
    at(i32::try_from(number).unwrap() * 150 + 20, 400)
}

/// Five pixels to and fro: any two of them share at least 0.68.
fn about(number: u64, numbers: &mut Numbers) -> Area {
    let left = i32::try_from(number).unwrap() * 150 + 20;
    at(left + numbers.shift(), 400 + numbers.shift())
}

fn person(number: u64) -> PersonId {
    PersonId::new(Uuid::from_u128(100 + u128::from(number)))
}

fn faces_at(faces: &Faces, number: u64) -> Vec<FaceId> {
    let is_here = |face_id: &FaceId| {
        faces.area_of(*face_id).is_some_and(|area| area.is_same_place(&middle(number)))
    };
    faces.ids().filter(is_here).collect()
}

/// A model looks, and misses some; or it guesses for every face.
fn machine_step(faces: &mut Faces, numbers: &mut Numbers, step: u64) {
    if numbers.below(2) == 0 {
        let mut found = Vec::new();
        for number in 0..PLACES {
            if numbers.below(4) > 0 {
                found.push((u128::from(step * 100 + number), about(number, numbers)));
            }
        }
        apply(faces, &looks(&format!("model {step}"), &found)).unwrap();
        return;
    }
    let guesses = Guesses {
        model: model("a"),
        run_id: Uuid::from_u128(u128::from(step)),
        faces: faces
            .ids()
            .map(|face_id| FaceAssignment { face_id, person_id: person(numbers.below(PEOPLE)) })
            .collect(),
        nobodys: if numbers.below(4) == 0 { faces.ids().collect() } else { vec![] },
    };
    let standing = Standing::default();
    apply(faces, &FacesCommand::RecordGuesses { guesses: Box::new(guesses), standing }).unwrap();
}

/// A person decides something about a place.
fn human_step(faces: &mut Faces, numbers: &mut Numbers, step: u64, said: &mut [Said]) {
    let number = numbers.below(PLACES);
    let person_id = person(numbers.below(PEOPLE));
    let said = &mut said[usize::try_from(number).unwrap()];
    let standing = Standing::default();
    let command = match (faces_at(faces, number).first().copied(), numbers.below(3)) {
        (None, 0) => {
            let face_id = face(u128::from(step) + 1_000_000);
            let area = Some(about(number, numbers));
            FacesCommand::Draw { face_id, area, size: SIZE, person_id }
        }
        (None, _) => return,
        (Some(face_id), 0) => FacesCommand::Confirm { face_id, person_id, standing },
        (Some(face_id), 1) => FacesCommand::Reject { face_id, person_id, standing },
        (Some(face_id), _) => FacesCommand::Remove { face_id },
    };
    apply(faces, &command).unwrap();
    match command {
        FacesCommand::Draw { .. } | FacesCommand::Confirm { .. } => {
            said.is = Some(person_id);
            said.is_not.remove(&person_id);
            said.nobody = false;
        }
        FacesCommand::Reject { .. } => {
            said.is = said.is.filter(|is| *is != person_id);
            said.is_not.insert(person_id);
        }
        _ => {
            said.is = None;
            said.nobody = true;
        }
    }
}

fn ensure_holds(faces: &Faces, number: u64, said: &Said, when: &str) {
    let people: Vec<Option<PersonId>> =
        faces_at(faces, number).into_iter().filter_map(|it| faces.person_of(it)).collect();
    assert!(people.len() <= 1, "{when}: place {number} has two faces");
    if let Some(is) = said.is {
        assert_eq!(people, [Some(is)], "{when}: place {number} is not who they are");
    }
    assert!(!said.nobody || people.is_empty(), "{when}: place {number} has a removed face");
    for is_not in &said.is_not {
        assert!(!people.contains(&Some(*is_not)), "{when}: place {number} is who they are not");
    }
}

#[test]
fn decisions_of_people_win_over_any_order_of_runs() {
    for seed in 1..1_000_u64 {
        let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut faces = Faces::default();
        let mut said: Vec<Said> = (0..PLACES).map(|_| Said::default()).collect();
        for step in 1..50 {
            if numbers.below(3) > 0 {
                machine_step(&mut faces, &mut numbers, step);
            } else {
                human_step(&mut faces, &mut numbers, step, &mut said);
            }
            for (number, said) in (0..).zip(&said) {
                ensure_holds(&faces, number, said, &format!("seed {seed}, step {step}"));
            }
        }
    }
}
