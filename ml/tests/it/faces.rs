//! Faces: where they are, and whose.

use calotype_ml::{DEFAULT_FACES, Face, Ml, ModelKind, Pixels};
use serde_json::Value;

use crate::support::{cosine, expected, farthest, ml, numbers, picture};

/// Immich's default: what is farther apart is not one person.
const DISTANCE_MAX: f32 = 0.5;

async fn faces(ml: &Ml, name: &str) -> Vec<Face> {
    ml.faces(DEFAULT_FACES, picture(name), 0.7).await.unwrap().faces
}

fn sides(face: &Face) -> [f32; 4] {
    [face.x1, face.y1, face.x2, face.y2]
}

#[tokio::test]
async fn faces_are_where_the_reference_has_them() {
    let ml = ml();
    for (name, expected) in expected("faces.json").as_object().unwrap() {
        let found = faces(&ml, name).await;
        let expected: &Vec<Value> = expected.as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{name}");
        // OpenCV rounds places to 1/32 of a pixel. A JPEG's pixels depend on the library that reads it: this test's
        // is not libjpeg, which the reference and the decoder have (`ml_role` in `tests/` compares with those).
        let is_whole = std::path::Path::new(name).extension().is_some_and(|it| it == "png");
        let (near_px, alike) = if is_whole { (0.1, 0.999) } else { (3.0, 0.97) };
        for (found, expected) in found.iter().zip(expected) {
            let far = farthest(&sides(found), &numbers(&expected["box"]));
            assert!(far < near_px, "{name}: {far} px");
            let score = expected["score"].as_f64().unwrap();
            assert!((f64::from(found.score) - score).abs() < 5e-3, "{name}: {score}");
            let landmarks = found.landmarks.unwrap();
            let marks: Vec<Vec<f32>> =
                serde_json::from_value(expected["landmarks"].clone()).unwrap();
            assert!(farthest(landmarks.as_flattened(), &marks.concat()) < near_px, "{name}");
            let cosine = cosine(&found.embedding, &numbers(&expected["embedding"]));
            assert!(cosine > alike, "{name}: {cosine}");
        }
    }
}

#[tokio::test]
async fn people_are_told_apart() {
    let ml = ml();
    let people = [
        ("obama", ["faces/obama_1.jpg", "faces/obama_2.jpg", "faces/obama_3.jpg"].as_slice()),
        ("dad", &["faces/family1_dad_1.jpg", "faces/family1_dad_2.jpg"]),
        ("mom", &["faces/family1_mom_1.jpg", "faces/family1_mom_2.jpg"]),
        ("glasses", &["faces/single_glasses.jpg"]),
    ];
    let mut known: Vec<(&str, &str, Vec<f32>)> = Vec::new();
    for (person, names) in people {
        for name in names {
            let mut found = faces(&ml, name).await;
            assert_eq!(found.len(), 1, "{name}");
            known.push((person, name, found.swap_remove(0).embedding));
        }
    }
    for (at, (one, one_name, one_at)) in known.iter().enumerate() {
        for (other, other_name, other_at) in &known[at + 1..] {
            let distance = 1.0 - cosine(one_at, other_at);
            assert_eq!(
                distance <= DISTANCE_MAX,
                one == other,
                "{one_name} and {other_name} are {distance} apart"
            );
        }
    }
}

#[tokio::test]
async fn picture_without_faces_has_none_and_a_higher_score_finds_fewer() {
    let ml = ml();
    assert_eq!(faces(&ml, "photos/scenes/coffee.png").await, []);
    assert_eq!(faces(&ml, "faces/family1_all_on_beach.jpg").await.len(), 4);
    let picture = picture("faces/family1_all_on_beach.jpg");
    assert_eq!(ml.faces(DEFAULT_FACES, picture, 1.0).await.unwrap().faces, []);
}

#[tokio::test]
async fn extreme_shapes_have_no_faces() {
    let ml = ml();
    for (width, height) in [(1, 1), (4_000, 1), (1, 4_000)] {
        let bytes = usize::try_from(width * height * 3).unwrap();
        let pixels = Pixels::new(width, height, vec![100; bytes]).unwrap();
        assert_eq!(ml.faces(DEFAULT_FACES, pixels, 0.5).await.unwrap().faces, []);
    }
}

#[tokio::test]
async fn both_models_are_named() {
    let ml = ml();
    let found = ml.faces(DEFAULT_FACES, picture("faces/astronaut.png"), 0.7).await.unwrap();
    assert_ne!(found.model, found.recognition);
    let recognition = ml.model_ref(ModelKind::FaceRecognition, DEFAULT_FACES).unwrap();
    assert_eq!(found.recognition, recognition);
}
