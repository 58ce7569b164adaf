//! The program under test, and running it as a command.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// How long a command may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(120);
/// What the server would otherwise take from the developer's environment.
const FOREIGN: [&str; 24] = [
    "CALOTYPE_API_KEY",
    "CALOTYPE_BACKUP_S3_ENDPOINT",
    "CALOTYPE_BACKUP_S3_REGION",
    "CALOTYPE_CONFIG",
    "CALOTYPE_DATA",
    "CALOTYPE_DATABASE_URL",
    "CALOTYPE_HOST",
    "CALOTYPE_LOG",
    "CALOTYPE_LOG_FORMAT",
    "CALOTYPE_NATS_REPLICAS",
    "CALOTYPE_NATS_URL",
    "CALOTYPE_PORT",
    "CALOTYPE_ROLES",
    "CALOTYPE_S3_ENDPOINT",
    "CALOTYPE_S3_REGION",
    "CALOTYPE_SCRATCH",
    "CALOTYPE_SERVER",
    "CALOTYPE_STORAGE",
    "CALOTYPE_TESTING",
    "CALOTYPE_WATCH_PORT",
    "DATABASE_URL",
    "IMMICH_CONFIG_FILE",
    "IMMICH_TRUSTED_PROXIES",
    "NATS_URL",
];

/// Where the program is: `CALOTYPE_BIN`, else beside the folder of this test's own program.
///
/// # Errors
/// It was not built.
pub fn calotype() -> anyhow::Result<PathBuf> {
    if let Some(named) = std::env::var_os("CALOTYPE_BIN") {
        return Ok(PathBuf::from(named));
    }
    // target/debug/deps/all-0123 or target/debug/soak
    let own = std::env::current_exe().context("this program does not know where it is")?;
    own.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("calotype"))
        .find(|program| program.is_file())
        .context("calotype is not built: run ./dev test, or cargo build -p calotype-server")
}

/// What a command did.
#[derive(Clone, Debug)]
pub struct Done {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Done {
    /// Refuses a command that failed.
    ///
    /// # Errors
    /// It failed; the message has its words.
    pub fn success(self) -> anyhow::Result<Self> {
        if self.code != Some(0) {
            bail!("exit code {:?}\n{}\n{}", self.code, self.stdout, self.stderr);
        }
        Ok(self)
    }

    /// Refuses a command that succeeded, and returns what it said on standard error.
    ///
    /// # Errors
    /// It succeeded.
    pub fn failure(self) -> anyhow::Result<String> {
        if self.code == Some(0) {
            bail!("it succeeded: {}\n{}", self.stdout, self.stderr);
        }
        Ok(self.stderr)
    }
}

/// The program with nothing of the developer's environment that it listens to.
///
/// # Errors
/// It was not built.
pub fn command() -> anyhow::Result<Command> {
    let mut command = Command::new(calotype()?);
    for name in FOREIGN {
        command.env_remove(name);
    }
    command.env("NO_COLOR", "1");
    Ok(command)
}

/// Runs `calotype` to its end.
///
/// # Errors
/// It does not start or does not end.
pub async fn run<S: AsRef<OsStr>>(arguments: &[S], input: &str) -> anyhow::Result<Done> {
    let mut command = command()?;
    command.args(arguments);
    finish(command, input, COMMAND_LIMIT).await
}

/// `--data` and a folder, to put behind the words of an operator's command.
#[must_use]
pub fn with_data<'a>(words: &'a [&'a str], data: &'a Path) -> Vec<&'a OsStr> {
    let mut all: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    all.extend([OsStr::new("--data"), data.as_os_str()]);
    all
}

/// Runs a command to its end, with a limit.
///
/// # Errors
/// It does not start or does not end in time.
pub async fn finish(mut command: Command, input: &str, limit: Duration) -> anyhow::Result<Done> {
    let shown = format!("{:?}", command.as_std());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("failed to start {shown}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read its input closes it early; that is no mistake.
        drop(stdin.write_all(input.as_bytes()).await);
    }
    let output = tokio::time::timeout(limit, child.wait_with_output())
        .await
        .with_context(|| format!("{shown} did not end within {} s", limit.as_secs()))??;
    Ok(Done {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
