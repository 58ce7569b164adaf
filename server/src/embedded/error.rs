//! What can go wrong with the embedded servers, with the way out where there is one.

use std::io;
use std::path::{Path, PathBuf};

/// Why the embedded servers are not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// Another process has the data folder open.
    #[error("the data folder {} is already open in process {}", path.display(), pid.map_or_else(|| "(unknown)".to_owned(), |pid| pid.to_string()))]
    AlreadyOpen {
        /// The data folder.
        path: PathBuf,
        /// The process that has it open, as it wrote itself down.
        pid: Option<u32>,
    },
    /// The path of the data folder is not UTF-8, which the servers' configuration cannot say.
    #[error("the path of the data folder must be UTF-8: {}", path.display())]
    PathNotUtf8 {
        /// The data folder.
        path: PathBuf,
    },
    /// A program is not installed.
    #[error("{program} was not found; {way_out} (looked in {looked_in})")]
    ToolMissing {
        /// The program.
        program: &'static str,
        /// What to install or set.
        way_out: &'static str,
        /// The places that were searched, in order.
        looked_in: String,
    },
    /// A program did not tell its version.
    #[error("failed to read the version of {}: it says {answer:?}", program.display())]
    ToolVersion {
        /// The program.
        program: PathBuf,
        /// What it printed for `--version`.
        answer: String,
    },
    /// The database was made by another major version of PostgreSQL.
    #[error(
        "{} was made by PostgreSQL {found}, and only version {offered} is installed: install PostgreSQL {found} and name its folder in CALOTYPE_POSTGRES_BIN; to move on, dump the database with `pg_dump` of version {found}, restore it with version {offered} into a new data folder, and copy `keys/` and `library/` beside it",
        path.display()
    )]
    OtherMajor {
        /// The database folder.
        path: PathBuf,
        /// The major version that made it.
        found: u32,
        /// The major version of the programs at hand.
        offered: u32,
    },
    /// The account that runs the servers cannot reach a file of theirs.
    #[error(
        "the servers run as user {account} and need {}, but {} is closed to that user: run `chmod o+x {}`, choose another place, or do not start calotype as root",
        wanted.display(), folder.display(), folder.display()
    )]
    Closed {
        /// Name of the account.
        account: String,
        /// The folder that shuts the account out.
        folder: PathBuf,
        /// What the servers need behind it.
        wanted: PathBuf,
    },
    /// The folder belongs to another user, and we may not change that.
    #[error(
        "{} belongs to uid {owner}, and calotype runs as uid {uid}: start it as that user, or give the folder away with `chown -R {uid} {}`",
        path.display(), path.display()
    )]
    ForeignOwner {
        /// The folder.
        path: PathBuf,
        /// Who owns it.
        owner: u32,
        /// Who we are.
        uid: u32,
    },
    /// The folder for the socket exists and is not safe to use.
    #[error("{} must be a folder of uid {uid} that only it can open: remove it", path.display())]
    UnsafeSocketFolder {
        /// The folder.
        path: PathBuf,
        /// Who has to own it.
        uid: u32,
    },
    /// A file operation failed.
    #[error("failed to {action} {}", path.display())]
    File {
        /// The operation, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A program could not be started.
    #[error("failed to start {}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A program that should do one thing and end ended badly.
    #[error("{program} failed ({status}): {last_lines}")]
    OneShot {
        /// The program.
        program: &'static str,
        /// How it ended.
        status: String,
        /// What it printed last.
        last_lines: String,
    },
    /// Processes that an earlier run left behind do not end.
    #[error("processes {pids:?} of an earlier run still use {} and do not end", path.display())]
    LeftoversStay {
        /// The folder they use.
        path: PathBuf,
        /// Their ids.
        pids: Vec<u32>,
    },
    /// A server did not come up, several times in a row.
    #[error("gave up on {name} after {attempts} failed starts: {reason}")]
    GaveUp {
        /// The server.
        name: &'static str,
        /// How many starts failed in a row.
        attempts: u32,
        /// Why the last one failed, with what the server printed last.
        reason: String,
    },
    /// PostgreSQL is up, and a statement or connection of the set-up failed.
    #[error("failed to {action} in the embedded PostgreSQL")]
    Sql {
        /// The step, as a verb.
        action: &'static str,
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// A step that runs on a thread of its own did not come back.
    #[error("a step of the start was interrupted")]
    Interrupted,
}

/// Names the operation and the path of a failed file operation.
pub(super) fn file(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> EmbeddedError + use<> {
    let path = path.to_owned();
    move |source| EmbeddedError::File { action, path, source }
}
