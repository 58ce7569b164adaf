//! A JetStream stream of its own for each test, on a shared nats-server.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use async_nats::{ConnectOptions, ServerAddr, jetstream};

use super::server::{self, Folder, Kind};
use crate::relay::RelayOptions;

/// A nats-server with JetStream to use instead of a private one.
const URL_VARIABLE: &str = "CALOTYPE_TEST_NATS_URL";
/// How long an answer may take when looking whether the server is there.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// What a client of the server must know, so that nothing passes that would fail at a server with a lock.
const TOKEN: &str = "for-tests";
/// A test's stream is small, because JetStream reserves the size.
const STREAM_SIZE_BYTES_MAX: i64 = 16 * 1024 * 1024;

const NATS: Kind = Kind { name: "nats", prepare, answers };

/// A nats-server, and names that no other test uses.
#[derive(Clone, Debug)]
pub struct TestNats {
    /// Address of the server, with the token before its `@` where it asks for one.
    pub url: String,
    /// Name for the test's stream.
    pub stream: String,
    /// First token of the test's subjects.
    pub prefix: String,
}

/// The shared server, with names for one test.
///
/// # Panics
/// There is no nats-server: neither in `CALOTYPE_TEST_NATS_URL`, nor in `.tools`, nor in the PATH.
pub async fn nats() -> TestNats {
    let url = match std::env::var(URL_VARIABLE) {
        Ok(url) => url,
        Err(_) => tokio::task::spawn_blocking(|| server::running(&NATS))
            .await
            .expect("nats-server starts"),
    };
    let suffix: u64 = rand::random();
    TestNats { url, stream: format!("TEST_{suffix:016x}"), prefix: format!("test{suffix:016x}") }
}

impl TestNats {
    /// A connection to the server.
    ///
    /// # Panics
    /// The server does not answer.
    pub async fn jetstream(&self) -> jetstream::Context {
        let server: ServerAddr = self.url.parse().expect("an address of NATS");
        let options = match server.username().filter(|_| server.password().is_none()) {
            Some(token) => ConnectOptions::with_token(token.to_owned()),
            None => ConnectOptions::new(),
        };
        jetstream::new(options.connect(server).await.expect("nats-server answers"))
    }

    /// Options for a relay into the test's own stream.
    #[must_use]
    pub fn relay_options(&self) -> RelayOptions {
        RelayOptions {
            stream: self.stream.clone(),
            prefix: self.prefix.clone(),
            size_bytes_max: STREAM_SIZE_BYTES_MAX,
            ..RelayOptions::default()
        }
    }
}

fn prepare(folder: &Folder) -> Command {
    let tools = server::repository().join(".tools");
    let program = server::find_program(
        "nats-server",
        &[tools.join("nats"), tools.join("nats/bin"), tools.join("bin")],
    )
    .unwrap_or_else(|| panic!("nats-server is neither in .tools/nats nor in the PATH"));
    let mut nats = Command::new(program);
    nats.args([
        "--addr",
        "127.0.0.1",
        "--port",
        "-1",
        "--auth",
        TOKEN,
        "--jetstream",
        "--store_dir",
    ])
    .arg(folder.path.join("jetstream"))
    .arg("--ports_file_dir")
    .arg(&folder.path);
    nats
}

/// The server writes its address into a file `nats-server_<pid>.ports`.
fn answers(folder: &Path) -> Option<String> {
    let ports = fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "ports"))?;
    let ports: serde_json::Value = serde_json::from_slice(&fs::read(ports).ok()?).ok()?;
    let url = ports.get("nats")?.get(0)?.as_str()?;
    let address = url.strip_prefix("nats://")?;
    TcpStream::connect_timeout(&address.parse().ok()?, PROBE_TIMEOUT).ok()?;
    Some(format!("nats://{TOKEN}@{address}"))
}
