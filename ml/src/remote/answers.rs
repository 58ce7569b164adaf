//! The protocol's answers, written and read. Embeddings are arrays of numbers written as a text.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{MODELS_KEY, Predicted, model_of, task};
use crate::clip::{DIMENSIONS_MAX, unit};
use crate::faces::{FACES_MAX, Face, Faces};
use crate::model::ModelKind;
use crate::num;
use crate::ocr::{WORDS_MAX, Word, Words};
use crate::pixels::Pixels;
use crate::room::Embedding;

/// Bytes of one line of text.
const TEXT_BYTES_MAX: usize = 4_096;

#[derive(Deserialize)]
struct FaceAnswer {
    #[serde(rename = "boundingBox")]
    bounding_box: BoxAnswer,
    embedding: Value,
    score: f32,
}

#[derive(Deserialize)]
struct BoxAnswer {
    x1: f32,
    y1: f32,
    x2: f32,
    y2: f32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WordsAnswer {
    text: Vec<String>,
    r#box: Vec<f32>,
    box_score: Vec<f32>,
    text_score: Vec<f32>,
}

pub(super) fn write(predicted: &Predicted, pixels: Option<&Pixels>) -> Value {
    let mut answer = Map::new();
    match predicted {
        Predicted::Embedding(found) => {
            answer.insert("clip".into(), list(&found.values));
            answer.insert(MODELS_KEY.into(), json!({ task(ModelKind::Clip): found.model }));
        }
        Predicted::Faces(found) => {
            let faces: Vec<Value> = found.faces.iter().map(face).collect();
            answer.insert("facial-recognition".into(), faces.into());
            let models = json!({
                task(ModelKind::FaceDetection): found.model,
                task(ModelKind::FaceRecognition): found.recognition,
            });
            answer.insert(MODELS_KEY.into(), models);
        }
        Predicted::Words(found) => {
            let words = &found.words;
            let corners: Vec<f32> =
                words.iter().flat_map(|it| it.corners.into_iter().flatten()).collect();
            let lines = json!({
                "text": words.iter().map(|it| it.text.as_str()).collect::<Vec<_>>(),
                "box": corners,
                "boxScore": words.iter().map(|it| it.box_score).collect::<Vec<_>>(),
                "textScore": words.iter().map(|it| it.text_score).collect::<Vec<_>>(),
            });
            answer.insert("ocr".into(), lines);
            answer.insert(MODELS_KEY.into(), json!({ task(ModelKind::Ocr): found.model }));
        }
    }
    if let Some(pixels) = pixels {
        answer.insert("imageHeight".into(), pixels.height().into());
        answer.insert("imageWidth".into(), pixels.width().into());
    }
    answer.into()
}

fn face(face: &Face) -> Value {
    json!({
        "boundingBox": {
            "x1": face.x1.round(),
            "y1": face.y1.round(),
            "x2": face.x2.round(),
            "y2": face.y2.round(),
        },
        "embedding": list(&face.embedding),
        "score": face.score,
    })
}

fn list(values: &[f32]) -> Value {
    serde_json::to_string(values).unwrap_or_default().into()
}

pub(super) fn embedding(answer: &Value, model: &str) -> Result<Embedding, String> {
    let values = numbers(answer.get("clip").ok_or("without an embedding")?)?;
    Ok(Embedding { model: model_of(answer, ModelKind::Clip, model), values })
}

pub(super) fn faces(answer: &Value, model: &str, pixels: &Pixels) -> Result<Faces, String> {
    let found = answer.get("facial-recognition").ok_or("without faces")?;
    let found = Vec::<FaceAnswer>::deserialize(found)
        .map_err(|error| format!("with faces that cannot be read: {error}"))?;
    if found.len() > FACES_MAX {
        return Err(format!("with more than {FACES_MAX} faces"));
    }
    let (width, height) = (num::side(pixels.width()), num::side(pixels.height()));
    let mut faces = Vec::with_capacity(found.len());
    for it in found {
        let BoxAnswer { x1, y1, x2, y2 } = it.bounding_box;
        // Boxes may hang over the edge; what lies beyond it is cut off, as with our own.
        let sides = [x1.max(0.0), y1.max(0.0), x2.min(width), y2.min(height)];
        // Rounded to whole pixels nothing may be left of one at the edge.
        if !(sides[0] < sides[2] && sides[1] < sides[3]) {
            continue;
        }
        let [x1, y1, x2, y2] = sides;
        let score = part(it.score)?;
        let embedding = numbers(&it.embedding)?;
        faces.push(Face { x1, y1, x2, y2, score, landmarks: None, embedding });
    }
    if faces.windows(2).any(|pair| pair[0].embedding.len() != pair[1].embedding.len()) {
        return Err("with embeddings of several lengths".to_owned());
    }
    faces.sort_by(|one, other| other.score.total_cmp(&one.score));
    Ok(Faces {
        model: model_of(answer, ModelKind::FaceDetection, model),
        recognition: model_of(answer, ModelKind::FaceRecognition, model),
        faces,
    })
}

pub(super) fn words(answer: &Value, model: &str) -> Result<Words, String> {
    let found = answer.get("ocr").ok_or("without words")?;
    let found = WordsAnswer::deserialize(found)
        .map_err(|error| format!("with words that cannot be read: {error}"))?;
    let count = found.text.len();
    let fits = found.box_score.len() == count
        && found.text_score.len() == count
        && found.r#box.len() == count * 8;
    if !fits || count > WORDS_MAX {
        return Err(format!("with {count} words that do not fit their boxes, or are too many"));
    }
    let mut words = Vec::with_capacity(count);
    for (at, text) in found.text.into_iter().enumerate() {
        if text.len() > TEXT_BYTES_MAX {
            return Err(format!("with a line of more than {TEXT_BYTES_MAX} bytes"));
        }
        let mut corners = [[0.0; 2]; 4];
        for (to, from) in corners.as_flattened_mut().iter_mut().zip(&found.r#box[at * 8..]) {
            *to = part(from.clamp(0.0, 1.0))?;
        }
        let (box_score, text_score) = (part(found.box_score[at])?, part(found.text_score[at])?);
        words.push(Word { corners, box_score, text, text_score });
    }
    Ok(Words { model: model_of(answer, ModelKind::Ocr, model), words })
}

/// A number between 0 and 1.
fn part(value: f32) -> Result<f32, String> {
    if (0.0..=1.0).contains(&value) {
        Ok(value)
    } else {
        Err("with scores beyond 0 to 1".to_owned())
    }
}

/// An embedding: an array, or an array in a text.
fn numbers(value: &Value) -> Result<Vec<f32>, String> {
    let unreadable = |_| "with an embedding that cannot be read".to_owned();
    let values: Vec<f32> = match value {
        Value::String(text) => serde_json::from_str(text).map_err(unreadable)?,
        Value::Array(list) if list.len() <= DIMENSIONS_MAX => {
            Vec::deserialize(value).map_err(unreadable)?
        }
        _ => return Err("with an embedding that is no list".to_owned()),
    };
    unit(values).map_err(|reason| format!("nonsense: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str) -> crate::model::ModelRef {
        crate::model::ModelRef { name: name.into(), revision: "1".into(), sha256: [7; 32] }
    }

    fn picture() -> Pixels {
        Pixels::filled(100, 50, 0)
    }

    #[test]
    fn what_is_written_reads_back() {
        let found = Embedding { model: model("a"), values: vec![0.6, 0.8] };
        let json = Predicted::Embedding(found.clone()).to_json(None);
        assert_eq!(json["clip"], "[0.6,0.8]");
        assert_eq!(embedding(&json, "a").unwrap(), found);
        assert_eq!(embedding(&json, "b").unwrap().model.revision, "remote", "another model");

        let face = Face {
            x1: 1.0,
            y1: 2.0,
            x2: 30.0,
            y2: 40.0,
            score: 0.5,
            landmarks: None,
            embedding: vec![1.0, 0.0],
        };
        let found = Faces { model: model("a"), recognition: model("a"), faces: vec![face] };
        let json = Predicted::Faces(found.clone()).to_json(Some(&picture()));
        assert_eq!((&json["imageWidth"], &json["imageHeight"]), (&json!(100), &json!(50)));
        assert_eq!(faces(&json, "a", &picture()).unwrap(), found);

        let word = Word {
            corners: [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]],
            box_score: 0.75,
            text: "KIRIN".into(),
            text_score: 1.0,
        };
        let found = Words { model: model("a"), words: vec![word] };
        let json = Predicted::Words(found.clone()).to_json(None);
        assert_eq!(words(&json, "a").unwrap(), found);
    }

    #[test]
    fn embeddings_that_lie_are_refused() {
        for answer in [
            json!({}),
            json!({ "clip": null }),
            json!({ "clip": "[]" }),
            json!({ "clip": "[0, 0]" }),
            json!({ "clip": "[1e999]" }),
            json!({ "clip": "[NaN]" }),
            json!({ "clip": ["a"] }),
            json!({ "clip": vec![1.0; DIMENSIONS_MAX + 1] }),
        ] {
            assert!(embedding(&answer, "a").is_err(), "{answer}");
        }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "numbers that f32 holds exactly")]
    fn faces_that_lie_are_refused() {
        let good = json!({
            "boundingBox": { "x1": -5, "y1": 0, "x2": 20, "y2": 200 }, "embedding": "[1,0]", "score": 0.9,
        });
        let read = |face: &Value| faces(&json!({ "facial-recognition": [face] }), "a", &picture());
        let found = read(&good).unwrap().faces.swap_remove(0);
        assert_eq!([found.x1, found.y1, found.x2, found.y2], [0.0, 0.0, 20.0, 50.0]);
        for (pointer, value) in [
            ("/boundingBox/y2", json!("low")),
            ("/embedding", json!("[0,0]")),
            ("/score", json!(1.5)),
            ("/score", json!(null)),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(pointer).unwrap() = value;
            assert!(read(&bad).is_err(), "{bad}");
        }
        let many = vec![good; FACES_MAX + 1];
        assert!(faces(&json!({ "facial-recognition": many }), "a", &picture()).is_err());
    }

    #[test]
    fn words_that_do_not_fit_are_refused() {
        let read = |text: Value, corners: Value| {
            let ocr =
                json!({ "text": text, "box": corners, "boxScore": [0.9], "textScore": [0.9] });
            words(&json!({ "ocr": ocr }), "a")
        };
        assert_eq!(read(json!(["a"]), json!(vec![0; 8])).unwrap().words.len(), 1);
        assert!(read(json!(["a", "b"]), json!(vec![0; 16])).is_err());
        assert!(read(json!(["a"]), json!(vec![0; 7])).is_err());
        assert!(read(json!(["a".repeat(TEXT_BYTES_MAX + 1)]), json!(vec![0; 8])).is_err());
    }
}
