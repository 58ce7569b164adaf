//! What a request wants: `{"clip": {"visual": {"modelName": "…", "options": {…}}}}` and so on.

use calotype_ml::OcrLimits;
use serde::Deserialize;

use super::refusal::Refusal;

/// The least score of a face where a request names none.
const MIN_FACE_SCORE: f32 = 0.7;

/// One thing to find out.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Task {
    Visual { model: String },
    Textual { model: String, language: Option<String> },
    Faces { model: String, min_score: f32 },
    Words { model: String, limits: OcrLimits },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entries {
    clip: Option<Clip>,
    facial_recognition: Option<Stages>,
    ocr: Option<Stages>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Clip {
    visual: Option<Model>,
    textual: Option<Model>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stages {
    detection: Model,
    recognition: Option<Model>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Model {
    model_name: String,
    #[serde(default)]
    options: Options,
}

/// What is not known of them is passed over: other versions have others.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    language: Option<String>,
    min_score: Option<f32>,
    max_resolution: Option<u32>,
}

/// Reads what a request wants.
pub(super) fn parse(json: &str) -> Result<Vec<Task>, Refusal> {
    let entries: Entries = serde_json::from_str(json).map_err(|_| Refusal::bad_entries())?;
    let mut tasks = Vec::new();
    if let Some(Clip { visual, textual }) = entries.clip {
        if let Some(Model { model_name: model, .. }) = visual {
            tasks.push(Task::Visual { model });
        }
        if let Some(Model { model_name: model, options }) = textual {
            tasks.push(Task::Textual { model, language: options.language });
        }
    }
    if let Some(stages) = entries.facial_recognition {
        stages.check()?;
        let Model { model_name: model, options } = stages.detection;
        let min_score = score(options.min_score, MIN_FACE_SCORE)?;
        tasks.push(Task::Faces { model, min_score });
    }
    if let Some(stages) = entries.ocr {
        stages.check()?;
        let usual = OcrLimits::default();
        let Stages { detection, recognition } = stages;
        let limits = OcrLimits {
            resolution: detection.options.max_resolution.unwrap_or(usual.resolution),
            min_box_score: score(detection.options.min_score, usual.min_box_score)?,
            min_text_score: score(
                recognition.and_then(|it| it.options.min_score),
                usual.min_text_score,
            )?,
        };
        tasks.push(Task::Words { model: detection.model_name, limits });
    }
    if tasks.is_empty() { Err(Refusal::bad_entries()) } else { Ok(tasks) }
}

impl Stages {
    /// Both stages are of one model: it is one folder.
    fn check(&self) -> Result<(), Refusal> {
        let is_one = self
            .recognition
            .as_ref()
            .is_none_or(|recognition| recognition.model_name == self.detection.model_name);
        if is_one { Ok(()) } else { Err(Refusal::bad_entries()) }
    }
}

fn score(wished: Option<f32>, usual: f32) -> Result<f32, Refusal> {
    let score = wished.unwrap_or(usual);
    if (0.0..=1.0).contains(&score) { Ok(score) } else { Err(Refusal::bad_entries()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_of_immich_are_read() {
        let faces = r#"{"facial-recognition": {
            "detection": {"modelName": "buffalo_l", "options": {"minScore": 0.5}},
            "recognition": {"modelName": "buffalo_l"}}}"#;
        let expected = Task::Faces { model: "buffalo_l".into(), min_score: 0.5 };
        assert_eq!(parse(faces).unwrap(), [expected]);

        let text = r#"{"clip": {"textual": {"modelName": "a", "options": {"language": "de"}}}}"#;
        let expected = Task::Textual { model: "a".into(), language: Some("de".into()) };
        assert_eq!(parse(text).unwrap(), [expected]);

        let words = r#"{"ocr": {
            "detection": {"modelName": "b", "options": {"minScore": 0.25, "maxResolution": 1440}},
            "recognition": {"modelName": "b", "options": {"minScore": 0.75}}},
            "clip": {"visual": {"modelName": "a"}}}"#;
        let limits = OcrLimits { resolution: 1_440, min_box_score: 0.25, min_text_score: 0.75 };
        let expected =
            [Task::Visual { model: "a".into() }, Task::Words { model: "b".into(), limits }];
        assert_eq!(parse(words).unwrap(), expected);
    }

    #[test]
    fn wishes_that_make_no_sense_are_refused() {
        for json in [
            "",
            "[]",
            "{}",
            r#"{"clip": {}}"#,
            r#"{"magic": {"visual": {"modelName": "a"}}}"#,
            r#"{"clip": {"visual": {}}}"#,
            r#"{"ocr": {"recognition": {"modelName": "a"}}}"#,
            r#"{"ocr": {"detection": {"modelName": "a", "options": {"minScore": 2}}}}"#,
            r#"{"ocr": {"detection": {"modelName": "a"}, "recognition": {"modelName": "b"}}}"#,
        ] {
            assert!(parse(json).is_err(), "{json}");
        }
    }
}
