//! Settings of models, maps and places.

use crate::config::shape::{Group, Kind, SAFE_MAX, field};

const MACHINE_LEARNING_AVAILABILITY_CHECKS: Group = Group {
    schema: "MachineLearningAvailabilityChecksDto",
    fields: &[
        field("enabled", Kind::Bool(true)),
        field("timeout", Kind::Int(-SAFE_MAX, SAFE_MAX, 2_000)),
        field("interval", Kind::Int(-SAFE_MAX, SAFE_MAX, 30_000)),
    ],
};

const CLIP_CONFIG: Group = Group {
    schema: "CLIPConfig",
    fields: &[
        field("enabled", Kind::Bool(true)),
        field("modelName", Kind::Text("ViT-B-32__openai")),
    ],
};

const DUPLICATE_DETECTION_CONFIG: Group = Group {
    schema: "DuplicateDetectionConfig",
    fields: &[
        field("enabled", Kind::Bool(true)),
        field("maxDistance", Kind::Number(0.001, 0.1, 0.01)),
    ],
};

const FACIAL_RECOGNITION_CONFIG: Group = Group {
    schema: "FacialRecognitionConfig",
    fields: &[
        field("enabled", Kind::Bool(true)),
        field("modelName", Kind::Text("buffalo_l")),
        field("minScore", Kind::Number(0.1, 1.0, 0.7)),
        field("maxDistance", Kind::Number(0.1, 2.0, 0.5)),
        field("minFaces", Kind::Int(1, SAFE_MAX, 3)),
    ],
};

const OCR_CONFIG: Group = Group {
    schema: "OcrConfig",
    fields: &[
        field("enabled", Kind::Bool(true)),
        field("modelName", Kind::Text("PP-OCRv5_mobile")),
        field("minDetectionScore", Kind::Number(0.1, 1.0, 0.5)),
        field("minRecognitionScore", Kind::Number(0.1, 1.0, 0.8)),
        field("maxResolution", Kind::Int(1, SAFE_MAX, 736)),
    ],
};

pub(super) const MACHINE_LEARNING: Group = Group {
    schema: "SystemConfigMachineLearningDto",
    fields: &[
        field("enabled", Kind::Bool(true)),
        field("urls", Kind::Texts(&["http://immich-machine-learning:3003"])),
        field("availabilityChecks", Kind::Group(&MACHINE_LEARNING_AVAILABILITY_CHECKS)),
        field("clip", Kind::Group(&CLIP_CONFIG)),
        field("duplicateDetection", Kind::Group(&DUPLICATE_DETECTION_CONFIG)),
        field("facialRecognition", Kind::Group(&FACIAL_RECOGNITION_CONFIG)),
        field("ocr", Kind::Group(&OCR_CONFIG)),
    ],
};

pub(super) const MAP: Group = Group {
    schema: "SystemConfigMapDto",
    fields: &[
        field("enabled", Kind::Bool(true)),
        field("lightStyle", Kind::Url("https://tiles.immich.cloud/v1/style/light.json")),
        field("darkStyle", Kind::Url("https://tiles.immich.cloud/v1/style/dark.json")),
    ],
};

pub(super) const REVERSE_GEOCODING: Group = Group {
    schema: "SystemConfigReverseGeocodingDto",
    fields: &[field("enabled", Kind::Bool(true))],
};

const FACES: Group =
    Group { schema: "SystemConfigFacesDto", fields: &[field("import", Kind::Bool(false))] };

pub(super) const METADATA: Group =
    Group { schema: "SystemConfigMetadataDto", fields: &[field("faces", Kind::Group(&FACES))] };
