//! One child as the parent sees it.

use std::{
    fs::File,
    io,
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream as StdUnixStream, process::ExitStatusExt as _},
    },
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    process::{Child, ChildStderr, ChildStdout, Command},
    time::timeout,
};
use uuid::Uuid;

use super::{
    DecodeError, PoolConfig, Walls, handed,
    protocol::{self, Answer, HEADER_BYTES, Hello, Request},
};
use crate::limits::DECODER_HELLO_TIMEOUT;

/// Words on stderr that are kept to tell a lack of memory from other aborts, in bytes.
const STDERR_BYTES_MAX: usize = 4_096;

/// What the pipe with answers holds: what Linux gives everybody who asks (`fs.pipe-max-size`).
const PIPE_BYTES: usize = 1 << 20;

/// What Rust's allocator says before it aborts.
const OUT_OF_MEMORY: &str = "memory allocation of";

/// How glibc's allocator works in a child: large pages, and up to 256 MiB kept from job to job.
/// A picture of 12 MP is 48 MB; getting them from the kernel page by page for every job costs a
/// quarter of the whole (measured: 108 against 86 ms). Other C libraries ignore it.
pub const MALLOC_TUNABLES: &str = "glibc.malloc.hugetlb=1:\
    glibc.malloc.mmap_threshold=134217728:glibc.malloc.trim_threshold=268435456";

/// A running child.
#[derive(Debug)]
pub(super) struct Decoder {
    child: Child,
    /// Its stdin: a socket, because files cannot be handed through a pipe.
    socket: UnixStream,
    stdout: ChildStdout,
    stderr: ChildStderr,
    jobs: u32,
    filtered: bool,
    walls: Walls,
    /// Whose files it opens: those of nobody else.
    group: Uuid,
}

/// How a job ended.
pub(super) enum Ended {
    /// With an answer; the child may go on.
    Answered(Answer, Vec<u8>),
    /// The child was gone before it saw the job (idle for too long): start another one.
    WasGone,
    /// The child is no more, because of this job.
    Failed(DecodeError),
}

impl Decoder {
    pub(super) async fn start(config: &PoolConfig, group: Uuid) -> Result<Self, DecodeError> {
        let failed =
            |error: &io::Error| DecodeError::unavailable("decoder cannot be started", error);
        let (socket, stdin) = sockets().map_err(|error| failed(&error))?;
        let mut child = Command::new(&config.program)
            .args(&config.args)
            .arg("--memory")
            .arg(config.memory_bytes.to_string())
            .arg("--cpu")
            .arg(config.cpu_seconds.to_string())
            .arg("--jobs")
            .arg(config.jobs_per_child_max.to_string())
            .arg("--idle")
            .arg(config.idle.as_secs().max(1).to_string())
            .env_clear()
            .env("GLIBC_TUNABLES", MALLOC_TUNABLES)
            .envs(std::env::var_os("LD_LIBRARY_PATH").map(|it| ("LD_LIBRARY_PATH", it)))
            .stdin(Stdio::from(stdin))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(&error))?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(DecodeError::Unavailable { reason: "decoder has no pipes".to_owned() });
        };
        // Where it stays small, a preview's pixels come in fifty parts instead of a few.
        rustix::pipe::fcntl_setpipe_size(&stdout, PIPE_BYTES).map(drop).unwrap_or_default();
        let mut decoder = Self {
            child,
            socket,
            stdout,
            stderr,
            jobs: 0,
            filtered: false,
            walls: Walls::None,
            group,
        };
        let hello = timeout(DECODER_HELLO_TIMEOUT, read(&mut decoder.stdout))
            .await
            .map_err(|elapsed| DecodeError::unavailable("decoder did not begin", &elapsed))?
            .map_err(|error| failed(&error))?;
        let hello: Hello = serde_json::from_slice(&hello.0)
            .map_err(|error| DecodeError::unavailable("decoder speaks otherwise", &error))?;
        (decoder.filtered, decoder.walls) = (hello.filtered, hello.walls);
        Ok(decoder)
    }

    /// Whether the kernel took the seccomp filter, and has Landlock.
    pub(super) fn is_locked_in(&self) -> bool {
        self.filtered && self.walls != Walls::None
    }

    /// Whether it opens the files of this group.
    pub(super) fn is_of(&self, group: Uuid) -> bool {
        self.group == group
    }

    /// Whether the child has ended by itself.
    pub(super) fn is_gone(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether the child ends after the jobs it has done.
    pub(super) fn is_spent(&self, config: &PoolConfig) -> bool {
        self.jobs >= config.jobs_per_child_max
    }

    pub(super) async fn ask(
        &mut self,
        request: &Request,
        files: &[File],
        blob: &[u8],
        limit: Duration,
    ) -> Ended {
        self.jobs += 1;
        let Ok(head) = protocol::head(request, blob.len()) else {
            let reason = "request is longer than allowed".to_owned();
            return Ended::Failed(DecodeError::Unavailable { reason });
        };
        let mut said = Vec::new();
        let talk = async {
            let written = async {
                handed::send(&mut self.socket, &head, files).await?;
                self.socket.write_all(blob).await
            };
            let written = written.await;
            tokio::select! {
                biased;
                answer = read(&mut self.stdout) => (written.is_ok(), answer),
                () = drain(&mut self.stderr, &mut said) => {
                    // stderr is closed: the child is ending, what it has answered is in the pipe.
                    (written.is_ok(), read(&mut self.stdout).await)
                }
            }
        };
        let (was_written, answer) = match timeout(limit, talk).await {
            Ok(ended) => ended,
            Err(_) => {
                self.end().await;
                return Ended::Failed(DecodeError::TimedOut);
            }
        };
        let parsed =
            answer.and_then(|(json, blob)| Ok((serde_json::from_slice::<Answer>(&json)?, blob)));
        match parsed {
            Ok((answer, blob)) => Ended::Answered(answer, blob),
            Err(_) => {
                let status = self.end().await;
                let _rest =
                    timeout(Duration::from_secs(1), drain(&mut self.stderr, &mut said)).await;
                let by_itself = status.is_some_and(|it| it.success());
                if by_itself || !was_written {
                    Ended::WasGone
                } else {
                    Ended::Failed(reason(status, &said))
                }
            }
        }
    }

    /// Ends the child; it may have ended already.
    async fn end(&mut self) -> Option<ExitStatus> {
        // A child that closed its pipe is on its way out: give it a moment to tell its status.
        if let Ok(Ok(status)) = timeout(Duration::from_millis(200), self.child.wait()).await {
            return Some(status);
        }
        self.child.start_kill().ok()?;
        self.child.wait().await.ok()
    }
}

/// The parent's end, and the child's.
fn sockets() -> io::Result<(UnixStream, OwnedFd)> {
    let (ours, its) = StdUnixStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, its.into()))
}

fn reason(status: Option<ExitStatus>, said: &[u8]) -> DecodeError {
    if String::from_utf8_lossy(said).contains(OUT_OF_MEMORY) {
        return DecodeError::OutOfMemory;
    }
    let signal = status.and_then(|it| it.signal()).unwrap_or(0);
    if signal == libc::SIGXCPU { DecodeError::TimedOut } else { DecodeError::Crashed { signal } }
}

async fn read(stdout: &mut ChildStdout) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut header = [0; HEADER_BYTES];
    stdout.read_exact(&mut header).await?;
    let (json_bytes, blob_bytes) = protocol::lengths(header)?;
    let mut json = vec![0; json_bytes];
    stdout.read_exact(&mut json).await?;
    let mut blob = vec![0; blob_bytes];
    stdout.read_exact(&mut blob).await?;
    Ok((json, blob))
}

/// Reads stderr to its end, so that a chatty decoder never blocks on it; keeps the last words.
async fn drain(stderr: &mut ChildStderr, said: &mut Vec<u8>) {
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
