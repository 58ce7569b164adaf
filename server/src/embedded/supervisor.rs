//! Keeps one server running: starts it, waits until it answers, starts it again when it dies,
//! stops it when asked.
//!
//! Each server has a thread of its own, which is also the parent that its death signal watches
//! (see `launcher`). Addresses never change between starts, so clients reconnect by themselves.

use std::process::Child;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::sync::watch;
use tokio::time::timeout;

use super::error::{EmbeddedError, file};
use super::leftover;
use super::lines::LastLines;
use super::program::Program;

/// Pause before the first new start after a death; it doubles with each further one.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// Longest pause between two starts.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// A server that answered for this long has recovered: the next pause is short again.
const STEADY: Duration = Duration::from_secs(2);
/// After so many starts in a row that never became ready we give up.
const START_FAILURES_MAX: u32 = 5;
/// How often a starting server is asked whether it answers.
const READY_POLL: Duration = Duration::from_millis(10);
/// How long we wait for what a dead server printed last.
const LAST_LINES_LIMIT: Duration = Duration::from_millis(200);
/// How long an orderly stop may take, a hard one, and the kernel's.
const STOP_LIMITS: [Duration; 3] =
    [Duration::from_secs(15), Duration::from_secs(6), Duration::from_secs(5)];

/// Where a server is in its life.
#[derive(Clone, Debug)]
enum State {
    Starting,
    Ready,
    Stopped,
    GaveUp { reason: String },
}

/// A running, supervised server. Dropping it stops the server hard and waits for that; call
/// [`Supervisor::stop`] for an orderly end.
pub(super) struct Supervisor {
    name: &'static str,
    hard_signal: Signal,
    control: Arc<Control>,
    state: watch::Receiver<State>,
    thread: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// Starts the server and waits until it answers.
    pub(super) async fn start(program: impl Program) -> Result<Self, EmbeddedError> {
        let name = program.name();
        let hard_signal = program.hard_signal();
        let control = Arc::new(Control::default());
        let (sender, state) = watch::channel(State::Starting);
        let watched = Watched {
            program,
            control: Arc::clone(&control),
            state: sender,
            lines: LastLines::default(),
            reader: None,
        };
        let thread = std::thread::Builder::new()
            .name(format!("{name}-keeper"))
            .spawn(move || watched.run())
            .map_err(|source| EmbeddedError::Spawn { program: name.into(), source })?;
        let mut supervisor = Self { name, hard_signal, control, state, thread: Some(thread) };
        match supervisor.wait_for(|state| !matches!(state, State::Starting)).await {
            State::Ready => Ok(supervisor),
            other => Err(supervisor.error_of(other)),
        }
    }

    /// Comes back only when the server was given up, with the reason.
    pub(super) async fn given_up(&mut self) -> EmbeddedError {
        let state = self.wait_for(|state| matches!(state, State::GaveUp { .. })).await;
        self.error_of(state)
    }

    /// Stops the server in order; hard, if it takes too long. No process is left afterwards.
    pub(super) async fn stop(mut self) {
        for (signal, limit) in [Signal::INT, self.hard_signal, Signal::KILL].iter().zip(STOP_LIMITS)
        {
            self.control.request_stop(*signal);
            let has_ended = |state: &State| matches!(state, State::Stopped | State::GaveUp { .. });
            if timeout(limit, self.wait_for(has_ended)).await.is_ok() {
                return;
            }
            tracing::warn!("{} has not stopped after {} s", self.name, limit.as_secs());
        }
    }

    async fn wait_for(&mut self, wanted: impl FnMut(&State) -> bool) -> State {
        match self.state.wait_for(wanted).await {
            Ok(state) => state.clone(),
            // The thread is gone without a word: it panicked.
            Err(_) => State::GaveUp { reason: "its keeper ended".to_owned() },
        }
    }

    fn error_of(&self, state: State) -> EmbeddedError {
        let reason = match state {
            State::GaveUp { reason } => reason,
            State::Starting | State::Ready | State::Stopped => "it was stopped".to_owned(),
        };
        EmbeddedError::GaveUp { name: self.name, attempts: START_FAILURES_MAX, reason }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.control.request_stop(self.hard_signal);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the keeper of {} panicked", self.name);
        }
    }
}

/// What the two sides share: the wish to stop, and whom to signal.
#[derive(Default)]
struct Control {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    is_stopping: bool,
    /// Set from the start of the process until just before its id is given back to the system.
    pid: Option<Pid>,
}

impl Control {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn request_stop(&self, signal: Signal) {
        let mut inner = self.lock();
        inner.is_stopping = true;
        self.changed.notify_all();
        signal_child(&inner, signal);
    }

    /// Waits; true if the wish to stop came.
    fn is_stopping_within(&self, pause: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), pause, |it| !it.is_stopping);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_stopping
    }
}

fn signal_child(inner: &Inner, signal: Signal) {
    if let Some(pid) = inner.pid
        && let Err(error) = kill_process(pid, signal)
    {
        tracing::warn!(pid = leftover::raw(pid), %error, "failed to signal a server");
    }
}

/// How one run of the server ended.
enum Ended {
    Asked,
    NeverReady { reason: String },
    Died { reason: String, was_steady: bool },
}

/// The thread's side.
struct Watched<P> {
    program: P,
    control: Arc<Control>,
    state: watch::Sender<State>,
    lines: LastLines,
    /// Reads what the present process prints.
    reader: Option<JoinHandle<()>>,
}

impl<P: Program> Watched<P> {
    fn run(mut self) {
        let name = self.program.name();
        let mut failures = 0;
        let mut pause = PAUSE_MIN;
        loop {
            match self.run_once() {
                Ended::Asked => break,
                Ended::Died { reason, was_steady } => {
                    tracing::error!("{name} died ({reason}); starting it again");
                    failures = 0;
                    if was_steady {
                        pause = PAUSE_MIN;
                    }
                }
                Ended::NeverReady { reason } => {
                    failures += 1;
                    tracing::warn!("start {failures} of {name} failed: {reason}");
                    if failures == START_FAILURES_MAX {
                        self.state.send_replace(State::GaveUp { reason });
                        return;
                    }
                    self.program.start_failed(failures, &reason);
                }
            }
            if self.control.is_stopping_within(pause) {
                break;
            }
            pause = PAUSE_MAX.min(pause * 2);
        }
        self.state.send_replace(State::Stopped);
    }

    fn run_once(&mut self) -> Ended {
        self.lines.clear();
        let child = match self.spawn() {
            Ok(Some(child)) => child,
            Ok(None) => return Ended::Asked,
            Err(error) => return Ended::NeverReady { reason: chain(&error) },
        };
        let pid = Pid::from_child(&child);
        let ready_since = self.wait_until_ready(pid);
        if ready_since.is_some() {
            self.state.send_replace(State::Ready);
            tracing::debug!(pid = child.id(), "{} is ready", self.program.name());
        }
        let reason = self.wait_until_dead(child, pid);
        if self.control.lock().is_stopping {
            return Ended::Asked;
        }
        match ready_since {
            None => Ended::NeverReady { reason },
            Some(since) => Ended::Died { reason, was_steady: since.elapsed() >= STEADY },
        }
    }

    /// `None` if the wish to stop came first.
    fn spawn(&mut self) -> Result<Option<Child>, EmbeddedError> {
        let name = self.program.name();
        let mut command = self.program.prepare()?;
        let (reader, writer) = std::io::pipe().map_err(file("open a pipe for", name.as_ref()))?;
        let for_stdout = writer.try_clone().map_err(file("open a pipe for", name.as_ref()))?;
        command.stdout(for_stdout).stderr(writer);
        let lines = self.lines.clone();
        let reading = std::thread::Builder::new()
            .name(format!("{name}-lines"))
            .spawn(move || lines.read_all(name, reader))
            .map_err(|source| EmbeddedError::Spawn { program: name.into(), source })?;
        self.reader = Some(reading);

        let mut inner = self.control.lock();
        if inner.is_stopping {
            return Ok(None);
        }
        let child = command.spawn().map_err(|source| EmbeddedError::Spawn {
            program: command.get_program().into(),
            source,
        })?;
        inner.pid = Some(Pid::from_child(&child));
        drop(inner);

        let pid_file = self.program.pid_file();
        if let Err(error) = std::fs::write(&pid_file, child.id().to_string()) {
            // The file is for people and tests; nothing here reads it.
            tracing::warn!(%error, "failed to write {}", pid_file.display());
        }
        Ok(Some(child))
    }

    /// When it became ready. `None` if it ended first, or took too long and was told to end.
    fn wait_until_ready(&mut self, pid: Pid) -> Option<Instant> {
        let deadline = Instant::now() + self.program.start_limit();
        loop {
            if has_ended(pid, WaitIdOptions::NOHANG) {
                return None;
            }
            if self.program.is_ready(pid) {
                return Some(Instant::now());
            }
            if Instant::now() >= deadline {
                tracing::error!("{} does not answer; stopping it", self.program.name());
                signal_child(&self.control.lock(), Signal::KILL);
                return None;
            }
            std::thread::sleep(READY_POLL);
        }
    }

    /// Waits for the end without giving the id back, then takes the id out of the other side's
    /// hands and gives it back, so that no signal can meet a stranger.
    fn wait_until_dead(&mut self, mut child: Child, pid: Pid) -> String {
        while !has_ended(pid, WaitIdOptions::empty()) {}
        let mut inner = self.control.lock();
        inner.pid = None;
        let ending = match child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        drop(inner);
        if let Err(error) = std::fs::remove_file(self.program.pid_file()) {
            tracing::debug!(%error, "failed to remove a pid file");
        }
        self.wait_for_last_lines();
        let printed = self.lines.text();
        if printed.is_empty() { ending } else { format!("{ending}; it printed last:\n{printed}") }
    }

    /// The reader ends with the last process that holds the pipe. Processes that outlive their
    /// parent may hold it for longer, so the wait is short.
    fn wait_for_last_lines(&mut self) {
        let deadline = Instant::now() + LAST_LINES_LIMIT;
        let Some(reader) = self.reader.take() else { return };
        while !reader.is_finished() && Instant::now() < deadline {
            std::thread::sleep(READY_POLL);
        }
    }
}

/// Without `NOHANG` it waits, and comes back early only when a signal interrupts it.
fn has_ended(pid: Pid, how: WaitIdOptions) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | how;
    match waitid(WaitId::Pid(pid), options) {
        Ok(status) => status.is_some(),
        Err(rustix::io::Errno::INTR) => false,
        // No such child: nothing to wait for.
        Err(_) => true,
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
