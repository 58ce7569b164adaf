//! Preview, thumbnail and thumbhash against sharp from npm: the same files, one thread each, in turns.
//! And pictures to measure with, made here so that nothing has to be fetched.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use calotype_media::decoder::{Job, MALLOC_TUNABLES, Want, process};
use calotype_media::image::ImageWish;
use calotype_tests::media::{media, workspace};
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
/// The same without pictures.
pub(crate) const FACTS: &str = "--facts";
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

/// A format that is compared, and how much of sharp's time ours may take.
struct Format {
    name: &'static str,
    /// Its files in the folder of the comparison.
    files: &'static [&'static str],
    part_max: f64,
}

/// Formats that the prebuilt sharp reads; it reads no HEIC. A JPEG is shrunk while it is decoded, so it has to
/// be much faster; of the others most of the time is their decoder's, often the same one.
const FORMATS: [Format; 6] = [
    Format {
        name: "JPEG",
        files: &["big-0.jpg", "big-1.jpg", "big-2.jpg", "big-3.jpg"],
        part_max: 0.33,
    },
    Format { name: "PNG", files: &["made.png"], part_max: 1.0 },
    Format { name: "WebP", files: &["made.webp"], part_max: 1.0 },
    Format { name: "GIF", files: &["made.gif"], part_max: 1.0 },
    Format { name: "TIFF", files: &["made.tiff"], part_max: 1.0 },
    Format { name: "AVIF", files: &["made.avif"], part_max: 1.0 },
];
/// Processor milliseconds that the facts of a JPEG may take.
const FACTS_MS_MAX: f64 = 2.0;

/// Measures.
pub(crate) async fn measure(full: bool) -> anyhow::Result<()> {
    figures::group(
        "thumbnail, preview and thumbhash of 12 MP, one thread each, in turns with sharp 0.34",
    );
    let folder = workspace().join("target/bench/sharp");
    install(&folder).await?;
    for seed in 0..PICTURES {
        std::fs::write(folder.join(format!("big-{seed}.jpg")), synthesize(Kind::Big, seed)?)?;
    }
    if !folder.join("made.avif").is_file() {
        let first = folder.join("big-0.jpg");
        let made = node()
            .arg(folder.join("sharp.mjs"))
            .arg("make")
            .args([&first, &folder])
            .current_dir(&folder)
            .status()
            .await?;
        ensure!(made.success(), "sharp made no pictures to compare with");
    }
    let rounds = if full { 12 } else { 5 };
    for format in &FORMATS {
        compare(&folder, format, rounds).await?;
    }
    facts(&folder, rounds).await
}

/// One format: each side has a process of its own, so that its peak memory is that of this format.
async fn compare(folder: &Path, format: &Format, rounds: u32) -> anyhow::Result<()> {
    let sharp = |mode: &str| {
        Side::start(node().arg(folder.join("sharp.mjs")).arg(mode).current_dir(folder))
    };
    let mut sides = [ours(DEVELOP)?, sharp("plain")?, sharp("wide")?];
    let (mut times, mut peaks) = ([const { Vec::new() }; 3], [0.0; 3]);
    for round in 0..rounds {
        for file in format.files {
            let each = sides.iter_mut().zip(times.iter_mut().zip(&mut peaks));
            for (side, (times, peak)) in each {
                let (cpu_ms, peak_kb) = side.ask(&folder.join(file)).await?;
                *peak = peak_kb;
                // The first round pays for pages and tables.
                if round > 0 {
                    times.push(cpu_ms);
                }
            }
        }
    }
    let [ours_ms, plain_ms, wide_ms] = times.map(middle);
    let (name, part) = (format.name, format.part_max);
    figures::note(&format!("{name}: ours, metadata included"), ours_ms, "ms CPU");
    figures::note(&format!("{name}: sharp"), plain_ms, "ms CPU");
    figures::note(&format!("{name}: sharp with 16 bits, as Immich runs it"), wide_ms, "ms CPU");
    figures::at_most(&format!("{name}: as a part of sharp's"), ours_ms / plain_ms, part, "");
    figures::at_most(&format!("{name}: as a part of Immich's"), ours_ms / wide_ms, part, "");
    figures::at_most(
        &format!("{name}: peak memory as a part of sharp's"),
        peaks[0] / peaks[1],
        1.0,
        "",
    );
    Ok(())
}

/// What a JPEG says about itself, without pictures.
async fn facts(folder: &Path, rounds: u32) -> anyhow::Result<()> {
    let photo = media("photos/jpeg/canon_eos_450d_12mp.jpg")?;
    let mut side = ours(FACTS)?;
    for (what, file) in [("made here", folder.join("big-0.jpg")), ("of a camera", photo)] {
        let mut times = Vec::new();
        for _ in 0..rounds * 10 {
            times.push(side.ask(&file).await?.0);
        }
        let what = format!("facts of a JPEG {what}");
        figures::at_most(&what, middle(times), FACTS_MS_MAX, "ms CPU");
    }
    Ok(())
}

fn ours(word: &str) -> anyhow::Result<Side> {
    let own = std::env::current_exe().context("this program does not know where it is")?;
    Side::start(Command::new(own).arg(word).env("GLIBC_TUNABLES", MALLOC_TUNABLES))
}

/// The other side of the comparison: answers each file on standard input with what it cost.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
pub(crate) fn develop(wants_pictures: bool) -> anyhow::Result<()> {
    for line in std::io::stdin().lines() {
        let source = PathBuf::from(line?);
        let images = wants_pictures.then(ImageWish::default);
        let want = Want { metadata: true, images };
        let before = cpu::process_ms_here()?;
        let report = process(&Job { source, sidecar: None, want })?;
        let cpu_ms = cpu::process_ms_here()? - before;
        ensure!(wants_pictures == matches!(report.images, Some(Ok(_))), "a picture was not made");
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
