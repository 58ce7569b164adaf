//! A nats-server of a test's own, or a cluster of three, which stop and go on while the server under test runs.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_eventstore::testing::TestNats;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::media::workspace;
use crate::waiting::until;

/// How long it may take to start.
const START_LIMIT: Duration = Duration::from_secs(20);

/// Servers of a cluster.
const NODES: usize = 3;

/// A nats-server with JetStream. Ends with this value.
#[derive(Debug)]
pub struct OwnNats {
    folder: TempDir,
    port: u16,
    /// What else it is told on its command line.
    more: Vec<String>,
    child: Option<Child>,
}

impl OwnNats {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// There is no nats-server, or it does not answer.
    pub async fn start() -> anyhow::Result<Self> {
        let mut own =
            Self { folder: TempDir::new()?, port: free_port()?, more: Vec::new(), child: None };
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
            .args(&self.more)
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

/// Three nats-servers that keep what each of them has three times. They end with this value.
#[derive(Debug)]
pub struct NatsCluster {
    nodes: Vec<OwnNats>,
}

impl NatsCluster {
    /// Starts them, and waits until they have agreed on who leads.
    ///
    /// # Errors
    /// There is no nats-server, or they do not find each other.
    pub async fn start() -> anyhow::Result<Self> {
        let routes = (0..NODES)
            .map(|_| Ok(format!("nats://127.0.0.1:{}", free_port()?)))
            .collect::<anyhow::Result<Vec<String>>>()?;
        let mut nodes = Vec::with_capacity(NODES);
        for (number, route) in routes.iter().enumerate() {
            let words = [
                ["--server_name".to_owned(), node_name(number)],
                ["--cluster_name".to_owned(), "photos".to_owned()],
                ["--cluster".to_owned(), route.clone()],
                ["--routes".to_owned(), routes.join(",")],
            ];
            let more = words.as_flattened().to_vec();
            let mut node =
                OwnNats { folder: TempDir::new()?, port: free_port()?, more, child: None };
            node.go_on().await?;
            nodes.push(node);
        }
        let cluster = Self { nodes };
        let jetstream = cluster.names("").jetstream().await;
        until("the cluster to agree", START_LIMIT, async || {
            Ok(jetstream.query_account().await.ok().map(drop))
        })
        .await?;
        Ok(cluster)
    }

    /// The addresses of all of them.
    #[must_use]
    pub fn urls(&self) -> String {
        self.nodes.iter().map(OwnNats::url).collect::<Vec<_>>().join(",")
    }

    /// Ends the one that leads a stream, without warning.
    ///
    /// # Errors
    /// Nobody leads it.
    pub async fn stop_leader(&mut self, stream: &str) -> anyhow::Result<()> {
        let info = self.names(stream).jetstream().await.get_stream(stream).await?;
        let leader = info.cached_info().cluster.as_ref().and_then(|cluster| cluster.leader.clone());
        let leader = leader.context("nobody leads the stream")?;
        let place = (0..NODES).find(|number| node_name(*number) == leader);
        let node = place.and_then(|number| self.nodes.get_mut(number));
        node.with_context(|| format!("{leader} is none of ours"))?.stop().await
    }

    fn names(&self, stream: &str) -> TestNats {
        let url = self.nodes.iter().find(|node| node.child.is_some()).map(OwnNats::url);
        TestNats { url: url.unwrap_or_default(), stream: stream.to_owned(), prefix: String::new() }
    }
}

fn node_name(number: usize) -> String {
    format!("node{number}")
}

/// Given back before it is used: between the two somebody else might take it.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
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
