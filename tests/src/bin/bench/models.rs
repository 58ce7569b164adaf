//! What a picture costs from its pixels to its numbers, against the model alone on a prepared input: in one
//! process, in turns. The rest is ours: making the picture small, cutting faces and lines out, reading answers.
//! Then whether several pictures in one run cost less each, and the whole way through a server ([`looks`]).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use calotype_ml::{
    DEFAULT_CLIP, DEFAULT_FACES, DEFAULT_OCR, Ml, MlConfig, ModelKind, OcrLimits, Pixels,
};
use calotype_tests::media::{media, shared, workspace};

use crate::figures::{self, count};
use crate::looks;

/// How often each side runs, without and with `--full`.
const TURNS: [usize; 2] = [9, 50];
/// The long side of what models are given, as the preview has it.
const PREVIEW_PX: u32 = 1_440;
/// Pictures in one run.
const BATCHES: [usize; 3] = [1, 4, 8];
/// What all models may take while they work, in megabytes.
const MEMORY_MB_MAX: f64 = 600.0;

/// Measures each kind.
pub(crate) async fn measure(full: bool) -> anyhow::Result<()> {
    figures::group("Models: from a preview's pixels to numbers");
    let turns = TURNS[usize::from(full)];
    let ml = Ml::new(MlConfig::new(
        vec![models()],
        vec![tools().join("onnxruntime/libonnxruntime.so")],
    ))?;
    let before = peak_mb()?;
    let portrait = preview("faces/obama_1.jpg")?;
    let page = preview("ocr/ps4_update_screen.jpg")?;

    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..=turns {
        let started = Instant::now();
        ml.embed_image(DEFAULT_CLIP, portrait.clone()).await?;
        ours.push(started.elapsed());
        bare.push(alone(&ml, ModelKind::Clip, DEFAULT_CLIP, "visual", &[1, 3, 224, 224])?);
    }
    tell("a picture's place", ours, bare);

    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..=turns {
        let started = Instant::now();
        ml.embed_text(DEFAULT_CLIP, "three golden retriever puppies", None).await?;
        ours.push(started.elapsed());
        bare.push(alone(&ml, ModelKind::Clip, DEFAULT_CLIP, "textual", &[1, 77])?);
    }
    tell("a text's place", ours, bare);

    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..=turns {
        let started = Instant::now();
        ml.faces(DEFAULT_FACES, portrait.clone(), 0.7).await?;
        ours.push(started.elapsed());
        let detection = ModelKind::FaceDetection;
        let found = alone(&ml, detection, DEFAULT_FACES, "detection", &[1, 3, 640, 640])?;
        let recognition = ModelKind::FaceRecognition;
        let known = alone(&ml, recognition, DEFAULT_FACES, "recognition", &[1, 3, 112, 112])?;
        bare.push(found + known);
    }
    tell("one face", ours, bare);

    let (mut ours, mut bare, mut lines) = (Vec::new(), Vec::new(), 0);
    for _ in 0..=turns {
        let started = Instant::now();
        let found = ml.words(DEFAULT_OCR, page.clone(), OcrLimits::default()).await?;
        ours.push(started.elapsed());
        lines = found.words.len();
        let mut sum = alone(&ml, ModelKind::Ocr, DEFAULT_OCR, "detection", &[1, 3, 736, 992])?;
        for _ in 0..lines {
            sum += alone(&ml, ModelKind::Ocr, DEFAULT_OCR, "recognition", &[1, 3, 48, 480])?;
        }
        bare.push(sum);
    }
    tell(&format!("a page with {lines} lines"), ours, bare);

    let used = peak_mb()? - before;
    figures::at_most("memory of all models at work, at its peak", used, MEMORY_MB_MAX, "MB");
    measure_batches(&ml, turns)?;
    Box::pin(looks::measure(full, &ml)).await
}

/// Whether several pictures in one run cost less each.
fn measure_batches(ml: &Ml, turns: usize) -> anyhow::Result<()> {
    let threads = std::thread::available_parallelism()?;
    figures::group(&format!("Models: several pictures in one run, {threads} threads"));
    for (what, kind, model, half, side) in [
        ("a picture's place", ModelKind::Clip, DEFAULT_CLIP, "visual", 224),
        ("faces found", ModelKind::FaceDetection, DEFAULT_FACES, "detection", 640),
        ("a face told apart", ModelKind::FaceRecognition, DEFAULT_FACES, "recognition", 112),
    ] {
        for batch in BATCHES {
            let shape = [batch, 3, side, side];
            let run = |_| alone(ml, kind, model, half, &shape);
            match (0..=turns).map(run).collect::<anyhow::Result<Vec<_>>>() {
                Ok(times) => {
                    let each = median_ms(times) / count(batch);
                    figures::note(&format!("{what}: {batch} in one run, each"), each, "ms");
                }
                Err(refused) => println!("  {what}: not {batch} in one run: {refused:#}"),
            }
        }
    }
    Ok(())
}

/// A model alone.
pub(crate) fn alone(
    ml: &Ml,
    kind: ModelKind,
    model: &str,
    half: &str,
    shape: &[usize],
) -> anyhow::Result<Duration> {
    let file = format!("{half}/model.onnx");
    Ok(tokio::task::block_in_place(|| ml.time_bare(kind, model, &file, shape))?)
}

/// The medians, without the first turn, which loaded the model.
fn tell(what: &str, ours: Vec<Duration>, bare: Vec<Duration>) {
    let (ours, bare) = (median_ms(ours), median_ms(bare));
    figures::note(&format!("{what}: the model alone"), bare, "ms");
    figures::note(&format!("{what}: all of it"), ours, "ms");
    figures::note(&format!("{what}: beyond the model"), ours - bare, "ms");
}

/// The median without the first.
pub(crate) fn median_ms(mut times: Vec<Duration>) -> f64 {
    times.remove(0);
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1_000.0
}

/// A picture as the preview would have it.
fn preview(name: &str) -> anyhow::Result<Pixels> {
    let picture = image::open(media(name)?).with_context(|| format!("failed to read {name}"))?;
    let small = picture.thumbnail(PREVIEW_PX, PREVIEW_PX).into_rgb8();
    Ok(Pixels::new(small.width(), small.height(), small.into_raw())?)
}

fn tools() -> PathBuf {
    std::env::var_os("CALOTYPE_TOOLS").map_or_else(|| workspace().join(".tools"), PathBuf::from)
}

fn models() -> PathBuf {
    let made = tools().join("models");
    if made.is_dir() { made } else { shared().join("models") }
}

/// The most memory that this process has had, in megabytes.
fn peak_mb() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(Path::new("/proc/self/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("no VmHWM")?;
    let kilobytes: u32 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
    Ok(f64::from(kilobytes) / 1_024.0)
}
