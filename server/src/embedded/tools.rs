//! Where PostgreSQL's programs, nats-server, the names of places, models and ONNX Runtime are.
//!
//! In order: the folder named in the environment, a tools folder, Debian's place, the search path.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::{EmbeddedError, file};

/// Names the folder that holds `postgres` and `initdb`; nothing else is searched then.
const POSTGRES_BIN: &str = "CALOTYPE_POSTGRES_BIN";
/// Names the folder that holds `nats-server`; nothing else is searched then.
const NATS_BIN: &str = "CALOTYPE_NATS_BIN";
/// Names the file `libonnxruntime.so`; nothing else is searched then.
const ONNXRUNTIME: &str = "CALOTYPE_ONNXRUNTIME";
/// Names a folder with `postgres/bin/`, `nats/`, `places/`, `models/` and `onnxruntime/` in it.
const TOOLS: &str = "CALOTYPE_TOOLS";
/// Where a package installs our own copies.
const SYSTEM_TOOLS: &str = "/usr/lib/calotype";
/// Where Debian keeps a folder per major version.
const DEBIAN_POSTGRES: &str = "/usr/lib/postgresql";
/// Where distributions and administrators put shared libraries.
const SYSTEM_LIBRARIES: [&str; 4] =
    ["/usr/local/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64"];
/// How far above the running program a checkout's `.tools` is looked for.
const CHECKOUT_LEVELS_MAX: usize = 5;

/// PostgreSQL's programs of one version.
#[derive(Clone, Debug)]
pub struct PostgresTools {
    /// The folder that holds `postgres`, `initdb`, `pg_dump` and the others.
    pub bin: PathBuf,
    /// The major version, such as 18.
    pub major: u32,
}

/// Finds PostgreSQL. If `major` is given, the first place with that version is taken, and without
/// such a place the first of any version, for the caller to refuse.
///
/// # Errors
/// `ToolMissing` if there is none, `ToolVersion` or `Spawn` if one cannot tell its version.
pub fn find_postgres(data: &Path, major: Option<u32>) -> Result<PostgresTools, EmbeddedError> {
    let folders = postgres_folders(data);
    let mut first: Option<PostgresTools> = None;
    for folder in &folders {
        let Some(bin) = folder_with(folder, &["postgres", "initdb"])? else { continue };
        let tools = PostgresTools { major: major_of(&bin.join("postgres"))?, bin };
        if major.is_none_or(|major| major == tools.major) {
            return Ok(tools);
        }
        first.get_or_insert(tools);
    }
    first.ok_or_else(|| EmbeddedError::ToolMissing {
        program: "PostgreSQL",
        way_out: "install the package postgresql, name the folder of its programs in CALOTYPE_POSTGRES_BIN, or set DATABASE_URL to a running server",
        looked_in: list(&folders),
    })
}

/// Finds nats-server.
///
/// # Errors
/// `ToolMissing` if there is none.
pub fn find_nats_server(data: &Path) -> Result<PathBuf, EmbeddedError> {
    let mut folders = Vec::new();
    if let Some(folder) = env::var_os(NATS_BIN) {
        folders.push(PathBuf::from(folder));
    } else {
        folders.extend(tools_folders(data).into_iter().map(|folder| folder.join("nats")));
        folders.extend(search_path());
    }
    for folder in &folders {
        if let Some(folder) = folder_with(folder, &["nats-server"])? {
            return Ok(folder.join("nats-server"));
        }
    }
    Err(EmbeddedError::ToolMissing {
        program: "nats-server",
        way_out: "install the package nats-server, name its folder in CALOTYPE_NATS_BIN, or set NATS_URL to a running server",
        looked_in: list(&folders),
    })
}

/// The file with the names of places, where it is installed.
#[must_use]
pub fn find_places(data: &Path) -> Option<PathBuf> {
    tools_folders(data)
        .into_iter()
        .map(|folder| folder.join("places/places.bin"))
        .find(|file| file.is_file())
}

/// Folders of models: the data folder's own first, then those that are installed beside the program.
#[must_use]
pub fn model_folders(data: &Path) -> Vec<PathBuf> {
    let mut folders = vec![data.join("models")];
    folders.extend(tools_folders(data).into_iter().map(|folder| folder.join("models")));
    folders
}

/// Where `libonnxruntime.so` may be.
#[must_use]
pub fn onnxruntime_files(data: &Path) -> Vec<PathBuf> {
    if let Some(file) = env::var_os(ONNXRUNTIME).filter(|file| !file.is_empty()) {
        return vec![file.into()];
    }
    let folders = tools_folders(data).into_iter().map(|folder| folder.join("onnxruntime"));
    folders
        .chain(SYSTEM_LIBRARIES.map(PathBuf::from))
        .map(|folder| folder.join("libonnxruntime.so"))
        .collect()
}

fn postgres_folders(data: &Path) -> Vec<PathBuf> {
    if let Some(folder) = env::var_os(POSTGRES_BIN) {
        return vec![folder.into()];
    }
    let mut folders: Vec<PathBuf> =
        tools_folders(data).into_iter().map(|folder| folder.join("postgres/bin")).collect();
    folders.extend(debian_folders(Path::new(DEBIAN_POSTGRES)));
    folders.extend(search_path());
    folders
}

fn tools_folders(data: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(folder) = env::var_os(TOOLS) {
        folders.push(folder.into());
    }
    if let Ok(program) = env::current_exe() {
        folders.extend(
            program
                .ancestors()
                .skip(1)
                .take(CHECKOUT_LEVELS_MAX)
                .map(|folder| folder.join(".tools"))
                .filter(|folder| folder.is_dir()),
        );
    }
    folders.push(SYSTEM_TOOLS.into());
    folders.push(data.join("tools"));
    folders
}

/// Debian's folders, newest version first.
fn debian_folders(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(root) else { return Vec::new() };
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let major = entry.file_name().to_str()?.parse().ok()?;
            Some((major, entry.path().join("bin")))
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, folder)| folder).collect()
}

fn search_path() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

/// The folder behind `folder`'s links if it holds all the programs. The links are resolved because
/// PostgreSQL finds its library and share folders beside its programs.
fn folder_with(folder: &Path, programs: &[&str]) -> Result<Option<PathBuf>, EmbeddedError> {
    if !programs.iter().all(|program| folder.join(program).is_file()) {
        return Ok(None);
    }
    let program = folder.join(programs[0]);
    let real = program.canonicalize().map_err(file("resolve", &program))?;
    Ok(real.parent().map(Path::to_owned))
}

fn major_of(postgres: &Path) -> Result<u32, EmbeddedError> {
    let output = Command::new(postgres)
        .arg("--version")
        .output()
        .map_err(|source| EmbeddedError::Spawn { program: postgres.to_owned(), source })?;
    let answer = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    parse_major(&answer)
        .ok_or_else(|| EmbeddedError::ToolVersion { program: postgres.to_owned(), answer })
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian …)` and `postgres (PostgreSQL) 19beta1`.
fn parse_major(answer: &str) -> Option<u32> {
    let version = answer.split_once(") ")?.1;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..digits].parse().ok()
}

fn list(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_versions_are_read() {
        assert_eq!(parse_major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(parse_major("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(parse_major("something else"), None);
    }

    #[test]
    fn the_newest_version_of_debian_comes_first() {
        let root = tempfile::tempdir().unwrap();
        for version in ["9.6", "15", "9", "17"] {
            std::fs::create_dir(root.path().join(version)).unwrap();
        }

        let found = debian_folders(root.path());

        let expected = ["17/bin", "15/bin", "9/bin"].map(|folder| root.path().join(folder));
        assert_eq!(found, expected);
    }
}
