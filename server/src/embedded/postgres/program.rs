//! The process `postgres`: its command line, when it answers, what it may leave behind.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::super::error::{EmbeddedError, file};
use super::super::launcher::Launcher;
use super::super::leftover;
use super::super::program::Program;
use super::cluster::Cluster;
use super::memory;
use super::socket::SOCKET_NAME;

/// Replaying the log after a crash may take a while; see `max_wal_size`.
const START_LIMIT: Duration = Duration::from_mins(10);
/// The line of `postmaster.pid` that says how far the server is; `pg_ctl` reads the same one.
const STATUS_LINE: usize = 7;

/// The settings. They go on the command line, so that each start has exactly these; anything else
/// may be set in `postgresql.conf`.
const SETTINGS: &[&str] = &[
    // Durability: an answered request is on the disk.
    "fsync=on",
    "full_page_writes=on",
    "synchronous_commit=on",
    "wal_level=replica",
    "wal_compression=on",
    "max_wal_size=1GB",
    // Reached through the socket alone.
    "listen_addresses=",
    "port=5432",
    "unix_socket_permissions=0700",
    "password_encryption=scram-sha-256",
    // Size: one machine, shared with the decoders.
    "max_connections=60",
    "huge_pages=try",
    // Short statements, which compiling would slow down.
    "jit=off",
    // The log goes to us. It names no values: people's data does not belong there.
    "logging_collector=off",
    "log_destination=stderr",
    "log_line_prefix=",
    "lc_messages=C",
    "log_checkpoints=off",
    "log_error_verbosity=terse",
    "log_min_error_statement=panic",
    "log_statement=none",
    "log_min_duration_statement=-1",
    "timezone=UTC",
    "log_timezone=UTC",
    "cluster_name=calotype",
];

/// The embedded PostgreSQL as a supervised program.
pub(super) struct Postgres {
    pub(super) cluster: Cluster,
    pub(super) launcher: Launcher,
    pub(super) socket_folder: PathBuf,
    pub(super) pid_file: PathBuf,
}

impl Program for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn pid_file(&self) -> PathBuf {
        self.pid_file.clone()
    }

    fn prepare(&mut self) -> Result<Command, EmbeddedError> {
        let folder = &self.cluster.folder;
        clear_leftovers(folder, &self.socket_folder)?;
        let mut command = self.launcher.server(&self.cluster.tools.bin.join("postgres"));
        // Quoted, because commas part folders in this setting.
        let socket_folder = self.socket_folder.display().to_string().replace('"', "\"\"");
        command
            .current_dir(folder)
            .arg("-D")
            .arg(folder)
            .arg("-c")
            .arg(format!("unix_socket_directories=\"{socket_folder}\""));
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.args(["-c", &memory::shared_buffers()]);
        Ok(command)
    }

    fn is_ready(&mut self, pid: Pid) -> bool {
        let Ok(text) = std::fs::read_to_string(self.cluster.folder.join("postmaster.pid")) else {
            return false;
        };
        let mut lines = text.lines();
        let is_this_one =
            lines.next().and_then(|line| line.trim().parse().ok()) == leftover::raw(pid);
        is_this_one && lines.nth(STATUS_LINE - 1).is_some_and(|status| status.trim() == "ready")
    }

    fn start_limit(&self) -> Duration {
        START_LIMIT
    }

    fn start_failed(&mut self, _failures: u32, _last_lines: &str) {}

    /// "Immediate" mode: all processes end at once, and the next start replays the log.
    fn hard_signal(&self) -> Signal {
        Signal::QUIT
    }
}

/// Ends processes that still work in the folder, then removes the lock files they left. Without
/// the first step the second would let two servers write the same files. PostgreSQL removes most
/// stale locks itself, though not one whose process id belongs to another program by now.
pub(super) fn clear_leftovers(folder: &Path, socket_folder: &Path) -> Result<(), EmbeddedError> {
    let pid_file = folder.join("postmaster.pid");
    let recorded = std::fs::read_to_string(&pid_file)
        .ok()
        .and_then(|text| text.lines().next()?.trim().parse().ok());
    leftover::stop_all(folder, "postgres", |pid| leftover::raw(pid) == recorded)?;

    let socket = socket_folder.join(SOCKET_NAME);
    let socket_lock = socket_folder.join(format!("{SOCKET_NAME}.lock"));
    for path in [pid_file, socket, socket_lock] {
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(file("remove", &path)(source)),
        }
    }
    Ok(())
}
