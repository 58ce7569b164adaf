//! The database folder: made once, by `initdb`, and refused where another major version made it.

use std::path::{Path, PathBuf};

use super::super::error::{EmbeddedError, file};
use super::super::folder::DataFolder;
use super::super::launcher::{Launcher, run_one_shot};
use super::super::tools::{PostgresTools, find_postgres};
use super::super::{leftover, secret};
use super::roles::ADMIN;

/// From this version on, sorting and case rules come with PostgreSQL itself and do not change with
/// the system's C library, which would spoil indexes silently.
const BUILTIN_LOCALE_MAJOR: u32 = 17;
/// From this version on, `initdb` writes checksums without being asked.
const CHECKSUMS_DEFAULT_MAJOR: u32 = 18;

/// A database folder and the programs that fit it.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub(super) folder: PathBuf,
    pub(super) tools: PostgresTools,
}

/// Makes the database folder if it is missing. It appears whole or not at all: `initdb` works in
/// a folder beside it, which is renamed at the end.
pub(super) fn open_or_init(
    data: &DataFolder,
    launcher: &Launcher,
    admin_password: &str,
) -> Result<Cluster, EmbeddedError> {
    let folder = data.postgres();
    let found = read_major(&folder)?;
    let tools = find_postgres(data.root(), found)?;
    launcher.account.check_reachable(&tools.bin.join("postgres"))?;
    launcher.account.check_reachable(&folder)?;
    if let Some(found) = found {
        if found != tools.major {
            return Err(EmbeddedError::OtherMajor { path: folder, found, offered: tools.major });
        }
        launcher.account.own_folder(&folder)?;
        return Ok(Cluster { folder, tools });
    }

    tracing::info!("making a PostgreSQL {} database in {}", tools.major, folder.display());
    let unfinished = data.root().join("postgres.unfinished");
    leftover::stop_all(&unfinished, "postgres", |_| false)?;
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished).map_err(file("remove", &unfinished))?;
    }
    launcher.account.own_folder(&unfinished)?;
    init(&unfinished, data, launcher, &tools, admin_password)?;
    // An empty folder, made by hand, may be in the way; a full one is not ours to remove.
    std::fs::rename(&unfinished, &folder).map_err(file("make", &folder))?;
    sync_folder(data.root())?;
    Ok(Cluster { folder, tools })
}

fn init(
    folder: &Path,
    data: &DataFolder,
    launcher: &Launcher,
    tools: &PostgresTools,
    admin_password: &str,
) -> Result<(), EmbeddedError> {
    let password_file = data.run().join("initdb.password");
    secret::write_private(&password_file, admin_password).map_err(file("write", &password_file))?;
    launcher.account.own_file(&password_file)?;

    let mut command = launcher.one_shot(&tools.bin.join("initdb"));
    command.arg("--pgdata").arg(folder).arg("--pwfile").arg(&password_file).args([
        "--username",
        ADMIN,
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--no-instructions",
    ]);
    if tools.major >= BUILTIN_LOCALE_MAJOR {
        command.args(["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]);
    }
    if tools.major < CHECKSUMS_DEFAULT_MAJOR {
        command.arg("--data-checksums");
    }
    let result = run_one_shot("initdb", command);
    std::fs::remove_file(&password_file).map_err(file("remove", &password_file))?;
    result.map(drop)
}

/// The major version that made the folder; `None` if there is no database in it.
fn read_major(folder: &Path) -> Result<Option<u32>, EmbeddedError> {
    let path = folder.join("PG_VERSION");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(file("read", &path)(source)),
    };
    match text.trim().parse() {
        Ok(major) => Ok(Some(major)),
        Err(_) => Err(EmbeddedError::ToolVersion { program: path, answer: text }),
    }
}

fn sync_folder(folder: &Path) -> Result<(), EmbeddedError> {
    let opened = std::fs::File::open(folder).map_err(file("open", folder))?;
    opened.sync_all().map_err(file("sync", folder))
}
