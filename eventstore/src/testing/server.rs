//! A server that several test processes share, with a watchdog that ends it when nobody uses it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// How long the server stays without a user, in minutes.
const IDLE_MINUTES: u32 = 2;
/// How often a user says that it is still there.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// How long a server may take to start.
const START_TRIES_MAX: u32 = 600;
const START_POLL: Duration = Duration::from_millis(50);

/// Runs `$@` until the file `used` is not touched for some time, then ends it and removes its folder.
const WATCHDOG: &str = r#"
minutes=$1; folder=$2; shift 2
cd "$folder" || exit 1
"$@" >"$folder/log" 2>&1 &
server=$!
while kill -0 "$server" 2>/dev/null; do
    sleep 5
    if [ -z "$(find "$folder/used" -mmin -"$minutes" 2>/dev/null)" ]; then
        kill -INT "$server"
        break
    fi
done
wait "$server"
cd /
rm -rf "$folder"
"#;

/// How to start one kind of server.
pub(super) struct Kind {
    /// Such as `postgres`.
    pub(super) name: &'static str,
    /// Fills a new folder (initdb) and says how to start the server in it.
    pub(super) prepare: fn(&Folder) -> Command,
    /// Where the server in a folder answers; none while it does not.
    pub(super) answers: fn(&Path) -> Option<String>,
}

/// A server's own folder, and as whom to run there.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    nobody: Option<(u32, u32)>,
}

/// The address of the running server of this kind; starts it where there is none.
pub(super) fn running(kind: &Kind) -> String {
    let shared = shared_folder();
    fs::create_dir_all(&shared).expect("the target folder can be written");
    let lock = File::create(shared.join(format!("{}.lock", kind.name))).expect("a lock file");
    // Held until this function returns.
    lock.lock().expect("the lock of the test servers");

    let pointer = shared.join(format!("{}.folder", kind.name));
    if let Ok(path) = fs::read_to_string(&pointer) {
        let path = PathBuf::from(path);
        if touch(&path).is_ok()
            && let Some(address) = (kind.answers)(&path)
        {
            keep_touching(path);
            return address;
        }
    }
    let folder = Folder::make(kind.name);
    touch(&folder.path).expect("the server's folder can be written");
    fs::write(&pointer, folder.path.as_os_str().as_encoded_bytes()).expect("a pointer file");
    folder.start(&(kind.prepare)(&folder));
    for _ in 0..START_TRIES_MAX {
        if let Some(address) = (kind.answers)(&folder.path) {
            keep_touching(folder.path);
            return address;
        }
        thread::sleep(START_POLL);
    }
    let log = fs::read_to_string(folder.path.join("log")).unwrap_or_default();
    panic!("{} did not start in {}:\n{log}", kind.name, folder.path.display());
}

/// The first of `programs` that is there, else one in the PATH.
pub(super) fn find_program(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders
        .iter()
        .cloned()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// The folder of the workspace.
pub(super) fn repository() -> PathBuf {
    let mut folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    folder.pop();
    folder
}

impl Folder {
    /// PostgreSQL refuses to run as root, so root's servers run as nobody, in a folder of nobody's.
    fn make(name: &str) -> Self {
        let suffix: u64 = rand::random();
        let path = PathBuf::from(format!("/tmp/calotype-test-{name}-{suffix:016x}"));
        fs::create_dir(&path).expect("a folder under /tmp");
        let nobody = am_root().then(|| (id_of("/etc/passwd", "nobody"), group_of_nobody()));
        if let Some((user, group)) = nobody {
            chown(&path, Some(user), Some(group)).expect("root may give folders away");
        }
        Self { path, nobody }
    }

    /// The same command, run as the owner of this folder, in it, apart from the terminal.
    pub(super) fn as_owner(&self, mut command: Command) -> Command {
        if let Some((user, group)) = self.nobody {
            command.uid(user).gid(group);
        }
        command.current_dir(&self.path).env("HOME", &self.path).stdin(Stdio::null());
        command
    }

    #[expect(clippy::zombie_processes, reason = "the server outlives this process on purpose")]
    fn start(&self, server: &Command) {
        let mut watchdog = Command::new("sh");
        watchdog
            .args(["-c", WATCHDOG, "calotype-test-server", &IDLE_MINUTES.to_string()])
            .arg(&self.path)
            .arg(server.get_program())
            .args(server.get_args())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        self.as_owner(watchdog).spawn().expect("sh starts");
    }
}

/// Where test processes meet.
fn shared_folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| repository().join("target")).join("test-servers")
}

fn touch(folder: &Path) -> io::Result<()> {
    fs::write(folder.join("used"), "")
}

/// Says from now on, as long as this process lives, that the server is used.
fn keep_touching(folder: PathBuf) {
    thread::spawn(move || {
        while touch(&folder).is_ok() {
            thread::sleep(HEARTBEAT);
        }
    });
}

fn am_root() -> bool {
    use std::os::unix::fs::MetadataExt;

    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

fn group_of_nobody() -> u32 {
    let group = |name| try_id_of("/etc/group", name);
    group("nogroup").or_else(|| group("nobody")).unwrap_or(65_534)
}

fn id_of(file: &str, name: &str) -> u32 {
    try_id_of(file, name).unwrap_or(65_534)
}

/// The third field of the line that begins with `name`.
fn try_id_of(file: &str, name: &str) -> Option<u32> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.split(':').next() == Some(name))?;
    line.split(':').nth(2)?.parse().ok()
}
