//! Which other machines are asked, and which models of theirs and ours stand for each other.

use std::time::Duration;

use crate::model::ModelKind;
use crate::{DEFAULT_CLIP, DEFAULT_FACES, DEFAULT_OCR};

/// A request with this header may be answered by the model that is brought along where one of Immich's is asked
/// for and not installed: who sends it reads which model answered. Immich's own service passes over it.
pub const STAND_INS_HEADER: &str = "x-calotype-stand-ins";

/// Services on other machines that speak Immich's protocol.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Services {
    /// Their addresses, asked in this order before this machine.
    pub urls: Vec<String>,
    /// How they are watched; where they are not, each is asked each time.
    pub checks: Option<Checks>,
}

/// How services are watched: before one is asked that is not known to be well, it has to say that it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checks {
    /// How long a service may take to say that it is there.
    pub timeout: Duration,
    /// How long a service that failed is left alone.
    pub interval: Duration,
}

/// The model that is brought along in the place of one that Immich uses when nobody chooses.
#[must_use]
pub fn stand_in(kind: ModelKind, name: &str) -> Option<&'static str> {
    match (kind, name) {
        (ModelKind::Clip, "ViT-B-32__openai") => Some(DEFAULT_CLIP),
        (ModelKind::FaceDetection | ModelKind::FaceRecognition, "buffalo_l") => Some(DEFAULT_FACES),
        (ModelKind::Ocr, "PP-OCRv5_mobile") => Some(DEFAULT_OCR),
        _ => None,
    }
}
