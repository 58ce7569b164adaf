//! The embedded nats-server: JetStream on a loopback port, behind a token.
//!
//! JetStream is a bell and a work queue, never a source of truth, so a store that the server
//! cannot open is put aside and a new one begun.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::error::{EmbeddedError, file};
use super::folder::DataFolder;
use super::launcher::Launcher;
use super::program::Program;
use super::servers::blocking;
use super::supervisor::Supervisor;
use super::{leftover, secret, tools};

/// Reading a large store back may take a while.
const START_LIMIT: Duration = Duration::from_mins(2);
const CONNECT_LIMIT: Duration = Duration::from_millis(200);
/// After so many failed starts in a row the store is put aside.
const FAILURES_BEFORE_NEW_STORE: u32 = 2;
/// Most that JetStream may keep on disk, and the share of the free space that it may take.
const STORE_BYTES_MAX: u64 = 2 << 30;
const STORE_BYTES_MIN: u64 = 64 << 20;
const STORE_FREE_SPACE_SHARE: u64 = 4;
const MEMORY_STORE_BYTES_MAX: u64 = 64 << 20;
/// Where Go's collector starts to work harder.
const MEMORY_SOFT_LIMIT: &str = "256MiB";

/// How to reach the running nats-server. It stays the same when the server is started again.
#[derive(Clone)]
pub struct NatsAccess {
    /// Without the token, such as `nats://127.0.0.1:41234`.
    pub url: String,
    /// What a client must present.
    pub token: String,
    /// Most that all streams together may keep on disk.
    pub store_bytes_max: u64,
}

impl fmt::Debug for NatsAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsAccess")
            .field("url", &self.url)
            .field("store_bytes_max", &self.store_bytes_max)
            .finish_non_exhaustive()
    }
}

/// Starts nats-server in the data folder.
pub(super) async fn start(
    data: Arc<DataFolder>,
    launcher: Launcher,
) -> Result<(Supervisor, NatsAccess), EmbeddedError> {
    let program = blocking(move || Nats::new(&data, launcher)).await??;
    let port = Arc::clone(&program.port);
    let (token, store_bytes_max) = (program.token.clone(), program.store_bytes_max);
    let supervisor = Supervisor::start(program).await?;
    let url = format!("nats://127.0.0.1:{}", port.load(Ordering::Acquire));
    Ok((supervisor, NatsAccess { url, token, store_bytes_max }))
}

struct Nats {
    program: PathBuf,
    launcher: Launcher,
    store: PathBuf,
    config: PathBuf,
    pid_file: PathBuf,
    token: String,
    store_bytes_max: u64,
    /// Fixed once the server was ready, because clients know it then.
    port: Arc<AtomicU16>,
    was_ready: bool,
}

impl Nats {
    fn new(data: &DataFolder, launcher: Launcher) -> Result<Self, EmbeddedError> {
        let program = tools::find_nats_server(data.root())?;
        launcher.account.check_reachable(&program)?;
        launcher.account.check_reachable(&data.nats())?;
        launcher.account.own_folder(&data.nats())?;
        Ok(Self {
            program,
            launcher,
            store: data.nats(),
            config: data.run().join("nats.conf"),
            pid_file: data.run().join("nats.pid"),
            token: secret::read_or_generate(&data.keys().join("nats.token"))?,
            store_bytes_max: store_bytes_max(data)?,
            port: Arc::new(AtomicU16::new(free_port()?)),
            was_ready: false,
        })
    }

    fn config_text(&self) -> String {
        format!(
            "server_name: calotype
host: 127.0.0.1
port: {port}
logtime: false
authorization {{ token: \"{token}\" }}
jetstream {{
  store_dir: {store}
  max_file_store: {file_bytes}
  max_memory_store: {memory_bytes}
}}
",
            port = self.port.load(Ordering::Acquire),
            token = self.token,
            store = quoted(&self.store.to_string_lossy()),
            file_bytes = self.store_bytes_max,
            memory_bytes = MEMORY_STORE_BYTES_MAX,
        )
    }

    fn put_store_aside(&self) -> Result<(), EmbeddedError> {
        let aside = self.store.with_extension("broken");
        // Only the last one is kept, for a look.
        if aside.exists() {
            std::fs::remove_dir_all(&aside).map_err(file("remove", &aside))?;
        }
        std::fs::rename(&self.store, &aside).map_err(file("put aside", &self.store))?;
        self.launcher.account.own_folder(&self.store)
    }
}

impl Program for Nats {
    fn name(&self) -> &'static str {
        "nats-server"
    }

    fn pid_file(&self) -> PathBuf {
        self.pid_file.clone()
    }

    fn prepare(&mut self) -> Result<Command, EmbeddedError> {
        leftover::stop_all(&self.store, "nats-server", |_| true)?;
        secret::write_private(&self.config, &self.config_text())
            .map_err(file("write", &self.config))?;
        self.launcher.account.own_file(&self.config)?;
        let mut command = self.launcher.server(&self.program);
        command
            .current_dir(&self.store)
            .env("GOMEMLIMIT", MEMORY_SOFT_LIMIT)
            .arg("--config")
            .arg(&self.config);
        Ok(command)
    }

    /// It listens only after JetStream has read its store back.
    fn is_ready(&mut self, _pid: Pid) -> bool {
        let port = self.port.load(Ordering::Acquire);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let is_ready = TcpStream::connect_timeout(&address, CONNECT_LIMIT).is_ok();
        self.was_ready |= is_ready;
        is_ready
    }

    fn start_limit(&self) -> Duration {
        START_LIMIT
    }

    fn start_failed(&mut self, failures: u32, last_lines: &str) {
        let is_port_taken = last_lines.contains("address already in use");
        let result = if is_port_taken && !self.was_ready {
            free_port().map(|port| self.port.store(port, Ordering::Release))
        } else if !is_port_taken && failures == FAILURES_BEFORE_NEW_STORE {
            tracing::warn!("nats-server cannot open its store; putting it aside as nats.broken");
            self.put_store_aside()
        } else {
            Ok(())
        };
        if let Err(error) = result {
            tracing::error!(%error, "failed to clear the way for the next start of nats-server");
        }
    }

    fn hard_signal(&self) -> Signal {
        Signal::KILL
    }
}

/// A port that was free a moment ago. Should another program take it meanwhile, the start fails
/// and the next one gets another port.
fn free_port() -> Result<u16, EmbeddedError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    listener
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(file("find a free port for", "nats-server".as_ref()))
}

fn store_bytes_max(data: &DataFolder) -> Result<u64, EmbeddedError> {
    let space = rustix::fs::statvfs(data.root())
        .map_err(|errno| file("look at the file system of", data.root())(errno.into()))?;
    let free_bytes = space.f_bavail.saturating_mul(space.f_frsize);
    Ok((free_bytes / STORE_FREE_SPACE_SHARE).clamp(STORE_BYTES_MIN, STORE_BYTES_MAX))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
