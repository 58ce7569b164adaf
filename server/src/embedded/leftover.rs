//! Server processes that an earlier run left behind.
//!
//! A server works inside its data folder, so the processes of *this* folder are those whose
//! working directory it is. A recorded process id alone would not do: ids are used again. Callers
//! hold the folder's lock, so what is found here belongs to nobody.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::error::EmbeddedError;

/// How long the leading process may take to stop in order.
const SOFT_LIMIT: Duration = Duration::from_secs(5);
/// How long processes without a leader may take to notice and end.
const ORPHAN_LIMIT: Duration = Duration::from_secs(1);
/// How long all may take after SIGQUIT, and again after SIGKILL.
const HARD_LIMIT: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(10);

/// Stops every process named `program` that works in `folder`: first its leader with SIGINT, then
/// all with SIGQUIT, then all with SIGKILL. Returns how many there were.
pub(super) fn stop_all(
    folder: &Path,
    program: &str,
    is_leader: impl Fn(Pid) -> bool,
) -> Result<usize, EmbeddedError> {
    let found = processes_in(folder, program);
    if found.is_empty() {
        return Ok(0);
    }
    tracing::warn!(count = found.len(), "stopping {program} processes of an earlier run");
    let leaders: Vec<Pid> = found.iter().copied().filter(|pid| is_leader(*pid)).collect();
    signal_all(&leaders, Signal::INT);
    let patience = if leaders.is_empty() { ORPHAN_LIMIT } else { SOFT_LIMIT };
    if is_empty_within(folder, program, patience) {
        return Ok(found.len());
    }
    for signal in [Signal::QUIT, Signal::KILL] {
        signal_all(&processes_in(folder, program), signal);
        if is_empty_within(folder, program, HARD_LIMIT) {
            return Ok(found.len());
        }
    }
    let pids = processes_in(folder, program).into_iter().filter_map(raw).collect();
    Err(EmbeddedError::LeftoversStay { path: folder.to_owned(), pids })
}

/// The id as a number, as `/proc` and pid files write it.
pub(super) fn raw(pid: Pid) -> Option<u32> {
    u32::try_from(pid.as_raw_nonzero().get()).ok()
}

fn signal_all(pids: &[Pid], signal: Signal) {
    for pid in pids {
        // A process that ended meanwhile is what we want.
        if let Err(error) = kill_process(*pid, signal) {
            tracing::debug!(pid = raw(*pid), %error, "a leftover process could not be signalled");
        }
    }
}

fn is_empty_within(folder: &Path, program: &str, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if processes_in(folder, program).is_empty() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        sleep(POLL);
    }
}

/// Processes of other users that we may not look at are not ours, and are passed over; so are
/// those that have ended and wait for their parent.
fn processes_in(folder: &Path, program: &str) -> Vec<Pid> {
    let Ok(folder) = folder.metadata() else { return Vec::new() };
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let directory = entry.path().join("cwd").metadata().ok()?;
            let is_here = (directory.dev(), directory.ino()) == (folder.dev(), folder.ino());
            if !is_here {
                return None;
            }
            let executable = entry.path().join("exe").read_link().ok()?;
            // A program that was replaced on disk has " (deleted)" behind its name.
            executable.file_name()?.to_str()?.starts_with(program).then(|| Pid::from_raw(pid))?
        })
        .collect()
}
