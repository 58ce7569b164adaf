//! The child: `decoder` answers jobs, `decoder --exec PROGRAM ARGS` becomes a limited PROGRAM,
//! `decoder --examine` tells whether the locks hold.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read as _},
    os::unix::process::CommandExt as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    process::{Command, ExitCode},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    time::{ClockId, clock_gettime},
};

use super::{
    DecodeError, Walls, examine, handed,
    job::{self, Outcome},
    protocol::{self, Answer, Hello, Request},
    sandbox::{self, Limits, Role},
    walls::{self, Openings},
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
    nice: i32,
    /// What a program may read and write, and whether it may use video hardware.
    reads: Vec<PathBuf>,
    writes: Vec<PathBuf>,
    is_hardware: bool,
    task: Task,
}

/// What a child is for.
enum Task {
    AnswerJobs,
    BecomeProgram(Vec<OsString>),
    Examine,
    Attempt,
}

/// Runs a decoder child with the arguments behind the word `decoder`. Must be called before any
/// thread is started. Returns when the parent closes stdin, after the last job, or when idle.
///
/// Arguments: `--memory BYTES`, `--cpu SECONDS` (a job), `--jobs N`, `--idle SECONDS`,
/// `--nice N`, `--read PATH`, `--write PATH` and `--hardware` (of a program), and last
/// `--exec PROGRAM ARGS...`, or `--examine` or `--attempt`, which print what could be done.
pub fn decoder_main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(options) = parse(args) else {
        return ExitCode::from(EXIT_SETUP);
    };
    match &options.task {
        Task::AnswerJobs => answer_jobs(&options),
        Task::BecomeProgram(words) => match words.split_first() {
            Some((program, args)) => become_program(program, args, &options),
            None => ExitCode::from(EXIT_SETUP),
        },
        Task::Examine => {
            let (filtered, walls) = lock_in();
            examine::tell(filtered, walls, true)
        }
        Task::Attempt => examine::tell(false, Walls::None, false),
    }
}

fn parse(mut args: impl Iterator<Item = OsString>) -> Option<Options> {
    let mut options = Options {
        memory_bytes: DECODER_MEMORY_BYTES,
        cpu_seconds: DECODER_CPU_SECONDS,
        jobs_max: DECODER_JOBS_MAX,
        idle: DECODER_IDLE,
        nice: 0,
        reads: Vec::new(),
        writes: Vec::new(),
        is_hardware: false,
        task: Task::AnswerJobs,
    };
    while let Some(name) = args.next() {
        match name.to_str()? {
            "--exec" => {
                let words: Vec<OsString> = args.collect();
                let is_named = !words.is_empty();
                options.task = Task::BecomeProgram(words);
                return is_named.then_some(options);
            }
            "--examine" => options.task = Task::Examine,
            "--attempt" => options.task = Task::Attempt,
            "--hardware" => options.is_hardware = true,
            "--read" => options.reads.push(args.next()?.into()),
            "--write" => options.writes.push(args.next()?.into()),
            name => set(&mut options, name, args.next()?.to_str()?)?,
        }
    }
    Some(options)
}

/// Options that are numbers.
fn set(options: &mut Options, name: &str, value: &str) -> Option<()> {
    match name {
        "--memory" => options.memory_bytes = value.parse().ok()?,
        "--cpu" => options.cpu_seconds = value.parse().ok()?,
        "--jobs" => options.jobs_max = value.parse().ok()?,
        "--idle" => options.idle = Duration::from_secs(value.parse().ok()?),
        "--nice" => options.nice = value.parse().ok()?,
        _ => return None,
    }
    Some(())
}

fn become_program(program: &OsStr, args: &[OsString], options: &Options) -> ExitCode {
    let limits = Limits {
        memory_bytes: options.memory_bytes,
        cpu_seconds: (options.cpu_seconds, options.cpu_seconds),
    };
    if sandbox::limit(limits).is_err() {
        return ExitCode::from(EXIT_SETUP);
    }
    // Being less urgent is a courtesy: without it the work is done all the same.
    rustix::process::nice(options.nice).map(drop).unwrap_or_default();
    // Where the kernel has neither, limits and ffmpeg's own list of protocols remain.
    let (reads, writes) = (options.reads.clone(), options.writes.clone());
    walls::raise(&Openings::of_program(program, reads, writes, options.is_hardware));
    sandbox::filter(Role::Exec).unwrap_or_default();
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
    let (filtered, walls) = lock_in();
    // A panic of a decoder is an answer, not a message: the text could quote the file.
    std::panic::set_hook(Box::new(|_| {}));
    match serve(options, &Hello { filtered, walls }, hard_seconds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(EXIT_SETUP),
    }
}

/// Takes from this process what a decoder does not need. Says whether the filter is in force, and
/// how much of the walls.
fn lock_in() -> (bool, Walls) {
    // Landlock first: the filter lets no more files be opened for it.
    let walls = walls::raise(&Openings::of_decoder());
    (sandbox::filter(Role::Decode).is_ok(), walls)
}

fn serve(options: &Options, hello: &Hello, hard_seconds: u64) -> io::Result<()> {
    // Not the standard library's stdin: what that reads ahead loses the files that come with it.
    let mut socket = File::from(rustix::stdio::stdin().try_clone_to_owned()?);
    let mut stdout = io::stdout().lock();
    send(&mut stdout, hello, &[])?;
    for _ in 0..options.jobs_max {
        if !wait_for_job(options.idle)? {
            return Ok(());
        }
        let Some((header, files)) = handed::receive(&mut socket)? else {
            return Ok(());
        };
        let (json_bytes, blob_bytes) = protocol::lengths(header)?;
        let mut json = vec![0; json_bytes];
        socket.read_exact(&mut json)?;
        let mut blob = vec![0; blob_bytes];
        socket.read_exact(&mut blob)?;
        let request: Request = serde_json::from_slice(&json)?;

        let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec;
        let soft = u64::try_from(used).unwrap_or(0) + options.cpu_seconds + 1;
        sandbox::limit_cpu(soft, hard_seconds)?;
        let (answer, pictures) = answer(request, files, &blob);
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

fn answer(request: Request, files: Vec<File>, blob: &[u8]) -> (Answer, Vec<u8>) {
    let mut files = files.into_iter();
    let mut next = |is_there: bool| if is_there { files.next() } else { None };
    let missing = || DecodeError::Unreadable { reason: "no file came".to_owned() };
    let done = catch_unwind(AssertUnwindSafe(|| match request {
        Request::File { has_sidecar, want } => {
            let source = next(true).ok_or_else(missing)?;
            job::work(source, next(has_sidecar), want)
        }
        Request::Crop { wish } => {
            job::crop(next(true).ok_or_else(missing)?, wish).map(Outcome::Cut)
        }
        Request::Pixels { wish } => {
            job::pixels(next(true).ok_or_else(missing)?, wish).map(Outcome::Cut)
        }
        Request::Sidecar { has_existing, words } => {
            job::sidecar(next(has_existing), &words).map(Outcome::Sidecar)
        }
        Request::Strip => job::strip(&next(true).ok_or_else(missing)?).map(Outcome::Strip),
        Request::Frame { mut facts, has_film, has_sidecar, want } => {
            job::complete_film(&mut facts, next(has_film), want);
            Ok(Outcome::Picture(Box::new(job::frame(blob, *facts, next(has_sidecar), want))))
        }
    }));
    match done {
        Ok(Ok(Outcome::Picture(report))) => protocol::pack(*report),
        Ok(Ok(Outcome::Film { mime })) => (Answer::Film { mime: mime.to_owned() }, Vec::new()),
        Ok(Ok(Outcome::Cut(picture))) => {
            let Picture { width, height, bytes } = picture;
            (Answer::Cut { width, height }, bytes)
        }
        Ok(Ok(Outcome::Sidecar(bytes))) => (Answer::Written, bytes),
        Ok(Ok(Outcome::Strip(plan))) => {
            (Answer::Told { has_plan: plan.is_some() }, plan.unwrap_or_default())
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
