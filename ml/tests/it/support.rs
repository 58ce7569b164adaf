//! What the tests of this room share: the installed models, ONNX Runtime, and decoded pictures.

use std::path::{Path, PathBuf};

use calotype_ml::{Ml, MlConfig, Pixels};
use serde_json::Value;

/// The folder beside the workspace that holds media and models.
pub(crate) fn shared() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    std::env::var_os("CALOTYPE_SHARED").map_or(beside, PathBuf::from)
}

/// Where `./dev test` puts what it fetches.
fn tools() -> PathBuf {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools");
    std::env::var_os("CALOTYPE_TOOLS").map_or(checkout, PathBuf::from)
}

/// The models that `./dev test` made, else those that lie beside the workspace.
pub(crate) fn models() -> PathBuf {
    let made = tools().join("models");
    if made.is_dir() { made } else { shared().join("models") }
}

/// ONNX Runtime where `./dev test` puts it; `CALOTYPE_ONNXRUNTIME` names another.
pub(crate) fn runtime() -> PathBuf {
    let fetched = tools().join("onnxruntime/libonnxruntime.so");
    std::env::var_os("CALOTYPE_ONNXRUNTIME").map_or(fetched, PathBuf::from)
}

/// The usual limits over the real models.
pub(crate) fn config() -> MlConfig {
    MlConfig::new(vec![models()], vec![runtime()])
}

pub(crate) fn ml() -> Ml {
    Ml::new(config()).unwrap()
}

/// A picture of the shared media.
pub(crate) fn picture(name: &str) -> Pixels {
    let path = shared().join("media").join(name);
    let decoded = image::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rgb = decoded.into_rgb8();
    Pixels::new(rgb.width(), rgb.height(), rgb.into_raw()).unwrap()
}

/// What the reference says; `tests/expected/make.py` made it.
pub(crate) fn expected(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A list of numbers.
pub(crate) fn numbers(value: &Value) -> Vec<f32> {
    serde_json::from_value(value.clone()).unwrap()
}

/// How alike two embeddings of unit length are: 1 for the same.
pub(crate) fn cosine(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// The largest difference of two numbers that stand at one place.
pub(crate) fn farthest(one: &[f32], other: &[f32]) -> f32 {
    let far = one.iter().zip(other).map(|(one, other)| (one - other).abs());
    far.fold(0.0, f32::max)
}
