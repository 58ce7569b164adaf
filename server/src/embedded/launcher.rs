//! How a child process is started: as whom, in which process group, with which environment.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::account::Account;
use super::error::EmbeddedError;

/// Starts the programs of the embedded servers.
#[derive(Clone, Debug)]
pub(super) struct Launcher {
    pub(super) account: Account,
    /// util-linux's `setpriv`, if it is there and knows `--pdeathsig`.
    setpriv: Option<PathBuf>,
}

impl Launcher {
    pub(super) fn new() -> Self {
        Self { account: Account::for_children(), setpriv: find_setpriv() }
    }

    /// A program that does one thing and ends.
    pub(super) fn one_shot(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        self.prepare(&mut command);
        command
    }

    /// A server. It gets SIGINT when the *thread* that starts it ends, hence also when this process
    /// is killed; start it on a thread that outlives it. Without `setpriv` it outlives us, and
    /// the next start stops it.
    pub(super) fn server(&self, program: &Path) -> Command {
        let mut command = match &self.setpriv {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "INT", "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        self.prepare(&mut command);
        command
    }

    /// The environment is emptied so that neither our secrets nor a `PGDATA` reaches the child.
    /// A process group of its own keeps the terminal's Ctrl-C from it: we stop it in order.
    fn prepare(&self, command: &mut Command) {
        command
            .env_clear()
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .stdin(Stdio::null())
            .process_group(0);
        if self.account.is_other {
            // Setting the uid as root also drops the supplementary groups.
            command.uid(self.account.uid).gid(self.account.gid);
        }
    }
}

/// Runs a command to its end and returns what it printed.
pub(super) fn run_one_shot(
    name: &'static str,
    mut command: Command,
) -> Result<String, EmbeddedError> {
    let output = command
        .output()
        .map_err(|source| EmbeddedError::Spawn { program: command.get_program().into(), source })?;
    let mut printed = String::from_utf8_lossy(&output.stdout).into_owned();
    printed.push_str(&String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        return Ok(printed);
    }
    Err(EmbeddedError::OneShot {
        program: name,
        status: output.status.to_string(),
        last_lines: printed.trim().to_owned(),
    })
}

/// `BusyBox` has a `setpriv` without the option, so it is tried.
fn find_setpriv() -> Option<PathBuf> {
    let path = ["/usr/bin/setpriv", "/bin/setpriv"]
        .map(PathBuf::from)
        .into_iter()
        .find(|path| path.is_file())?;
    let tried = Command::new(&path)
        .args(["--pdeathsig", "INT", "--", "true"])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    tried.status.success().then_some(path)
}
