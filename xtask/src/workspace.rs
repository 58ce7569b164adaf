//! Where the workspace is, the programs that are asked about it, and a folder for scratch files.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// The folder that holds the workspace's `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// The cargo that started this program, or the one on the path.
pub(crate) fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.current_dir(root());
    // `cargo run`, which started this program, described xtask in the environment. Build scripts that look
    // at those variables (ring's does) would run again, and everything above them be compiled again.
    for (name, _) in std::env::vars_os() {
        let described = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if described {
            command.env_remove(name);
        }
    }
    command
}

/// A program of the workspace, built if need be.
///
/// Built with the whole workspace selected, because cargo chooses the features of dependencies by what is
/// selected: with one package at a time half of them would be compiled again, for every selection anew.
pub(crate) fn program(name: &str) -> anyhow::Result<Command> {
    stdout_of(cargo().args(["build", "-q", "--workspace", "--bin", name]))?;
    let described =
        stdout_of(cargo().args(["metadata", "--no-deps", "--offline", "--format-version=1"]))?;
    let described: serde_json::Value =
        serde_json::from_slice(&described).context("cargo metadata printed no JSON")?;
    let target = described["target_directory"].as_str().context("no target directory")?;
    let mut command = Command::new(Path::new(target).join("debug").join(name));
    command.current_dir(root());
    Ok(command)
}

/// git, in a repository.
pub(crate) fn git(repository: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(repository);
    command
}

/// Runs to the end and returns stdout; stderr goes to the terminal. Fails when the program does.
pub(crate) fn stdout_of(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let shown = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("failed to start {shown}"))?;
    if !output.status.success() {
        bail!("{shown} ended with {}", output.status);
    }
    Ok(output.stdout)
}

/// Tracked and new files that git does not ignore, as paths from the root, without those deleted.
pub(crate) fn files() -> anyhow::Result<Vec<String>> {
    let listed = stdout_of(git(root()).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "--deduplicate",
    ]))?;
    let listed = String::from_utf8(listed).context("a path is not UTF-8")?;
    let mut paths: Vec<String> = listed
        .split('\0')
        .filter(|path| !path.is_empty() && root().join(path).is_file())
        .map(str::to_owned)
        .collect();
    paths.sort();
    Ok(paths)
}

/// An empty folder that is removed when this value goes.
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes the folder; fails if it is already there, which only another process can cause.
    pub(crate) fn create(what: &str) -> anyhow::Result<Self> {
        let name = format!("calotype-xtask-{what}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).with_context(|| format!("failed to make {}", path.display()))?;
        Ok(Self { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind lies in the system's temporary folder, which the system clears.
        drop(fs::remove_dir_all(&self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scratch_folder_goes_with_its_owner() {
        let scratch = Scratch::create("test-of-scratch").unwrap();
        let path = scratch.path().to_owned();
        fs::write(path.join("file"), "text").unwrap();
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn a_failing_program_is_an_error() {
        assert!(stdout_of(cargo().arg("no-such-subcommand").stderr(Stdio::null())).is_err());
    }
}
