//! Preview, thumbnail and thumbhash against sharp from npm: the same files, one thread each, in turns.
//! And pictures to measure with, made here so that nothing has to be fetched.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use calotype_media::decoder::{Job, MALLOC_TUNABLES, Want, process};
use calotype_media::image::ImageWish;
use calotype_tests::media::workspace;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use turbojpeg::{Image, PixelFormat, Subsamp};

use crate::{cpu, figures};

/// What sharp is asked to do, with the script's own comment about it.
const SCRIPT: &str = include_str!("sharp.mjs");
/// The packages it needs.
const PACKAGES: [&str; 2] = ["sharp@0.34", "thumbhash@0.1"];
/// The word that makes this program one side of the comparison.
pub(crate) const DEVELOP: &str = "--develop";
/// Pictures, and how often each is made.
const PICTURES: u32 = 4;

/// A picture to measure with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 12 megapixels, 3 to 4 MB.
    Big,
    /// 1024 x 768, about 100 kB.
    Small,
}

impl Kind {
    /// For a figure.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Big => "12 MP",
            Self::Small => "100 kB",
        }
    }
}

/// A picture like a photo: soft shapes, edges and the noise of a sensor.
pub(crate) fn synthesize(kind: Kind, seed: u32) -> anyhow::Result<Vec<u8>> {
    let (width, height, noise, quality) = match kind {
        Kind::Big => (4_032_u32, 3_024_u32, 9.0, 92),
        Kind::Small => (1_024, 768, 7.0, 74),
    };
    let mut random = StdRng::seed_from_u64(u64::from(seed));
    let waves: Vec<[f64; 5]> = (0..12)
        .map(|number| {
            let scale = f64::from(1_u32 << (number / 2)) * random.random_range(1.0..2.0);
            let turn: f64 = random.random_range(0.0..std::f64::consts::TAU);
            [scale * turn.cos(), scale * turn.sin(), turn, 60.0 / scale.sqrt(), turn * 2.0]
        })
        .collect();
    let mut pixels = Vec::with_capacity(usize::try_from(width * height * 3)?);
    for y in 0..height {
        for x in 0..width {
            let (u, v) = (f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
            let mut colour = [128.0; 3];
            for [along, across, turn, size, hue] in &waves {
                let wave = (along * u + across * v).mul_add(6.0, *turn).sin();
                // A sine cut off has edges.
                let shape = (wave * 3.0).clamp(-1.0, 1.0) * size;
                for (channel, value) in colour.iter_mut().zip([0.9_f64, 1.0, 1.1]) {
                    *channel += shape * (hue * value).cos().mul_add(0.3, 0.7) * 0.6;
                }
            }
            let grain: f64 = random.random_range(-noise..noise);
            pixels.extend(colour.map(|value| byte(value + grain)));
        }
    }
    let (width, height) = (usize::try_from(width)?, usize::try_from(height)?);
    let format = PixelFormat::RGB;
    let image = Image { pixels: pixels.as_slice(), width, pitch: width * 3, height, format };
    Ok(turbojpeg::compress(image, quality, Subsamp::Sub2x2)?.to_vec())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a byte, and there is no other way from a float"
)]
fn byte(value: f64) -> u8 {
    value.clamp(0.0, 255.0) as u8
}

/// Measures.
pub(crate) async fn measure(full: bool) -> anyhow::Result<()> {
    figures::group("thumbnail, preview and thumbhash of a 12 MP JPEG, one thread");
    let folder = workspace().join("target/bench/sharp");
    install(&folder).await?;
    let mut files = Vec::new();
    for seed in 0..PICTURES {
        let path = folder.join(format!("big-{seed}.jpg"));
        std::fs::write(&path, synthesize(Kind::Big, seed)?)?;
        files.push(path);
    }
    let sharp = |mode: &str| {
        Side::start(node().arg(folder.join("sharp.mjs")).arg(mode).current_dir(&folder))
    };
    let (mut plain, mut wide) = (sharp("plain")?, sharp("wide")?);
    let own = std::env::current_exe().context("this program does not know where it is")?;
    let mut ours =
        Side::start(Command::new(own).arg(DEVELOP).env("GLIBC_TUNABLES", MALLOC_TUNABLES))?;
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    let mut peaks = [0.0; 3];
    for round in 0..if full { 12 } else { 5 } {
        for file in &files {
            let sides = [&mut ours, &mut plain, &mut wide];
            for (side, (times, peak)) in sides.into_iter().zip(times.iter_mut().zip(&mut peaks)) {
                let (cpu_ms, peak_kb) = side.ask(file).await?;
                *peak = peak_kb;
                if round > 0 {
                    times.push(cpu_ms);
                }
            }
        }
    }
    let [ours_ms, plain_ms, wide_ms] = times.map(middle);
    figures::note("ours, metadata included", ours_ms, "ms CPU");
    figures::note("sharp 0.34", plain_ms, "ms CPU");
    figures::note("sharp 0.34 with 16 bits a channel, as Immich runs it", wide_ms, "ms CPU");
    figures::at_most("ours as a part of sharp's", ours_ms / plain_ms, 0.4, "");
    figures::at_most("ours as a part of sharp's as Immich runs it", ours_ms / wide_ms, 0.4, "");
    figures::at_most("peak memory as a part of sharp's", peaks[0] / peaks[1], 1.0, "");
    Ok(())
}

/// The other side of the comparison: answers each file on standard input with what it cost.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
pub(crate) fn develop() -> anyhow::Result<()> {
    for line in std::io::stdin().lines() {
        let source = PathBuf::from(line?);
        let want = Want { metadata: true, images: Some(ImageWish::default()) };
        let before = cpu::thread_ms_here()?;
        let report = process(&Job { source, sidecar: None, want })?;
        let cpu_ms = cpu::thread_ms_here()? - before;
        ensure!(matches!(report.images, Some(Ok(_))), "a picture was not made");
        let peak_kb = cpu::peak_kb_here()?;
        println!("{}", json!({ "cpu_ms": cpu_ms, "peak_kb": peak_kb }));
    }
    Ok(())
}

/// One side: a process that is given files and answers with figures.
struct Side {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Side {
    fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command
            .env("UV_THREADPOOL_SIZE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("failed to start one side of the comparison")?;
        let input = child.stdin.take().context("no standard input")?;
        let output = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        Ok(Self { _child: child, input, output })
    }

    /// Processor milliseconds, and peak memory so far in kilobytes.
    async fn ask(&mut self, file: &Path) -> anyhow::Result<(f64, f64)> {
        self.input.write_all(format!("{}\n", file.display()).as_bytes()).await?;
        let line = self.output.next_line().await?.context("one side ended")?;
        let answer: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
        let number = |name: &str| answer[name].as_f64().context("no figure");
        Ok((number("cpu_ms")?, number("peak_kb")?))
    }
}

fn node() -> Command {
    let named = std::env::var_os("CALOTYPE_TEST_NODE");
    Command::new(named.unwrap_or_else(|| "node".into()))
}

/// Fetches sharp from npm, once.
async fn install(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("sharp.mjs"), SCRIPT)?;
    if folder.join("node_modules/sharp").is_dir() {
        return Ok(());
    }
    let installed = Command::new("npm")
        .args(["install", "--no-save", "--no-audit", "--no-fund", "--prefix"])
        .arg(folder)
        .args(PACKAGES)
        .current_dir(folder)
        .stdout(Stdio::null())
        .status()
        .await
        .context("failed to run npm; ./dev bench installs it")?;
    ensure!(installed.success(), "npm could not fetch {}", PACKAGES.join(" and "));
    Ok(())
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
