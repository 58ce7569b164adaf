//! Faces: where they are, and numbers that say whose.
//!
//! Detection speaks SCRFD's convention, recognition ArcFace's, as `InsightFace`'s packs do: any pair of models
//! laid out as `detection/model.onnx` and `recognition/model.onnx` works.

mod align;
mod decode;
mod letterbox;

pub(crate) use letterbox::bilinear;

use crate::clip::unit;
use crate::error::MlError;
use crate::folders::Folders;
use crate::model::{ModelKind, ModelRef};
use crate::num;
use crate::pixels::Pixels;
use crate::pool::Pool;
use crate::session::{Input, Loaded, is_real, takes_a_picture};

/// Faces that one picture has at most; of more, those with the best scores.
pub(crate) const FACES_MAX: usize = 256;
/// Side of the square that recognition looks at, in pixels.
const CROP_PX: u32 = 112;
/// Outputs of detection: scores, boxes and landmarks at three sizes of cells.
const DETECTION_OUTPUTS: usize = 9;

/// What is known of a picture's faces.
#[derive(Debug, Clone, PartialEq)]
pub struct Faces {
    /// The model that found them.
    pub model: ModelRef,
    /// The model whose embeddings they have.
    pub recognition: ModelRef,
    /// Those found, the best score first.
    pub faces: Vec<Face>,
}

/// One face.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    /// Left edge of its box, in pixels of the picture.
    pub x1: f32,
    /// Upper edge.
    pub y1: f32,
    /// Right edge.
    pub x2: f32,
    /// Lower edge.
    pub y2: f32,
    /// How sure the model is, 0 to 1.
    pub score: f32,
    /// The eyes, the tip of the nose and the corners of the mouth, each left before right as one looks at the
    /// picture, as x and y in pixels. `None` where another machine found the face: Immich's protocol has none.
    pub landmarks: Option<[[f32; 2]; 5]>,
    /// Whose face it is: unit length. Two of one person have a cosine near 1.
    pub embedding: Vec<f32>,
}

/// Finds faces whose score is at least `min_score`.
pub(crate) fn find(
    pool: &Pool,
    folders: &Folders,
    model: &str,
    pixels: &Pixels,
    min_score: f32,
) -> Result<Vec<Face>, MlError> {
    let detection = folders.file(ModelKind::FaceDetection, model, "detection/model.onnx")?;
    let recognition = folders.file(ModelKind::FaceRecognition, model, "recognition/model.onnx")?;
    let found = pool.with(&detection, is_detection, |loaded| {
        let (boxed, scale) = letterbox::letterbox(pixels, letterbox::sides(&loaded.inputs[0]));
        let side = (boxed.shape[3], boxed.shape[2]);
        let outputs = loaded.run(vec![Input::Real(boxed)])?;
        let found =
            decode::decode(&outputs, side, min_score).map_err(|reason| loaded.failed(reason))?;
        let mut found = decode::without_overlaps(found);
        found.truncate(FACES_MAX);
        found.iter_mut().for_each(|it| it.scale(1.0 / scale));
        Ok(found)
    })?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    pool.with(&recognition, is_recognition, |loaded| {
        let faces = found.into_iter().map(|it| {
            let crop = align::crop(pixels, &it.landmarks, CROP_PX);
            let outputs = loaded.run(vec![Input::Real(letterbox::centred(&crop, 127.5))])?;
            let values = outputs.into_iter().next().map(|it| it.values).unwrap_or_default();
            let embedding = unit(values).map_err(|reason| loaded.failed(reason))?;
            Ok(face(&it, embedding, pixels))
        });
        let faces: Result<Vec<Face>, MlError> = faces.collect();
        // What lies outside of the picture but for an edge is none.
        faces.map(|faces| faces.into_iter().filter(|it| it.x1 < it.x2 && it.y1 < it.y2).collect())
    })
}

/// Loads both models.
pub(crate) fn check(pool: &Pool, folders: &Folders, model: &str) -> Result<(), MlError> {
    let detection = folders.file(ModelKind::FaceDetection, model, "detection/model.onnx")?;
    pool.with(&detection, is_detection, |_| Ok(()))?;
    let recognition = folders.file(ModelKind::FaceRecognition, model, "recognition/model.onnx")?;
    pool.with(&recognition, is_recognition, |_| Ok(()))
}

fn face(found: &decode::Found, embedding: Vec<f32>, pixels: &Pixels) -> Face {
    let (width, height) = (num::side(pixels.width()), num::side(pixels.height()));
    let [x1, y1, x2, y2] = found.sides;
    Face {
        x1: x1.clamp(0.0, width),
        y1: y1.clamp(0.0, height),
        x2: x2.clamp(0.0, width),
        y2: y2.clamp(0.0, height),
        score: found.score,
        landmarks: Some(found.landmarks),
        embedding,
    }
}

fn is_detection(loaded: &Loaded) -> Result<(), String> {
    takes_a_picture(loaded)?;
    if loaded.outputs.len() == DETECTION_OUTPUTS {
        Ok(())
    } else {
        let count = loaded.outputs.len();
        Err(format!("it gives {count} outputs, not scores, boxes and landmarks at three sizes"))
    }
}

fn is_recognition(loaded: &Loaded) -> Result<(), String> {
    takes_a_picture(loaded)?;
    let crop = i64::from(CROP_PX);
    let shape = &loaded.inputs[0].shape;
    if shape[2..].iter().any(|side| *side >= 0 && *side != crop) {
        return Err(format!("it takes pictures of {shape:?}, not of {CROP_PX} pixels"));
    }
    match loaded.outputs.as_slice() {
        [port] if is_real(port, 2) => Ok(()),
        ports => Err(format!("it does not give one embedding [batch, n]: {ports:?}")),
    }
}
