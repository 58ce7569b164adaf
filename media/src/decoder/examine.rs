//! Whether the locks hold: a child tries what it may not do, and tells what it could.
//!
//! `decoder --examine` locks itself in as a decoder and tries; `decoder --attempt` only tries, and
//! is started behind `--exec` to try as another program. The server asks at its start, and
//! `calotype doctor` whenever somebody wants to know.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    net::TcpStream,
    os::unix::net::UnixStream,
    process::{Command as StdCommand, ExitCode, Stdio},
};

use serde::{Deserialize, Serialize};
use tokio::{process::Command, time::timeout};

use super::{DecodeError, PoolConfig, Walls};
use crate::limits::DECODER_HELLO_TIMEOUT;

/// A file that everybody may read, and that no file of a library is.
const NOT_OURS: &str = "/etc/passwd";

/// What may not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attempt {
    /// Reading a file that is not part of the job.
    ReadAnyFile,
    /// Making a file somewhere.
    WriteAnyFile,
    /// Reaching a host.
    ReachTheNetwork,
    /// Reaching another process over a socket.
    ReachASocket,
    /// Sending a signal to the server.
    SignalTheServer,
    /// Starting a program.
    StartAProgram,
}

impl Attempt {
    /// In words, as what can still be done.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::ReadAnyFile => "read any file",
            Self::WriteAnyFile => "write files anywhere",
            Self::ReachTheNetwork => "reach the network",
            Self::ReachASocket => "reach other processes",
            Self::SignalTheServer => "send signals to the server",
            Self::StartAProgram => "start programs",
        }
    }
}

/// How well children are locked in on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confinement {
    /// Whether the kernel took the seccomp filter.
    pub filtered: bool,
    /// How much of Landlock it has.
    pub walls: Walls,
    /// What a decoder could do although it may not.
    pub decoder: Vec<Attempt>,
    /// What ffmpeg and the like could do although they may not.
    pub programs: Vec<Attempt>,
}

impl Confinement {
    /// Whether everything that may not be done cannot be done.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.decoder.is_empty() && self.programs.is_empty()
    }
}

/// What `--examine` and `--attempt` print.
#[derive(Debug, Serialize, Deserialize)]
struct Found {
    filtered: bool,
    walls: Walls,
    could: Vec<Attempt>,
}

/// Lets children try what they may not do.
///
/// # Errors
/// [`DecodeError::Unavailable`]: the decoder could not be asked.
pub async fn examine(config: &PoolConfig) -> Result<Confinement, DecodeError> {
    let mut decoder = Command::new(&config.program);
    decoder.args(&config.args).arg("--examine");
    let mut program = Command::new(&config.program);
    program.args(&config.args).arg("--exec").arg(&config.program);
    program.args(&config.args).arg("--attempt");
    let (decoder, program) = (ask(decoder).await?, ask(program).await?);
    Ok(Confinement {
        filtered: decoder.filtered,
        walls: decoder.walls,
        decoder: decoder.could,
        programs: program.could,
    })
}

async fn ask(mut command: Command) -> Result<Found, DecodeError> {
    command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = timeout(DECODER_HELLO_TIMEOUT, command.output())
        .await
        .map_err(|elapsed| DecodeError::unavailable("decoder did not answer", &elapsed))?
        .map_err(|error| DecodeError::unavailable("decoder cannot be started", &error))?;
    serde_json::from_slice(&output.stdout)
        .map_err(|error| DecodeError::unavailable("decoder speaks otherwise", &error))
}

/// The child: tries, and prints what it could. Only a decoder may not start programs.
pub(super) fn tell(filtered: bool, walls: Walls, is_decoder: bool) -> ExitCode {
    let mut tries: Vec<(Attempt, fn() -> bool)> = vec![
        (Attempt::ReadAnyFile, can_read),
        (Attempt::WriteAnyFile, can_write),
        (Attempt::ReachTheNetwork, || is_let_through(TcpStream::connect("127.0.0.1:9"))),
        (Attempt::ReachASocket, || is_let_through(UnixStream::connect("/run/none.sock"))),
        (Attempt::SignalTheServer, can_signal),
    ];
    if is_decoder {
        tries.push((Attempt::StartAProgram, can_start));
    }
    let could = tries.into_iter().filter(|(_, can)| can()).map(|(it, _)| it).collect();
    let told = serde_json::to_vec(&Found { filtered, walls, could });
    match told.map_err(io::Error::from).and_then(|it| io::stdout().write_all(&it)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn can_read() -> bool {
    File::open(NOT_OURS).is_ok_and(|mut it| it.read(&mut [0; 1]).is_ok())
}

fn can_write() -> bool {
    let path = std::env::temp_dir().join(format!("calotype-examine-{}", std::process::id()));
    let made = OpenOptions::new().write(true).create_new(true).open(&path).is_ok();
    std::fs::remove_file(path).unwrap_or_default();
    made
}

/// Anything but a refusal of the kernel means that a socket was there to try with.
fn is_let_through<T>(tried: io::Result<T>) -> bool {
    !matches!(tried, Err(error) if error.kind() == io::ErrorKind::PermissionDenied)
}

fn can_signal() -> bool {
    rustix::process::getppid().is_some_and(|it| rustix::process::test_kill_process(it).is_ok())
}

fn can_start() -> bool {
    let mut program = StdCommand::new("/bin/sh");
    program.args(["-c", ":"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    program.status().is_ok()
}
