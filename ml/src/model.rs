//! Which model it was: its kind, its name, and the digest of the files that make its numbers what they are.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ModelKind {
    /// Pictures and words in one space, for search and duplicates.
    Clip,
    /// Where faces are.
    FaceDetection,
    /// Whose they are.
    FaceRecognition,
    /// Words in pictures.
    Ocr,
}

impl ModelKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Clip, Self::FaceDetection, Self::FaceRecognition, Self::Ocr];

    /// The folder that models of this kind are in; both kinds for faces share one.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Clip => "clip",
            Self::FaceDetection | Self::FaceRecognition => "facial-recognition",
            Self::Ocr => "ocr",
        }
    }

    /// The files that decide which numbers come out, below the model's folder.
    #[must_use]
    pub const fn files(self) -> &'static [&'static str] {
        match self {
            Self::Clip => &[
                "config.json",
                "textual/model.onnx",
                "textual/tokenizer.json",
                "visual/model.onnx",
                "visual/preprocess_cfg.json",
            ],
            Self::FaceDetection => &["detection/model.onnx"],
            Self::FaceRecognition => &["recognition/model.onnx"],
            Self::Ocr => &["detection/model.onnx", "recognition/model.onnx"],
        }
    }
}

impl fmt::Display for ModelKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Clip => "search",
            Self::FaceDetection | Self::FaceRecognition => "faces",
            Self::Ocr => "words",
        })
    }
}

/// A model that is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Installed {
    /// What it is for.
    pub kind: ModelKind,
    /// Its name.
    pub name: String,
    /// Its folder.
    pub folder: std::path::PathBuf,
    /// Size of its files together, in bytes.
    pub bytes: u64,
}

/// The identity of a model: two numbers can be compared only where it is the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ModelRef {
    /// Its name, such as `conse-effnet-lite0-minilm`.
    pub name: String,
    /// The version of the steps before and after the model, or `remote` where another service took them and
    /// does not say.
    pub revision: String,
    /// SHA-256 of its file, or of the list of its files' digests where there are several; of its name where a
    /// service does not say. 64 hexadecimal digits in JSON.
    #[serde(serialize_with = "write_hex", deserialize_with = "read_hex")]
    pub sha256: [u8; 32],
}

impl fmt::Display for ModelRef {
    /// `name@revision:digest`
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}@{}:{}", self.name, self.revision, hex(&self.sha256))
    }
}

/// 64 hexadecimal digits.
pub(crate) fn hex(digest: &[u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads 64 hexadecimal digits.
pub(crate) fn digest(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut digest = [0; 32];
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(digest)
}

/// A text is no identity of a model.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not name@revision:digest")]
pub struct NotADigest(String);

impl FromStr for ModelRef {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = || {
            let (name, rest) = text.split_once('@')?;
            let (revision, sha256) = rest.split_once(':')?;
            let sha256 = digest(sha256)?;
            Some(Self { name: name.to_owned(), revision: revision.to_owned(), sha256 })
        };
        parts().ok_or_else(|| NotADigest(text.to_owned()))
    }
}

fn write_hex<S: Serializer>(digest: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&hex(digest))
}

fn read_hex<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
    let text = String::deserialize(from)?;
    digest(&text).ok_or_else(|| de::Error::custom("not 64 hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_reads_back_as_it_was_written() {
        let model = ModelRef { name: "a__b".into(), revision: "1".into(), sha256: [0xab; 32] };
        assert_eq!(model.to_string().parse::<ModelRef>().unwrap(), model);
        let json = serde_json::to_string(&model).unwrap();
        assert!(json.contains(&"ab".repeat(32)), "{json}");
        assert_eq!(serde_json::from_str::<ModelRef>(&json).unwrap(), model);
    }

    #[test]
    fn other_texts_are_no_digests() {
        for text in ["", "ab", &"g".repeat(64), &"é".repeat(32), &"a".repeat(65)] {
            assert_eq!(digest(text), None, "{text}");
        }
    }
}
