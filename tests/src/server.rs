//! A real server in a private data folder: started, killed, stopped and started again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;
use tokio::process::Child;

use crate::binary;
use crate::client::Client;
use crate::waiting::until;

/// How long a start may take; the first one in a folder makes a database.
const START_LIMIT: Duration = Duration::from_secs(90);
/// How long a stop may take before it is called hanging.
const STOP_LIMIT: Duration = Duration::from_secs(40);
/// What is told of a log when a story failed, in lines.
const LOG_LINES_TOLD: usize = 80;

/// Where nothing is.
const NOWHERE: &str = "/nonexistent";

/// How to start a server.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether black-box suites may reset it.
    pub testing: bool,
    /// More words for the command line.
    pub arguments: Vec<String>,
    /// More variables for its environment.
    pub environment: Vec<(String, String)>,
    /// What it logs.
    pub log: String,
    /// Whether it has models. Few stories are about what they see, and each server would load its own.
    pub models: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            testing: true,
            arguments: Vec::new(),
            environment: Vec::new(),
            log: "info".to_owned(),
            models: false,
        }
    }
}

/// A part of a running server that can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// `calotype` itself.
    Server,
    /// Its PostgreSQL.
    Postgres,
    /// Its nats-server.
    Nats,
}

/// A server process with its data folder, which goes away with this value.
#[derive(Debug)]
pub struct TestServer {
    options: Options,
    folder: TempDir,
    data: PathBuf,
    port: u16,
    child: Option<Child>,
}

/// Tells a story with a server of its own; when it fails, the end of the server's log is told too.
///
/// # Errors
/// The server does not start or stop, or what the story says.
pub async fn story(
    options: Options,
    tell: impl AsyncFnOnce(&mut TestServer) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut server = TestServer::start(options).await?;
    let told = tell(&mut server).await;
    if told.is_err() {
        server.tell_log();
    }
    let stopped = server.terminate().await;
    told.and(stopped.map(drop))
}

impl TestServer {
    /// Starts a server in a new folder, on a free port.
    ///
    /// # Errors
    /// It does not come up; the message has the end of its log.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        Self::start_in(options, None).await
    }

    /// Starts another process in the same data folder, on a port of its own.
    ///
    /// # Errors
    /// As [`TestServer::start`].
    pub async fn beside(&self, options: Options) -> anyhow::Result<Self> {
        Self::start_in(options, Some(self.data())).await
    }

    /// Starts a server in a data folder that something else made, on a port of its own.
    ///
    /// # Errors
    /// As [`TestServer::start`].
    pub async fn over(options: Options, data: PathBuf) -> anyhow::Result<Self> {
        Self::start_in(options, Some(data)).await
    }

    async fn start_in(options: Options, data: Option<PathBuf>) -> anyhow::Result<Self> {
        use std::os::unix::fs::PermissionsExt as _;
        // Started by root, the servers run as another user, who must pass through.
        let passable = std::fs::Permissions::from_mode(0o711);
        let folder = tempfile::Builder::new()
            .prefix("calotype-")
            .permissions(passable)
            .tempdir()
            .context("failed to make a folder for the server")?;
        let data = data.unwrap_or_else(|| folder.path().join("data"));
        let mut server = Self { options, folder, data, port: 0, child: None };
        server.go_on().await?;
        Ok(server)
    }

    /// Starts it again in the same folder and on the same port.
    ///
    /// # Errors
    /// It runs already, or does not come up.
    pub async fn go_on(&mut self) -> anyhow::Result<()> {
        ensure!(self.child.is_none(), "the server runs already");
        let log = File::options().append(true).create(true).open(self.log_path())?;
        let told_before = log.metadata()?.len();
        let mut command = binary::command()?;
        command.args(["serve", "--host", "127.0.0.1", "--log", &self.options.log, "--data"]);
        command.arg(self.data()).args(["--port", &self.port.to_string()]);
        if self.options.testing {
            command.arg("--testing");
        }
        if !self.options.models {
            command.env("CALOTYPE_ONNXRUNTIME", NOWHERE);
        }
        let child = command
            .args(&self.options.arguments)
            .envs(self.options.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("failed to start calotype")?;
        self.child = Some(child);
        let port = until("the line that says ready", START_LIMIT, async || {
            if let Some(port) = self.ready_port(told_before)? {
                return Ok(Some(port));
            }
            if let Some(ended) = self.child.as_mut().map(Child::try_wait).transpose()?.flatten() {
                bail!("calotype ended before it was ready ({ended})");
            }
            Ok(None)
        })
        .await;
        match port {
            Ok(port) => {
                self.port = port;
                Ok(())
            }
            Err(error) => {
                self.tell_log();
                Err(error)
            }
        }
    }

    /// Gives it models, or takes them away, for when it goes on.
    pub fn give_models(&mut self, models: bool) {
        self.options.models = models;
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.data.clone()
    }

    /// A folder for the story's own files.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where the machines that watch ask, with `--watch-port`.
    ///
    /// # Errors
    /// Its log does not say.
    pub fn watched_url(&self) -> anyhow::Result<String> {
        let log = self.log();
        let (_, rest) = log.rsplit_once("watched at ").context("nobody may watch it")?;
        Ok(rest.lines().next().unwrap_or_default().trim().to_owned())
    }

    /// A client without credentials.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(&self.url())
    }

    /// The process id of a part.
    ///
    /// # Errors
    /// It does not run.
    pub fn pid(&self, part: Victim) -> anyhow::Result<Pid> {
        let number = match part {
            Victim::Server => {
                let id = self.child.as_ref().and_then(Child::id).context("the server is down")?;
                i32::try_from(id)?
            }
            Victim::Postgres => self.pid_of("postgres")?,
            Victim::Nats => self.pid_of("nats")?,
        };
        Pid::from_raw(number).context("a process id of zero")
    }

    /// The children that open foreign files, at work or idle.
    ///
    /// # Errors
    /// The server does not run, or the system does not tell of its processes.
    pub fn decoders(&self) -> anyhow::Result<Vec<Pid>> {
        let parent = self.pid(Victim::Server)?.as_raw_nonzero().to_string();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").context("there is no /proc")? {
            let path = entry?.path();
            let number = path.file_name().and_then(|name| name.to_str()?.parse().ok());
            let Some(pid) = number.and_then(Pid::from_raw) else { continue };
            // Those that end meanwhile have no files any more.
            let read = |name: &str| std::fs::read_to_string(path.join(name)).unwrap_or_default();
            let status = read("stat");
            // After the name, which is in brackets: the state, and the parent.
            let after_name = status.rsplit_once(')').map_or("", |(_, rest)| rest);
            let is_child = after_name.split_whitespace().nth(1) == Some(&parent);
            if is_child && read("cmdline").split('\0').nth(1) == Some("decoder") {
                found.push(pid);
            }
        }
        Ok(found)
    }

    /// Kills a part without warning. A dead server is to be started again with [`TestServer::go_on`].
    ///
    /// # Errors
    /// It does not run.
    pub async fn kill(&mut self, part: Victim) -> anyhow::Result<()> {
        let pid = self.pid(part)?;
        kill_process(pid, Signal::KILL).with_context(|| format!("failed to kill {part:?}"))?;
        if part == Victim::Server
            && let Some(mut child) = self.child.take()
        {
            child.wait().await?;
        }
        Ok(())
    }

    /// Asks the server to stop and waits for it; says how long it took.
    ///
    /// # Errors
    /// It does not end in time, or not with success, or leaves a server behind.
    pub async fn terminate(&mut self) -> anyhow::Result<Duration> {
        let Some(mut child) = self.child.take() else { return Ok(Duration::ZERO) };
        let children = [self.pid_of("postgres").ok(), self.pid_of("nats").ok()];
        let asked = std::time::Instant::now();
        if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
        {
            kill_process(pid, Signal::TERM)?;
        }
        let ended = match tokio::time::timeout(STOP_LIMIT, child.wait()).await {
            Ok(ended) => ended?,
            Err(_) => {
                self.tell_log();
                child.kill().await?;
                bail!("the server did not stop within {} s of SIGTERM", STOP_LIMIT.as_secs());
            }
        };
        let took = asked.elapsed();
        ensure!(ended.success(), "the server ended with {ended}");
        for pid in children.into_iter().flatten().filter_map(Pid::from_raw) {
            ensure!(test_kill_process(pid).is_err(), "the server left process {pid:?} behind");
        }
        Ok(took)
    }

    /// Whether the server process still runs.
    ///
    /// # Errors
    /// What the system said.
    pub fn is_alive(&mut self) -> anyhow::Result<bool> {
        Ok(match &mut self.child {
            Some(child) => child.try_wait()?.is_none(),
            None => false,
        })
    }

    /// What the server wrote to its log.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Writes the end of the log to standard error.
    #[expect(clippy::print_stderr, reason = "a failed test tells why")]
    pub fn tell_log(&self) {
        let log = self.log();
        // Requests that were answered are told by the test itself, and polls would crowd out the rest.
        let is_polling =
            |line: &str| line.contains("INFO request") && line.contains("method=\"GET\"");
        let lines: Vec<&str> = log.lines().filter(|line| !is_polling(line)).collect();
        let end = &lines[lines.len().saturating_sub(LOG_LINES_TOLD)..];
        eprintln!("--- end of the server's log\n{}\n---", end.join("\n"));
    }

    /// What the server logs.
    #[must_use]
    pub fn log_path(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    fn pid_of(&self, name: &str) -> anyhow::Result<i32> {
        let path = self.data().join("run").join(format!("{name}.pid"));
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("there is no {}", path.display()))?;
        let first = text.split_whitespace().next().context("an empty pid file")?;
        Ok(first.parse()?)
    }

    /// The port that a start since `told_before` bytes of log is ready on; 0 where it answers nobody.
    fn ready_port(&self, told_before: u64) -> anyhow::Result<Option<u16>> {
        let log = std::fs::read(self.log_path())?;
        let new = log.get(usize::try_from(told_before)?..).unwrap_or_default();
        let new = String::from_utf8_lossy(new);
        // Whole lines only: the last one may still be written.
        let whole = new.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let ready = whole.lines().rfind(|line| line.contains("ready in"));
        let Some(ready) = ready else { return Ok(None) };
        let Some((_, port)) = ready.rsplit_once("http://127.0.0.1:") else { return Ok(Some(0)) };
        port.trim().parse().map(Some).context("no port in the line that says ready")
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tell_log();
        }
        let Some(mut child) = self.child.take() else { return };
        if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
        {
            // Its own servers end with it; if it is gone already there is nobody to ask.
            kill_process(pid, Signal::TERM).ok();
            let deadline = std::time::Instant::now() + STOP_LIMIT;
            while matches!(child.try_wait(), Ok(None)) {
                if std::time::Instant::now() > deadline {
                    drop(child.start_kill());
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}
