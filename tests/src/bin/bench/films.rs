//! Encoding a film as the server does, against the ffmpeg command with the same settings: the same film,
//! in turns. Processor time of this program with its children is compared; the clock is told beside it.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use anyhow::ensure;
use calotype_media::decoder::PoolConfig;
use calotype_media::transcode::{FILM, MADE, Plan, Policy, Run, TranscodeWish, Transcoder, passes};
use calotype_tests::binary::calotype;
use tokio::process::Command;

use crate::cpu::Used;
use crate::figures;

/// Length of the film in seconds, without and with `--full`.
const SECONDS: [u32; 2] = [10, 60];
/// How often each side encodes it.
const TURNS: u32 = 3;

/// Measures both sides.
pub(crate) async fn measure(full: bool) -> anyhow::Result<()> {
    figures::group("Films: 1080p HEVC to 720p H.264, ultrafast");
    let folder = tempfile::tempdir()?;
    let film = folder.path().join("film.mov");
    synthesize(&film, SECONDS[usize::from(full)]).await?;
    let transcoder = Transcoder::new(PoolConfig::new(calotype()?, ["decoder".into()]));
    let known = transcoder.probe(&film).await?;
    let wish = TranscodeWish { policy: Policy::All, ..TranscodeWish::default() };
    let passes = passes(&known, &wish, Plan::of(&known, &wish));
    let args = passes.first().map(Vec::as_slice).unwrap_or_default();
    let (ours, theirs) = (folder.path().join("ours.mp4"), folder.path().join("theirs.mp4"));
    // The program that encodes may write into a file that is there, and make none.
    std::fs::File::create(&ours)?;
    let (mut our_turns, mut their_turns) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let run = Run {
            args,
            film: &film,
            made: &ours,
            duration_ms: known.duration_ms,
            is_hardware: false,
        };
        let turn = Turn::begin()?;
        transcoder.run(run, |_| {}).await?;
        our_turns.push(turn.end()?);
        let turn = Turn::begin()?;
        command(args, &film, &theirs).await?;
        their_turns.push(turn.end()?);
    }
    ensure!(std::fs::read(&ours)? == std::fs::read(&theirs)?, "the two sides made other films");
    let ((our_cpu, our_clock), (their_cpu, their_clock)) = (least(&our_turns), least(&their_turns));
    figures::note("ffmpeg by itself, processor time", their_cpu, "s");
    figures::note("the same by the clock", their_clock, "s");
    figures::note("ours, processor time", our_cpu, "s");
    figures::note("the same by the clock", our_clock, "s");
    figures::at_most("ours as a part of ffmpeg's processor time", our_cpu / their_cpu, 1.05, "");
    Ok(())
}

/// One side's turn, while it lasts.
struct Turn {
    started: Instant,
    before: Used,
}

impl Turn {
    fn begin() -> anyhow::Result<Self> {
        Ok(Self { started: Instant::now(), before: Used::here()? })
    }

    /// Seconds of processor time, those of children that ended included, and seconds by the clock.
    fn end(self) -> anyhow::Result<(f64, f64)> {
        let used = Used::here()?.since(self.before);
        Ok((used.as_secs_f64(), self.started.elapsed().as_secs_f64()))
    }
}

/// The command as a person would type it.
async fn command(args: &[String], film: &Path, made: &Path) -> anyhow::Result<()> {
    let words = args.iter().map(|word| match word.as_str() {
        FILM => film.as_os_str().to_owned(),
        MADE => made.as_os_str().to_owned(),
        word => word.into(),
    });
    let status = Command::new("ffmpeg").args(words).stdout(Stdio::null()).status().await?;
    ensure!(status.success(), "ffmpeg failed");
    Ok(())
}

async fn synthesize(film: &Path, seconds: u32) -> anyhow::Result<()> {
    let picture = format!("testsrc2=size=1920x1080:rate=30:duration={seconds}");
    let sound = format!("sine=frequency=440:duration={seconds}");
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", &picture])
        .args(["-f", "lavfi", "-i", &sound, "-c:v", "libx265", "-preset", "ultrafast"])
        .args(["-x265-params", "log-level=error", "-c:a", "aac"])
        .arg(film)
        .status()
        .await?;
    ensure!(status.success(), "ffmpeg made no film");
    Ok(())
}

/// The least of each.
fn least(turns: &[(f64, f64)]) -> (f64, f64) {
    let none = (f64::INFINITY, f64::INFINITY);
    turns.iter().fold(none, |least, turn| (least.0.min(turn.0), least.1.min(turn.1)))
}
