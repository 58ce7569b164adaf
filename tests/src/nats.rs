//! A nats-server of a test's own, which stops and goes on while the server under test runs.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::media::workspace;
use crate::waiting::until;

/// How long it may take to start.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A nats-server with JetStream. Ends with this value.
#[derive(Debug)]
pub struct OwnNats {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl OwnNats {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// There is no nats-server, or it does not answer.
    pub async fn start() -> anyhow::Result<Self> {
        // Given back before it is used: between the two somebody else might take it.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut own = Self { folder: TempDir::new()?, port, child: None };
        own.go_on().await?;
        Ok(own)
    }

    /// Its address, whether it runs or not.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Ends it without warning.
    ///
    /// # Errors
    /// It does not run.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("nats-server is down")?;
        child.kill().await.context("failed to end nats-server")
    }

    /// Starts it again, with what it had.
    ///
    /// # Errors
    /// It runs already, or does not answer.
    pub async fn go_on(&mut self) -> anyhow::Result<()> {
        ensure!(self.child.is_none(), "nats-server runs already");
        let child = Command::new(program()?)
            .args(["--addr", "127.0.0.1", "--port", &self.port.to_string(), "--jetstream"])
            .arg("--store_dir")
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("failed to start nats-server")?;
        self.child = Some(child);
        until("nats-server to answer", START_LIMIT, async || {
            Ok(TcpStream::connect(("127.0.0.1", self.port)).await.ok().map(drop))
        })
        .await
    }
}

/// Where ./dev puts it, else where the system has it.
fn program() -> anyhow::Result<PathBuf> {
    let tools = std::env::var_os("CALOTYPE_TOOLS").map(PathBuf::from);
    let tools = tools.unwrap_or_else(|| workspace().join(".tools"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    [tools.join("nats"), tools.join("nats/bin")]
        .into_iter()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join("nats-server"))
        .find(|program| program.is_file())
        .context("there is no nats-server: run ./dev test, or install it")
}
