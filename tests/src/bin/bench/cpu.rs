//! Processor time and memory of a process with all its children, from `/proc`.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context as _;
use calotype_tests::TestServer;
use calotype_tests::server::Victim;
use rustix::time::{ClockId, clock_gettime};

/// Ticks a second in `/proc`: `USER_HZ`, which is part of the kernel's interface.
const TICKS_A_SECOND: u32 = 100;

/// What a tree of processes has used up to now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    /// Ticks of the server, its decoders and its databases, those that have ended included.
    ticks: u64,
}

/// One line of `/proc/PID/stat`.
struct Stat {
    parent: i32,
    ticks: u64,
}

impl Used {
    /// Of the server and all its children.
    pub(crate) fn by(server: &TestServer) -> anyhow::Result<Self> {
        let pid = server.pid(Victim::Server)?.as_raw_nonzero().get();
        Ok(Self { ticks: tree(pid)?.iter().map(|stat| stat.ticks).sum() })
    }

    /// Of this process alone, with those of its children that have ended.
    pub(crate) fn here() -> anyhow::Result<Self> {
        let own = stat(i32::try_from(std::process::id())?).context("no figures of this process")?;
        Ok(Self { ticks: own.ticks })
    }

    /// What was used since `before`.
    pub(crate) fn since(self, before: Self) -> Duration {
        let ticks = u32::try_from(self.ticks.saturating_sub(before.ticks)).unwrap_or(u32::MAX);
        Duration::from_secs(1) / TICKS_A_SECOND * ticks
    }

    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { ticks: self.ticks + other.ticks }
    }
}

/// Resident memory of the server process alone, in megabytes.
pub(crate) fn memory_mb(server: &TestServer) -> anyhow::Result<f64> {
    let pid = server.pid(Victim::Server)?.as_raw_nonzero().get();
    Ok(status_kb(&pid.to_string(), "VmRSS:")? * 1.024 / 1_000.0)
}

/// The process id of the server.
pub(crate) fn server_pid(server: &TestServer) -> anyhow::Result<i32> {
    Ok(server.pid(Victim::Server)?.as_raw_nonzero().get())
}

/// Lets the peak of a process's memory begin anew.
pub(crate) fn forget_peak(pid: i32) -> anyhow::Result<()> {
    // `proc(5)`: 5 resets the peak resident set size.
    std::fs::write(format!("/proc/{pid}/clear_refs"), "5").context("failed to reset a peak")
}

/// Peak memory of a process since it began or was reset, in megabytes.
pub(crate) fn peak_mb(pid: i32) -> anyhow::Result<f64> {
    Ok(status_kb(&pid.to_string(), "VmHWM:")? * 1.024 / 1_000.0)
}

/// Peak memory of this process, in kilobytes.
pub(crate) fn peak_kb_here() -> anyhow::Result<f64> {
    status_kb("self", "VmHWM:")
}

/// Processor milliseconds of this process, all of its threads together.
pub(crate) fn process_ms_here() -> anyhow::Result<f64> {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let used = Duration::new(u64::try_from(used.tv_sec)?, u32::try_from(used.tv_nsec)?);
    Ok(used.as_secs_f64() * 1_000.0)
}

fn status_kb(pid: &str, field: &str) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let value = line.and_then(|line| line.split_whitespace().next()).context("no such figure")?;
    Ok(value.parse()?)
}

fn tree(root: i32) -> anyhow::Result<Vec<Stat>> {
    let mut all: HashMap<i32, Stat> = HashMap::new();
    for entry in std::fs::read_dir("/proc").context("failed to read /proc")? {
        let pid = entry?.file_name().to_string_lossy().parse();
        if let Ok(pid) = pid
            && let Some(stat) = stat(pid)
        {
            all.insert(pid, stat);
        }
    }
    let mut found = Vec::new();
    let mut next = vec![root];
    while let Some(pid) = next.pop() {
        next.extend(all.iter().filter(|(_, stat)| stat.parent == pid).map(|(pid, _)| *pid));
        found.extend(all.remove(&pid));
    }
    Ok(found)
}

/// `None` when the process has ended. Fields are counted as in `proc(5)`, from after the name.
fn stat(pid: i32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        // Its own time in both modes, and that of children it has waited for.
        ticks: field(14)? + field(15)? + field(16)? + field(17)?,
    })
}
