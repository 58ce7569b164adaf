//! The child: `decoder` answers jobs, `decoder --exec PROGRAM ARGS` becomes a limited PROGRAM.

use std::{
    ffi::OsString,
    io::{self, Read as _},
    os::unix::process::CommandExt as _,
    panic::{AssertUnwindSafe, catch_unwind},
    process::{Command, ExitCode},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    time::{ClockId, clock_gettime},
};

use super::{
    DecodeError,
    job::{self, Outcome},
    protocol::{self, Answer, HEADER_BYTES, Hello, Request},
    sandbox::{self, Limits, Role},
};
use crate::image::Picture;
use crate::limits::{DECODER_CPU_SECONDS, DECODER_IDLE, DECODER_JOBS_MAX, DECODER_MEMORY_BYTES};

/// Exit status when the arguments or the limits cannot be used.
const EXIT_SETUP: u8 = 70;

/// Exit status of `--exec` when the program cannot be started.
const EXIT_NO_PROGRAM: u8 = 127;

/// What the arguments say.
struct Options {
    memory_bytes: u64,
    cpu_seconds: u64,
    jobs_max: u32,
    idle: Duration,
    exec: Vec<OsString>,
}

/// Runs a decoder child with the arguments behind the word `decoder`. Must be called before any
/// thread is started. Returns when the parent closes stdin, after the last job, or when idle.
///
/// Arguments: `--memory BYTES`, `--cpu SECONDS` (a job), `--jobs N`, `--idle SECONDS`, and
/// `--exec PROGRAM ARGS...` last.
pub fn decoder_main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(options) = parse(args) else {
        return ExitCode::from(EXIT_SETUP);
    };
    if options.exec.is_empty() { answer_jobs(&options) } else { become_program(&options) }
}

fn parse(mut args: impl Iterator<Item = OsString>) -> Option<Options> {
    let mut options = Options {
        memory_bytes: DECODER_MEMORY_BYTES,
        cpu_seconds: DECODER_CPU_SECONDS,
        jobs_max: DECODER_JOBS_MAX,
        idle: DECODER_IDLE,
        exec: Vec::new(),
    };
    while let Some(name) = args.next() {
        if name == "--exec" {
            options.exec = args.collect();
            return (!options.exec.is_empty()).then_some(options);
        }
        let value = args.next()?.into_string().ok()?;
        match name.to_str()? {
            "--memory" => options.memory_bytes = value.parse().ok()?,
            "--cpu" => options.cpu_seconds = value.parse().ok()?,
            "--jobs" => options.jobs_max = value.parse().ok()?,
            "--idle" => options.idle = Duration::from_secs(value.parse().ok()?),
            _ => return None,
        }
    }
    Some(options)
}

fn become_program(options: &Options) -> ExitCode {
    let limits = Limits {
        memory_bytes: options.memory_bytes,
        cpu_seconds: (options.cpu_seconds, options.cpu_seconds),
    };
    if sandbox::limit(limits).is_err() {
        return ExitCode::from(EXIT_SETUP);
    }
    // Where the kernel refuses filters, limits and ffmpeg's own list of protocols remain.
    sandbox::filter(Role::Exec).unwrap_or_default();
    let (program, args) = match options.exec.split_first() {
        Some(split) => split,
        None => return ExitCode::from(EXIT_SETUP),
    };
    // Returns only when it fails; there is nobody to tell the reason to but the exit status.
    let _error = Command::new(program)
        .args(args)
        .env_clear()
        .envs(kept_environment())
        // LibRaw starts a thread a core otherwise, and the pool has a child a core already.
        .env("OMP_NUM_THREADS", "1")
        .exec();
    ExitCode::from(EXIT_NO_PROGRAM)
}

fn kept_environment() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "LD_LIBRARY_PATH")
}

fn answer_jobs(options: &Options) -> ExitCode {
    let hard_seconds = options.cpu_seconds.saturating_mul(u64::from(options.jobs_max) + 1);
    let limits = Limits {
        memory_bytes: options.memory_bytes,
        cpu_seconds: (options.cpu_seconds, hard_seconds),
    };
    if sandbox::limit(limits).is_err() {
        return ExitCode::from(EXIT_SETUP);
    }
    let filtered = sandbox::filter(Role::Decode).is_ok();
    // A panic of a decoder is an answer, not a message: the text could quote the file.
    std::panic::set_hook(Box::new(|_| {}));
    match serve(options, filtered, hard_seconds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(EXIT_SETUP),
    }
}

fn serve(options: &Options, filtered: bool, hard_seconds: u64) -> io::Result<()> {
    let mut stdin = io::stdin().lock();
    let mut stdout = io::stdout().lock();
    send(&mut stdout, &Hello { filtered }, &[])?;
    for _ in 0..options.jobs_max {
        if !wait_for_job(options.idle)? {
            return Ok(());
        }
        let mut header = [0; HEADER_BYTES];
        match stdin.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            other => other?,
        }
        let (json_bytes, blob_bytes) = protocol::lengths(header)?;
        let mut json = vec![0; json_bytes];
        stdin.read_exact(&mut json)?;
        let mut blob = vec![0; blob_bytes];
        stdin.read_exact(&mut blob)?;
        let request: Request = serde_json::from_slice(&json)?;

        let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec;
        let soft = u64::try_from(used).unwrap_or(0) + options.cpu_seconds + 1;
        sandbox::limit_cpu(soft, hard_seconds)?;
        let (answer, pictures) = answer(request, &blob);
        send(&mut stdout, &answer, &pictures)?;
    }
    Ok(())
}

/// Waits on the pipe; the standard library would block without end. False when nothing came.
fn wait_for_job(idle: Duration) -> io::Result<bool> {
    let stdin = rustix::stdio::stdin();
    let mut watched = [PollFd::new(&stdin, PollFlags::IN)];
    let timeout = Timespec::try_from(idle).map_err(io::Error::other)?;
    Ok(poll(&mut watched, Some(&timeout))? > 0)
}

fn answer(request: Request, blob: &[u8]) -> (Answer, Vec<u8>) {
    let done = catch_unwind(AssertUnwindSafe(|| match request {
        Request::File { source, sidecar, want } => job::work(&source, sidecar.as_deref(), want),
        Request::Crop { source, wish } => job::crop(&source, wish).map(Outcome::Cut),
        Request::Frame { mut facts, film, sidecar, want } => {
            job::complete_film(&mut facts, film.as_deref(), want);
            Ok(Outcome::Picture(Box::new(job::frame(blob, *facts, sidecar.as_deref(), want))))
        }
    }));
    match done {
        Ok(Ok(Outcome::Picture(report))) => protocol::pack(*report),
        Ok(Ok(Outcome::Film { mime })) => (Answer::Film { mime: mime.to_owned() }, Vec::new()),
        Ok(Ok(Outcome::Cut(picture))) => {
            let Picture { width, height, bytes } = picture;
            (Answer::Cut { width, height }, bytes)
        }
        Ok(Err(error)) => (Answer::Failed(error), Vec::new()),
        Err(_) => (Answer::Failed(DecodeError::corrupt("decoder gave up on it")), Vec::new()),
    }
}

fn send(
    stdout: &mut impl io::Write,
    message: &impl serde::Serialize,
    blob: &[u8],
) -> io::Result<()> {
    stdout.write_all(&protocol::head(message, blob.len())?)?;
    stdout.write_all(blob)?;
    stdout.flush()
}
