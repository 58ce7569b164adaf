//! Runs ffmpeg on a film, limited as decoders are, and tells how far it is.

use std::{
    ffi::OsString,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, ChildStderr, Command},
    time::{Instant, timeout_at},
};

use super::arguments::{CONTAINERS, FILM, LOG, MADE};
use super::film::{Film, Probed};
use crate::decoder::{DecodeError, Outside, OutsideError, PoolConfig};
use crate::limits::{
    ENCODE_CORES_MAX, ENCODE_HARDWARE_MEMORY_BYTES, ENCODE_MEMORY_BYTES, ENCODE_NICE, ENCODE_STALL,
    ENCODE_TIME_LENGTHS, ENCODE_TIME_MAX, ENCODE_TIME_MIN, FFPROBE_BYTES_MAX,
};

/// Words on stderr that are kept, in bytes.
const STDERR_BYTES_MAX: usize = 4_096;
/// Longest reason that is kept, in characters.
const REASON_CHARS_MAX: usize = 200;
/// Exit status of `decoder --exec` when the program cannot be started.
const EXIT_NO_PROGRAM: i32 = 127;
/// Exit status of `decoder --exec` when the limits cannot be used.
const EXIT_SETUP: i32 = 70;

/// Starts ffprobe and ffmpeg on films. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Transcoder {
    config: PoolConfig,
}

/// Why a film was not transcoded.
pub type TranscodeError = DecodeError;

/// One run of ffmpeg.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Its arguments, with placeholders for paths.
    pub args: &'a [String],
    /// The original.
    pub film: &'a Path,
    /// The file that is made, which is there already, or the folder that files are made in.
    pub made: &'a Path,
    /// Its length in milliseconds, where known: the time that the run may take.
    pub duration_ms: Option<u64>,
    /// Whether hardware encodes.
    pub is_hardware: bool,
}

impl Transcoder {
    /// Over the programs of a pool of decoders.
    #[must_use]
    pub const fn new(config: PoolConfig) -> Self {
        Self { config }
    }

    /// What a film is made of.
    ///
    /// # Errors
    /// [`DecodeError`]: ffprobe refuses it, or cannot be run.
    pub async fn probe(&self, film: &Path) -> Result<Film, DecodeError> {
        let outside = Outside::new(&self.config);
        let mut input = OsString::from("file:");
        input.push(film);
        let words = ["-v", "error", "-protocol_whitelist", "file,pipe", "-format_whitelist"];
        let shown = ["-print_format", "json", "-show_format", "-show_streams", "-i"];
        let mut args: Vec<&std::ffi::OsStr> = words.iter().map(std::ffi::OsStr::new).collect();
        args.push(CONTAINERS.as_ref());
        args.extend(shown.iter().map(std::ffi::OsStr::new));
        args.push(&input);
        let output = outside.output(outside.ffprobe(), film, &args, FFPROBE_BYTES_MAX).await;
        let json = output.map_err(|error| match error {
            OutsideError::Refused => DecodeError::corrupt("film cannot be read"),
            OutsideError::Stopped(error) => error,
        })?;
        let probed: Probed = serde_json::from_slice(&json)
            .map_err(|_| DecodeError::corrupt("film has no readable streams"))?;
        Ok(probed.into())
    }

    /// Runs ffmpeg to its end; `progress` hears how many milliseconds of the film are made.
    /// Dropped, it ends the child.
    ///
    /// # Errors
    /// [`DecodeError`] says what ffmpeg refused, or which limit it met.
    pub async fn run(
        &self,
        run: Run<'_>,
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<(), TranscodeError> {
        let wall = wall_time(run.duration_ms);
        if run.args.iter().any(|it| it == LOG) {
            std::fs::create_dir_all(pass_folder(run.made))
                .map_err(|error| DecodeError::unavailable("notes cannot be kept", &error))?;
        }
        let mut child = self
            .command(&run, wall)
            .spawn()
            .map_err(|error| DecodeError::unavailable("ffmpeg cannot be started", &error))?;
        let mut said = Vec::new();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let deadline = Instant::now() + wall;
        let follow = async {
            let Some(stdout) = stdout else { return Ok(()) };
            let mut lines = BufReader::new(stdout).lines();
            let mut made_ms = 0;
            let mut stalls_at = Instant::now() + ENCODE_STALL;
            loop {
                let line = timeout_at(stalls_at.min(deadline), lines.next_line())
                    .await
                    .map_err(|_| DecodeError::TimedOut)?;
                let Ok(Some(line)) = line else { return Ok(()) };
                let Some(now_ms) = progress_ms(&line).filter(|it| *it > made_ms) else { continue };
                made_ms = now_ms;
                stalls_at = Instant::now() + ENCODE_STALL;
                progress(made_ms);
            }
        };
        let (followed, ()) = tokio::join!(follow, drain(stderr, &mut said));
        if let Err(error) = followed {
            child.start_kill().unwrap_or_default();
            return Err(error);
        }
        match timeout_at(deadline, child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(reason(status, &said, &run)),
            Ok(Err(error)) => Err(DecodeError::unavailable("ffmpeg cannot be waited for", &error)),
            Err(_) => Err(DecodeError::TimedOut),
        }
    }

    /// Starts an ffmpeg that nobody listens to; the child is ended when it is dropped.
    pub(crate) fn start_streaming(&self, run: &Run<'_>) -> std::io::Result<Child> {
        let mut command = self.command(run, wall_time(run.duration_ms));
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    }

    /// ffmpeg behind its limits.
    fn command(&self, run: &Run<'_>, wall: Duration) -> Command {
        let cpu_seconds = wall.as_secs().saturating_mul(u64::from(ENCODE_CORES_MAX));
        let memory_bytes =
            if run.is_hardware { ENCODE_HARDWARE_MEMORY_BYTES } else { ENCODE_MEMORY_BYTES };
        let mut command = Command::new(&self.config.program);
        command
            .args(&self.config.args)
            .args(["--memory", &memory_bytes.to_string(), "--cpu", &cpu_seconds.to_string()])
            .args(["--nice", &ENCODE_NICE.to_string()])
            .arg("--read")
            .arg(run.film)
            .arg("--write")
            .arg(run.made)
            .arg("--write")
            .arg(pass_folder(run.made))
            .args(run.is_hardware.then_some("--hardware"))
            .arg("--exec")
            .arg(&self.config.ffmpeg)
            .args(run.args.iter().map(|it| placed(it, run)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// A placeholder's path, or the word itself.
fn placed(word: &str, run: &Run<'_>) -> OsString {
    let file = |path: &Path| {
        let mut file = OsString::from("file:");
        file.push(path);
        file
    };
    if word == FILM {
        file(run.film)
    } else if let Some(rest) = word.strip_prefix(MADE) {
        let mut file = file(run.made);
        file.push(rest);
        file
    } else if word == LOG {
        pass_folder(run.made).join("pass").into_os_string()
    } else {
        word.into()
    }
}

/// Where the first of two passes leaves its notes for the second: a folder beside the copy, so that
/// ffmpeg may make files there and nowhere else. Whoever runs two passes removes it.
#[must_use]
pub fn pass_folder(made: &Path) -> PathBuf {
    let mut name = made.as_os_str().to_owned();
    name.push("-pass");
    name.into()
}

/// The time that encoding a film may take.
pub(crate) fn wall_time(duration_ms: Option<u64>) -> Duration {
    let length = Duration::from_millis(duration_ms.unwrap_or(0));
    length.saturating_mul(ENCODE_TIME_LENGTHS).clamp(ENCODE_TIME_MIN, ENCODE_TIME_MAX)
}

/// What ffprobe and ffmpeg say, for [`crate::fuzz`].
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn read_said(bytes: &[u8]) {
    if let Ok(probed) = serde_json::from_slice::<Probed>(bytes) {
        std::hint::black_box(Film::from(probed));
    }
    std::hint::black_box(progress_ms(&String::from_utf8_lossy(bytes)));
}

/// What a line of `-progress` says of the time made so far, in milliseconds.
fn progress_ms(line: &str) -> Option<u64> {
    // Its `out_time_ms` is in microseconds too.
    line.strip_prefix("out_time_us=")?.trim().parse::<u64>().ok().map(|it| it / 1_000)
}

async fn drain(stderr: Option<ChildStderr>, said: &mut Vec<u8>) {
    let Some(mut stderr) = stderr else { return };
    let mut chunk = [0; 1_024];
    while let Ok(count) = stderr.read(&mut chunk).await {
        if count == 0 {
            return;
        }
        said.extend_from_slice(&chunk[..count]);
        let surplus = said.len().saturating_sub(STDERR_BYTES_MAX);
        said.drain(..surplus);
    }
}

fn reason(status: ExitStatus, said: &[u8], run: &Run<'_>) -> DecodeError {
    let said = String::from_utf8_lossy(said);
    if said.contains("Cannot allocate memory") {
        return DecodeError::OutOfMemory;
    }
    match (status.signal(), status.code()) {
        (Some(signal), _) if signal == libc::SIGXCPU => DecodeError::TimedOut,
        (Some(signal), _) => DecodeError::Crashed { signal },
        (_, Some(EXIT_NO_PROGRAM)) => {
            DecodeError::Unavailable { reason: "ffmpeg is not installed".to_owned() }
        }
        (_, Some(EXIT_SETUP)) => {
            DecodeError::Unavailable { reason: "limits of a child cannot be set".to_owned() }
        }
        _ => DecodeError::corrupt(&format!("ffmpeg says: {}", last_words(&said, run))),
    }
}

/// The last line, without paths and what is no text.
fn last_words(said: &str, run: &Run<'_>) -> String {
    let line = said.lines().rev().find(|it| !it.trim().is_empty()).unwrap_or("nothing");
    let line = line
        .replace(&*run.film.to_string_lossy(), "film")
        .replace(&*run.made.to_string_lossy(), "copy");
    line.chars().filter(|it| !it.is_control()).take(REASON_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_in_milliseconds_of_the_film() {
        assert_eq!(progress_ms("out_time_us=2002000"), Some(2_002));
        assert_eq!(progress_ms("out_time_us=N/A"), None);
        assert_eq!(progress_ms("frame=60"), None);
    }

    #[test]
    fn time_grows_with_the_film_within_limits() {
        assert_eq!(wall_time(None), ENCODE_TIME_MIN);
        assert_eq!(wall_time(Some(60_000)), Duration::from_secs(6_000));
        assert_eq!(wall_time(Some(u64::MAX)), ENCODE_TIME_MAX);
    }

    #[test]
    fn reasons_name_no_path() {
        let run = Run {
            args: &[],
            film: Path::new("/data/library/x.mov"),
            made: Path::new("/data/tmp/y"),
            duration_ms: None,
            is_hardware: false,
        };
        let said = "first\nfile:/data/library/x.mov: Invalid data\u{7} found\n\n";
        assert_eq!(last_words(said, &run), "file:film: Invalid data found");
    }
}
