//! What the supervisor has to know about a server.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::error::EmbeddedError;

/// A server that can be started again and again. All methods may block: they run on the
/// supervisor's own thread.
pub(super) trait Program: Send + 'static {
    /// The name for logs and errors.
    fn name(&self) -> &'static str;

    /// Where the process id is written.
    fn pid_file(&self) -> PathBuf;

    /// Clears what a dead predecessor left, and gives the command that starts the server.
    fn prepare(&mut self) -> Result<Command, EmbeddedError>;

    /// Whether the server, running as `pid`, answers.
    fn is_ready(&mut self, pid: Pid) -> bool;

    /// How long a start may take.
    fn start_limit(&self) -> Duration;

    /// Called after a start that never became ready, before the next one.
    fn start_failed(&mut self, failures: u32, last_lines: &str);

    /// The signal that stops it at once, though safely.
    fn hard_signal(&self) -> Signal;
}
