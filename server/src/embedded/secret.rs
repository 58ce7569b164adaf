//! Generated passwords and tokens, kept in files that only we can read.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rand::Rng;

use super::error::{EmbeddedError, file};

/// 192 bits.
const SECRET_BYTES: usize = 24;

/// A new secret as lower-case hexadecimal, which needs no quoting in SQL, URLs and configuration.
pub(super) fn generate() -> String {
    let bytes: [u8; SECRET_BYTES] = rand::rng().random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// The secret in `path`, generated and made durable first if there is none.
pub(super) fn read_or_generate(path: &Path) -> Result<String, EmbeddedError> {
    match std::fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        // An empty file is what a crash between making and writing it leaves.
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(file("read", path)(source)),
    }
    if let Some(folder) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(file("make", folder))?;
    }
    let secret = generate();
    write_private(path, &secret).map_err(file("write", path))?;
    Ok(secret)
}

/// Writes a file that only its owner can read, and waits until it is on the disk.
pub(super) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut target =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    target.write_all(text.as_bytes())?;
    target.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_secret_is_generated_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys").join("token");

        let first = read_or_generate(&path).unwrap();
        let second = read_or_generate(&path).unwrap();

        assert_eq!(first, second);
        assert_eq!(first.len(), SECRET_BYTES * 2);
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
    }
}
