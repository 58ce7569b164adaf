//! What is missing, broken or hostile is refused with its reason.

use std::error::Error as _;
use std::fs;
use std::path::Path;

use calotype_ml::{DEFAULT_CLIP, DEFAULT_FACES, DEFAULT_OCR, Ml, MlConfig, MlError, ModelKind};

use crate::support::{config, ml, models, picture, runtime};

/// A copy of one model of the set, to break.
fn copy(kind: ModelKind, name: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let model = Path::new(kind.folder()).join(name);
    for file in kind.files() {
        let to = root.path().join(&model).join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(models().join(&model).join(file), to).unwrap();
    }
    root
}

fn over(root: &tempfile::TempDir) -> Ml {
    Ml::new(MlConfig::new(vec![root.path().to_owned()], vec![runtime()])).unwrap()
}

#[tokio::test]
async fn model_that_is_not_there_is_named() {
    let error = ml().embed_text("ViT-B-32__openai", "a cat", None).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("ViT-B-32__openai") && text.contains("not installed"), "{text}");
    let error = ml().embed_text("../../etc", "a cat", None).await.unwrap_err();
    assert!(matches!(error, MlError::BadName { .. }), "{error}");
}

#[tokio::test]
async fn broken_model_is_refused_and_the_next_one_works() {
    let root = copy(ModelKind::Ocr, DEFAULT_OCR);
    let file = root.path().join("ocr").join(DEFAULT_OCR).join("detection/model.onnx");
    let whole = fs::read(&file).unwrap();
    for broken in [&b""[..], b"not a model", &whole[..whole.len() / 2]] {
        fs::write(&file, broken).unwrap();
        let error = over(&root).check(ModelKind::Ocr, DEFAULT_OCR).unwrap_err();
        let MlError::BadModel { path, reason } = &error else { panic!("{error:?}") };
        assert_eq!(*path, file);
        assert!(!reason.is_empty());
    }
    fs::write(&file, whole).unwrap();
    over(&root).check(ModelKind::Ocr, DEFAULT_OCR).unwrap();
}

#[tokio::test]
async fn model_with_other_inputs_or_outputs_is_refused() {
    let root = copy(ModelKind::FaceDetection, DEFAULT_FACES);
    let folder = root.path().join("facial-recognition").join(DEFAULT_FACES);
    let clip = models().join("clip").join(DEFAULT_CLIP);
    fs::create_dir_all(folder.join("recognition")).unwrap();
    for (file, other, what) in [
        ("detection", "visual", "outputs"),
        ("detection", "textual", "picture"),
        ("recognition", "visual", "112 pixels"),
    ] {
        for name in ["detection", "recognition"] {
            let from = models().join("facial-recognition").join(DEFAULT_FACES).join(name);
            fs::copy(from.join("model.onnx"), folder.join(name).join("model.onnx")).unwrap();
        }
        let to = folder.join(file).join("model.onnx");
        fs::copy(clip.join(other).join("model.onnx"), to).unwrap();
        let error = over(&root).check(ModelKind::FaceDetection, DEFAULT_FACES).unwrap_err();
        assert!(error.to_string().contains(what), "{other} as {file}: {error}");
    }
}

#[tokio::test]
async fn broken_vocabulary_and_settings_are_refused() {
    for file in ["config.json", "textual/tokenizer.json", "visual/preprocess_cfg.json"] {
        let root = copy(ModelKind::Clip, DEFAULT_CLIP);
        fs::write(root.path().join("clip").join(DEFAULT_CLIP).join(file), "{").unwrap();
        let error = over(&root).check(ModelKind::Clip, DEFAULT_CLIP).unwrap_err();
        let MlError::BadModel { path, .. } = &error else { panic!("{error:?}") };
        assert!(path.ends_with(file), "{error}");
    }
}

#[tokio::test]
async fn replaced_model_is_another_one_at_once() {
    let root = copy(ModelKind::Ocr, DEFAULT_OCR);
    let ml = over(&root);
    let before = ml.check(ModelKind::Ocr, DEFAULT_OCR).unwrap();
    let folder = root.path().join("ocr").join(DEFAULT_OCR);
    fs::write(folder.join("detection/model.onnx"), "another").unwrap();
    let error = ml.check(ModelKind::Ocr, DEFAULT_OCR).unwrap_err();
    assert!(matches!(error, MlError::BadModel { .. }), "{error}");
    assert_ne!(ml.model_ref(ModelKind::Ocr, DEFAULT_OCR).unwrap(), before);
}

/// Each test is a process of its own, so that what one of them loads is nothing to the others.
#[tokio::test]
async fn missing_runtime_is_said_plainly_and_can_be_installed_later() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("libonnxruntime.so");
    let ml = Ml::new(MlConfig { runtime: vec![file.clone()], ..config() }).unwrap();
    let error = ml.embed_text(DEFAULT_CLIP, "a cat", None).await.unwrap_err();
    assert!(matches!(error, MlError::RuntimeMissing { .. }), "{error}");
    assert!(error.to_string().contains("libonnxruntime.so"), "{error}");

    fs::write(&file, "no library").unwrap();
    let error = ml.embed_text(DEFAULT_CLIP, "a cat", None).await.unwrap_err();
    assert!(matches!(error, MlError::RuntimeUnusable { .. }), "{error}");
    assert!(error.source().is_none());

    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(runtime().canonicalize().unwrap(), &file).unwrap();
    ml.embed_text(DEFAULT_CLIP, "a cat", None).await.unwrap();
    ml.embed_image(DEFAULT_CLIP, picture("faces/astronaut.png")).await.unwrap();
}
