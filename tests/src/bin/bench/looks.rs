//! What an image costs from its stored preview to its stored event, against the bare model runs: a whole server, one
//! image after the other. Reading the preview, decoding it in a child, making inputs, the models, and the event with
//! its vectors are all in it. On one thread where the program is bound to one core, as with `taskset -c 1`: models
//! take as many threads as there are cores, and PostgreSQL and decoders then work on the same one.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_ml::{DEFAULT_CLIP, DEFAULT_FACES, Ml, ModelKind};
use calotype_tests::client::Upload;
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer};
use serde_json::json;

use crate::figures::{self, count};
use crate::models::{alone, median_ms};

/// Images of each kind, without and with `--full`.
const IMAGES: [usize; 2] = [20, 100];
/// What comes first loads the model and warms what is kept, and does not count.
const WARMING: usize = 3;
/// What everything beside the bare model run may take for a picture's place, in milliseconds.
const PLACE_MS_MAX: f64 = 8.0;
/// The same for faces, of one face.
const FACES_MS_MAX: f64 = 12.0;
/// How long a phase may take.
const WAIT: Duration = Duration::from_secs(300);

/// A step that is measured.
struct Phase {
    what: &'static str,
    /// As the metric names it.
    step: &'static str,
    queue: &'static str,
    file: &'static str,
    target_ms: f64,
    /// What the models alone are given.
    models: &'static [(ModelKind, &'static str, &'static str, &'static [usize])],
}

/// Both kinds; each with a photo whose preview is as large as most are.
const PHASES: [Phase; 2] = [
    Phase {
        what: "a picture's place",
        step: "embedding",
        queue: "smartSearch",
        file: "photos/nature/prairie_falcon.jpg",
        target_ms: PLACE_MS_MAX,
        models: &[(ModelKind::Clip, DEFAULT_CLIP, "visual", &[1, 3, 224, 224])],
    },
    Phase {
        what: "one face",
        step: "faces",
        queue: "faceDetection",
        file: "faces/obama_1.jpg",
        target_ms: FACES_MS_MAX,
        models: &[
            (ModelKind::FaceDetection, DEFAULT_FACES, "detection", &[1, 3, 640, 640]),
            (ModelKind::FaceRecognition, DEFAULT_FACES, "recognition", &[1, 3, 112, 112]),
        ],
    },
];

/// Measures both.
pub(crate) async fn measure(full: bool, ml: &Ml) -> anyhow::Result<()> {
    figures::group("Models: from the stored preview to the stored event");
    let images = IMAGES[usize::from(full)];
    let arguments = ["--watch-port", "0"].map(str::to_owned).to_vec();
    let options = Options { testing: false, models: true, arguments, ..Options::default() };
    let mut server = TestServer::start(options).await?;
    let admin = server.client().sign_up().await?;
    let watched = Client::new(&server.watched_url()?);
    let mut config = admin.get_json("/api/system-config").await?;
    for Phase { queue, .. } in &PHASES {
        config["job"][*queue]["concurrency"] = json!(1);
        order(&admin, queue, "pause").await?;
    }
    for name in ["clip", "facialRecognition", "ocr"] {
        config["machineLearning"][name]["enabled"] = json!(name != "ocr");
    }
    admin.put("/api/system-config", &config).await?.expect(200)?;
    // Whose faces are is another matter.
    order(&admin, "facialRecognition", "pause").await?;
    for phase in &PHASES {
        upload(&admin, phase.file, 0..WARMING).await?;
        run(&admin, &watched, phase, WARMING).await?;
        upload(&admin, phase.file, WARMING..WARMING + images).await?;
        let mut bare = turns(ml, phase)?;
        let took = run(&admin, &watched, phase, images).await?;
        bare.extend(turns(ml, phase)?);
        let (bare, what) = (median_ms(bare), phase.what);
        figures::note(&format!("{what}: the bare model runs"), bare, "ms");
        figures::note(&format!("{what}: preview to event"), took, "ms");
        let beyond = format!("{what}: beyond the models");
        figures::at_most(&beyond, took - bare, phase.target_ms, "ms");
    }
    server.terminate().await?;
    Ok(())
}

/// The models of a phase alone, several times.
fn turns(ml: &Ml, phase: &Phase) -> anyhow::Result<Vec<Duration>> {
    let turn = |_| {
        let runs = phase.models.iter();
        runs.map(|(kind, model, half, shape)| alone(ml, *kind, model, half, shape)).sum()
    };
    (0..IMAGES[0]).map(turn).collect()
}

/// Lets a paused queue do what waits for it; the mean of one, in milliseconds.
async fn run(
    admin: &Client,
    watched: &Client,
    phase: &Phase,
    images: usize,
) -> anyhow::Result<f64> {
    let before = looks(watched, phase.step).await?;
    order(admin, phase.queue, "resume").await?;
    let after = until("looks", WAIT, async || {
        let now = looks(watched, phase.step).await?;
        Ok((now.0 >= before.0 + count(images)).then_some(now))
    })
    .await?;
    order(admin, phase.queue, "pause").await?;
    Ok((after.1 - before.1) / (after.0 - before.0) * 1_000.0)
}

/// How many looks there were, and how many seconds they took together.
async fn looks(watched: &Client, step: &str) -> anyhow::Result<(f64, f64)> {
    let metrics = watched.get("/metrics").await?.expect(200)?;
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    let figure = |part: &str| -> anyhow::Result<f64> {
        let begins = format!("calotype_look_seconds_{part}{{step=\"{step}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&begins));
        Ok(line.map(str::parse).transpose()?.unwrap_or(0.0))
    };
    Ok((figure("count")?, figure("sum")?))
}

async fn order(admin: &Client, queue: &str, command: &str) -> anyhow::Result<()> {
    let body = json!({ "command": command, "force": false });
    admin.put(&format!("/api/jobs/{queue}"), &body).await?.expect(200).map(drop)
}

/// The same photo several times, each with a few other bytes behind its end, and waits for their previews.
async fn upload(admin: &Client, file: &str, numbers: std::ops::Range<usize>) -> anyhow::Result<()> {
    let bytes = std::fs::read(media(file)?).with_context(|| file.to_owned())?;
    ensure!(bytes.starts_with(&[0xFF, 0xD8]), "{file} is no JPEG");
    for number in numbers {
        let mut bytes = bytes.clone();
        bytes.extend_from_slice(&number.to_be_bytes());
        let id = admin.upload(&Upload::new(&format!("{number}.jpg"), bytes)).await?;
        admin.wait_for_thumbnail(&id).await?;
    }
    Ok(())
}
