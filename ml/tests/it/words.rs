//! Words in pictures.

use calotype_ml::{DEFAULT_OCR, Ml, OcrLimits, Pixels, Word};

use crate::support::{expected, farthest, ml, numbers, picture};

async fn words(ml: &Ml, name: &str) -> Vec<Word> {
    ml.words(DEFAULT_OCR, picture(name), OcrLimits::default()).await.unwrap().words
}

/// Letters and digits alone: spaces and marks are where readers differ most.
fn letters(text: &str) -> String {
    text.chars().filter(|it| it.is_alphanumeric()).collect()
}

#[tokio::test]
async fn lines_are_read_as_the_reference_reads_them() {
    let ml = ml();
    for (name, expected) in expected("words.json").as_object().unwrap() {
        let found = words(&ml, name).await;
        let expected = expected.as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{name}: {found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            let text = expected["text"].as_str().unwrap();
            assert_eq!(letters(&found.text), letters(text), "{name}");
            let corners: Vec<Vec<f32>> =
                serde_json::from_value(expected["corners"].clone()).unwrap();
            let far = farthest(found.corners.as_flattened(), &corners.concat());
            assert!(far < 0.005, "{name}: {text}: {far}");
            for (found, key) in [(found.box_score, "box_score"), (found.text_score, "text_score")] {
                let expected = numbers(&serde_json::json!([expected[key]]))[0];
                assert!((found - expected).abs() < 0.1, "{name}: {text}: {key} {found}");
            }
        }
    }
}

#[tokio::test]
async fn what_people_can_read_is_read() {
    let ml = ml();
    for (name, lines) in [
        (
            "ocr/ps4_update_screen.jpg",
            ["System Software Update", "automatically restart"].as_slice(),
        ),
        ("ocr/plate_alaska.jpg", &["ALASKA"]),
        ("ocr/sign_no_litter_japanese.jpg", &["MINATO CITY"]),
        ("ocr/handwritten_notes.jpg", &["In progress"]),
    ] {
        let found = words(&ml, name).await;
        let all: String = found.iter().map(|word| letters(&word.text)).collect();
        for line in lines {
            assert!(all.contains(&letters(line)), "{name}: {line} is not in {all}");
        }
    }
}

#[tokio::test]
async fn picture_without_words_has_none_at_any_shape() {
    let ml = ml();
    for (width, height) in [(1, 1), (3, 2_000), (3_000, 40), (640, 480)] {
        let bytes = usize::try_from(width * height * 3).unwrap();
        let pixels = Pixels::new(width, height, vec![200; bytes]).unwrap();
        let found = ml.words(DEFAULT_OCR, pixels, OcrLimits::default()).await.unwrap();
        assert_eq!(found.words, [], "{width}x{height}");
    }
}
