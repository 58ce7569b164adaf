//! The folder of the unix socket: in the data folder, or in `/tmp` where that path is too long.

use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::super::account::Account;
use super::super::error::{EmbeddedError, file};
use super::super::folder::DataFolder;

/// Room for a socket's path in `sockaddr_un` on Linux, less the closing zero.
const SOCKET_PATH_BYTES_MAX: usize = 107;
/// The name that PostgreSQL gives its socket at our port.
pub(super) const SOCKET_NAME: &str = ".s.PGSQL.5432";

/// Where the folder of a data folder is; always the same.
pub(super) fn folder_of(root: &Path) -> Result<PathBuf, EmbeddedError> {
    let inside = root.join("run").join("postgres");
    if fits(&inside) {
        return Ok(inside);
    }
    let metadata = root.metadata().map_err(file("look at", root))?;
    let name = format!("calotype-{:x}-{:x}", metadata.dev(), metadata.ino());
    Ok(std::env::temp_dir().join(name))
}

/// Makes the folder, private to the account that runs the server. The same data folder always gets
/// the same path.
pub(super) fn make_folder(data: &DataFolder, account: &Account) -> Result<PathBuf, EmbeddedError> {
    let folder = folder_of(data.root())?;
    if folder.starts_with(data.run()) {
        account.own_folder(&folder)?;
    } else {
        make_in_shared_folder(&folder, account)?;
    }
    Ok(folder)
}

fn fits(folder: &Path) -> bool {
    folder.as_os_str().len() + 1 + SOCKET_NAME.len() <= SOCKET_PATH_BYTES_MAX
}

/// Anybody may make a folder of this name in `/tmp`, so one that is there must prove to be ours.
fn make_in_shared_folder(folder: &Path, account: &Account) -> Result<(), EmbeddedError> {
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => return account.own_file(folder),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(source) => return Err(file("make", folder)(source)),
    }
    let metadata = folder.symlink_metadata().map_err(file("look at", folder))?;
    let is_private = metadata.mode() & 0o777 == 0o700;
    if metadata.is_dir() && metadata.uid() == account.uid && is_private {
        return Ok(());
    }
    Err(EmbeddedError::UnsafeSocketFolder { path: folder.to_owned(), uid: account.uid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_counts_the_whole_path_of_the_socket() {
        let longest = SOCKET_PATH_BYTES_MAX - 1 - SOCKET_NAME.len();

        assert!(fits(Path::new(&format!("/{}", "a".repeat(longest - 1)))));
        assert!(!fits(Path::new(&format!("/{}", "a".repeat(longest)))));
    }
}
