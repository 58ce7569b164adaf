//! What is in memory, for how long, and how much.

use std::time::{Duration, Instant};

use calotype_ml::{DEFAULT_CLIP, DEFAULT_FACES, DEFAULT_OCR, Ml, MlConfig, OcrLimits};

use crate::support::{config, picture};

/// What all models of the set may take while they work, in bytes: README and `docs/operating.md` say so.
const MEMORY_BYTES_MAX: u64 = 700 << 20;

async fn use_all(ml: &Ml) {
    let photo = picture("faces/family1_all_on_beach.jpg");
    ml.embed_image(DEFAULT_CLIP, photo.clone()).await.unwrap();
    ml.embed_text(DEFAULT_CLIP, "a family on a beach", None).await.unwrap();
    ml.faces(DEFAULT_FACES, photo, 0.7).await.unwrap();
    let page = picture("ocr/multilingual.png");
    ml.words(DEFAULT_OCR, page, OcrLimits::default()).await.unwrap();
}

#[tokio::test]
async fn models_are_loaded_when_they_are_used_and_unloaded_when_they_rest() {
    let ml = Ml::new(config()).unwrap();
    assert_eq!(ml.loaded(), (0, 0));
    use_all(&ml).await;
    assert_eq!(ml.loaded().0, 6);

    ml.unload_idle(Instant::now());
    assert_eq!(ml.loaded().0, 6, "they rest since a moment only");
    ml.unload_idle(Instant::now() + config().idle);
    assert_eq!(ml.loaded(), (0, 0));

    use_all(&ml).await;
    assert_eq!(ml.loaded().0, 6);
}

#[tokio::test]
async fn resting_models_go_by_themselves() {
    let ml = Ml::new(MlConfig { idle: Duration::from_millis(100), ..config() }).unwrap();
    ml.embed_text(DEFAULT_CLIP, "a cat", None).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while ml.loaded().0 > 0 {
        assert!(Instant::now() < deadline, "the model is still there");
        tokio::task::yield_now().await;
    }
    ml.embed_text(DEFAULT_CLIP, "a cat", None).await.unwrap();
}

#[tokio::test]
async fn no_more_models_are_loaded_than_may_be() {
    let few = Ml::new(MlConfig { loaded: 2, ..config() }).unwrap();
    use_all(&few).await;
    assert_eq!(few.loaded().0, 2);
    let small = Ml::new(MlConfig { loaded_bytes: 25 << 20, ..config() }).unwrap();
    use_all(&small).await;
    assert!(small.loaded().1 <= 25 << 20, "{:?}", small.loaded());
}

#[tokio::test]
async fn all_models_at_work_stay_within_their_memory() {
    let ml = Ml::new(config()).unwrap();
    let before = peak_bytes();
    use_all(&ml).await;
    for name in ["ocr/handwritten_notes.jpg", "ocr/menu_1944_french.jpg"] {
        ml.words(DEFAULT_OCR, picture(name), OcrLimits::default()).await.unwrap();
    }
    let used = peak_bytes() - before;
    assert!(used < MEMORY_BYTES_MAX, "{} MB", used >> 20);
}

/// The most memory that this process has had.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes << 10
}
